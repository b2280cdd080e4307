// The admin API, and this browser's session with it.

const ROOT = new URL("../", import.meta.url); // which may lie below a proxy's prefix
const LONGEST_WAIT_MS = 20000;

const NO_ANSWER = "The server does not answer. Check that it runs.";

let ahead = 0; // seconds that the server's clock is ahead of this one

export const serverNow = () => Date.now() / 1000 + ahead;

// What the server's clock said just now.
export function setServerTime(seconds) {
  ahead = seconds - Date.now() / 1000;
}

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status; // 0: there was no answer
  }
}

export const at = (path, query = {}) => {
  const url = new URL(path, ROOT);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  return url;
};

export const EVENTS = at("admin/v1/events");

export const get = (path, query) => guarded(at(`admin/v1/${path}`, query));
export const post = (path, body) => guarded(at(`admin/v1/${path}`), "POST", body);
export const patch = (path, body) => guarded(at(`admin/v1/${path}`), "PATCH", body);
export const remove = (path) => guarded(at(`admin/v1/${path}`), "DELETE");

export const signIn = (key) => call(at("console/login"), "POST", { key });
export const signOut = () => call(at("console/logout"), "POST");

export const closureTable = () => call(at("v3/closures.json"));

// A call that needs the cookie; without one the page asks to sign in.
async function guarded(...request) {
  try {
    return await call(...request);
  } catch (error) {
    if (error.status === 401) document.dispatchEvent(new Event("signedout"));
    throw error;
  }
}

async function call(url, method = "GET", body = undefined) {
  const headers = {};
  if (method !== "GET") headers["X-Turnwire-Console"] = "1";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const signal = AbortSignal.timeout(LONGEST_WAIT_MS);
  try {
    const answer = await fetch(url, { method, headers, body: JSON.stringify(body), signal });
    return await content(answer);
  } catch (error) {
    throw error instanceof ApiError ? error : new ApiError(0, NO_ANSWER);
  }
}

// What an answer says; null if it is nothing. Throws what its error says.
async function content(answer) {
  const text = await answer.text();
  let said = null;
  try {
    said = JSON.parse(text);
  } catch {
    // Not every answer has something to say.
  }
  if (answer.ok) return said;
  throw new ApiError(answer.status, said?.error ?? `The server answered ${answer.status}.`);
}

// The token that opens a session. A key, where the server asks for one, stays in this tab and
// never stands in a URL.

import { at } from "./place.js";

const STORED = "turnwire-key";

export class NoToken extends Error {}

export async function token(dialog) {
  let problem = "";
  for (;;) {
    const key = sessionStorage.getItem(STORED);
    const answer = await fetch(at("v3/token?expires_in_seconds=60"), {
      headers: key ? { Authorization: key } : {},
    });
    if (answer.ok) return (await answer.json()).token;
    const { error } = await answer.json();
    if (answer.status !== 401) throw new NoToken(error);
    if (key) problem = error;
    sessionStorage.removeItem(STORED);
    sessionStorage.setItem(STORED, await ask(dialog, problem));
  }
}

function ask(dialog, problem) {
  const value = dialog.querySelector("input");
  if (problem) dialog.querySelector("#key-why").textContent = `${problem}. Try another one.`;
  value.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve, reject) => {
    dialog.addEventListener(
      "close",
      () =>
        dialog.returnValue === "ok"
          ? resolve(value.value.trim())
          : reject(new NoToken("Without an API key this server opens no session.")),
      { once: true },
    );
  });
}

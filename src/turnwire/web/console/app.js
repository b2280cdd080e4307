// The console: who is signed in, which view is shown, and what the server tells it.

import { get, setServerTime, signIn, signOut } from "./api.js";
import { closeAll } from "./dialogs.js";
import { el, say } from "./dom.js";
import { Feed } from "./feed.js";
import { among } from "./format.js";
import * as accounts from "./views/accounts.js";
import * as closures from "./views/closures.js";
import * as deliveries from "./views/deliveries.js";
import * as history from "./views/history.js";
import * as keys from "./views/keys.js";
import * as server from "./views/server.js";
import * as sessions from "./views/sessions.js";
import * as usage from "./views/usage.js";

const VIEWS = { sessions, history, closures, usage, accounts, keys, server, deliveries };

const LOST = "The connection to the server is lost. Trying again…";
const CROWDED =
  "The server answers, but sends no live figures. Perhaps too many pages watch it. Trying again…";

const $ = (id) => document.getElementById(id);
const feed = new Feed({ onSnapshot, onLost });
let latest = null; // the last snapshot
let update = null; // how the view that is shown takes one
let lost = ""; // what is said while live figures are missing

$("views").append(
  ...Object.entries(VIEWS).map(([name, { title }]) => {
    // The link to the view that is shown has it look again.
    const onclick = ({ target }) => {
      if (target.hash === location.hash) show();
    };
    return el("a", { href: `#/${name}`, onclick }, title);
  }),
);
$("sign-out").onclick = async () => {
  await signOut().catch(() => {}); // A server that is gone has forgotten the cookie, too.
  askForKey("You have signed out.");
};
addEventListener("hashchange", () => {
  say(lost, true);
  show();
});
document.addEventListener("signedout", () => {
  if (!$("admin-key")) askForKey(latest ? "This session is over. Sign in again." : "");
});
begin();

async function begin() {
  try {
    setServerTime((await get("engine")).at);
  } catch (error) {
    if (error.status !== 401) say(error.message, true);
    if (error.status === 0) setTimeout(begin, 2000);
    return;
  }
  enter();
}

function enter() {
  say("");
  $("views").hidden = $("sign-out").hidden = false;
  feed.start();
  show();
  offerDeliveries();
}

// Not every server posts to webhooks.
async function offerDeliveries() {
  const link = $("views").querySelector("[href='#/deliveries']");
  link.hidden = true;
  try {
    await get("deliveries", { limit: 1 });
    link.hidden = false;
  } catch (error) {
    if (error.status !== 404) say(error.message, true);
  }
}

function askForKey(why) {
  feed.stop();
  closeAll();
  latest = update = null;
  lost = "";
  $("views").hidden = $("sign-out").hidden = true;
  $("load").textContent = "";
  say(why);
  const form = $("login").content.cloneNode(true).firstElementChild;
  $("main").replaceChildren(form);
  const key = $("admin-key");
  key.focus();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    say("Signing in…");
    try {
      await signIn(key.value.trim());
      await begin();
    } catch (error) {
      say(error.message, true);
      key.select();
    }
  });
}

async function show() {
  if ($("views").hidden) return;
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const name = Object.hasOwn(VIEWS, path) ? path : "sessions";
  const { title, open } = VIEWS[name];
  const heading = el("h2", { tabIndex: -1, textContent: title });
  const body = el("div", {});
  const view = el("section", { "aria-busy": "true" }, heading, body);
  document.title = `${title} · Turnwire console`;
  for (const link of $("views").children) {
    if (link.hash === `#/${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  update = null;
  $("main").replaceChildren(view);
  heading.focus();
  try {
    const taking = await open(body, new URLSearchParams(query));
    if (!view.isConnected) return; // Another view was chosen meanwhile.
    update = taking ?? null;
    if (latest) update?.(latest);
  } catch (error) {
    if (view.isConnected && error.status !== 401) say(error.message, true);
  } finally {
    view.setAttribute("aria-busy", "false");
  }
}

function onSnapshot(snapshot) {
  latest = snapshot;
  if (lost) say("Connected again.");
  lost = "";
  const { sessions, max_sessions, quality, draining } = snapshot.engine;
  const state = draining
    ? "draining: open sessions go on, new ones are refused"
    : `quality: ${quality}`;
  const text = `Open sessions: ${among(sessions, max_sessions)} · ${state}`;
  if ($("load").textContent !== text) $("load").textContent = text;
  update?.(snapshot);
}

function onLost(isReachable) {
  const text = isReachable ? CROWDED : LOST;
  if (lost !== text) say(text, true);
  lost = text;
}

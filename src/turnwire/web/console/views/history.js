// The ledger: every session that was, and how it ended.

import { get } from "../api.js";
import { closureRows, explained } from "../closures.js";
import { button, el, field, say } from "../dom.js";
import { duration, moment } from "../format.js";
import { Table } from "../table.js";
import { end } from "./sessions.js";

export const title = "History";

const PAGE = 50;
const OPEN = "open"; // stands for the closure of a session that has none yet

export async function open(view, query) {
  const [rows, accounts] = await Promise.all([closureRows(), get("accounts")]);
  const table = new Table("Sessions, the newest first", columns(rows), {
    empty: "No session is like that.",
  });
  const more = button("Show more", () => load().catch((error) => say(error.message, true)));
  view.append(filters(query, rows, accounts.items), table.element, more);
  let next = null;
  const load = async () => {
    more.disabled = true;
    try {
      const page = await get("sessions", { ...asked(query), limit: PAGE, after: next });
      table.append(page.items);
      next = page.next;
      more.hidden = next === null;
    } finally {
      more.disabled = false;
    }
  };
  await load();
}

const columns = (rows) => [
  { label: "Begun", text: (item) => moment(item.begun_at) },
  { label: "Ended", text: (item) => moment(item.ended_at) },
  { label: "Account", text: (item) => item.account },
  {
    label: "Closure",
    make: ({ item }) => (item.closure ? explained(rows, item.closure) : unended(item)),
  },
  { label: "Audio", kind: "number", text: (item) => duration(item.audio_seconds) },
  { label: "Session", kind: "number", text: (item) => duration(item.session_seconds) },
  { label: "Billed", kind: "number", text: (item) => duration(item.billed_seconds) },
  { label: "Server", text: (item) => item.node },
  { label: "ID", kind: "id", text: (item) => item.id },
];

// A session that is open, perhaps on another server.
function unended(item) {
  const press = ({ target }) => end(item, target);
  return el("span", {}, "open ", button("End", press, { className: "small" }));
}

// The filters are in the address, so that what is found can be linked to.
function filters(query, rows, accounts) {
  const account = el("input", {
    id: "account",
    name: "account",
    value: query.get("account") ?? "",
  });
  account.setAttribute("list", "accounts");
  const closure = el(
    "select",
    { id: "closure", name: "closure" },
    new Option("any", ""),
    new Option("none: still open", OPEN),
    ...rows.map((row) => new Option(row.name)),
  );
  closure.value = query.get("closure") ?? "";
  const when = (name) =>
    el("input", { id: name, name, type: "datetime-local", value: query.get(name) ?? "" });
  const form = el(
    "form",
    { className: "filters" },
    field("Account", account),
    el("datalist", { id: "accounts" }, ...accounts.map(({ name }) => new Option(name))),
    field("Closure", closure),
    field("Begun since", when("since")),
    field("Begun until", when("until")),
    el("button", { className: "primary", textContent: "Filter" }),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = [...new FormData(form)].filter(([, value]) => value !== "");
    location.hash = `#/history?${new URLSearchParams(given)}`;
  });
  return form;
}

function asked(query) {
  const { since, until, account, closure } = Object.fromEntries(query);
  const ended = closure === OPEN ? { open: true } : { closure };
  return { account, ...ended, since: unix(since), until: unix(until) };
}

const unix = (local) => (local ? new Date(local).getTime() / 1000 : null);

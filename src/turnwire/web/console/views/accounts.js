// Who may open sessions, and what they may have.

import { get, patch, post, remove } from "../api.js";
import { asked, confirmed } from "../dialogs.js";
import { button, el, say } from "../dom.js";
import { duration, limit, moment, number } from "../format.js";
import { FilteredTable, Table } from "../table.js";

export const title = "Accounts";

const MOST = 2 ** 31 - 1;

const path = (name) => `accounts/${encodeURIComponent(name)}`;

export async function open(view) {
  const refresh = async () => table.show((await get("accounts")).items);
  const table = new FilteredTable("Accounts", columns(refresh), {
    key: ({ name }) => name,
    empty: "There is no account yet.",
  });
  view.append(
    el(
      "div",
      { className: "controls" },
      button("Create an account", () => create(refresh)),
    ),
    table.element,
  );
  await refresh();
}

const columns = (refresh) => [
  { label: "Name", text: ({ name }) => name },
  { label: "May open sessions", text: ({ enabled }) => (enabled ? "yes" : "no") },
  {
    label: "Balance",
    kind: "number",
    text: ({ balance_seconds }) =>
      balance_seconds === null ? "unlimited" : duration(balance_seconds),
  },
  { label: "Sessions at once", kind: "number", text: (item) => limit(item.max_sessions) },
  { label: "New a minute", kind: "number", text: (item) => limit(item.sessions_per_minute) },
  { label: "Open now", kind: "number", text: (item) => number(item.open_sessions) },
  { label: "Created", text: (item) => moment(item.created_at) },
  { label: "Actions", make: (row) => actions(row, refresh) },
];

function actions(row, refresh) {
  const box = el(
    "div",
    { className: "actions" },
    button("Edit", () => edit(row.item, refresh)),
    button("Top up", () => topUp(row.item, refresh)),
    button("Keys", () => (location.hash = `#/keys?account=${encodeURIComponent(row.item.name)}`)),
    button("Delete", () => destroy(row.item, refresh)),
  );
  for (const each of box.children) each.classList.add("small");
  return box;
}

const LIMITS = [
  {
    name: "max_sessions",
    label: "Sessions at once",
    type: "number",
    min: 1,
    max: MOST,
    help: "Empty: unlimited.",
  },
  {
    name: "sessions_per_minute",
    label: "New sessions a minute",
    type: "number",
    min: 1,
    max: MOST,
    help: "Empty: unlimited. It grows by a tenth after each busy minute.",
  },
];

const BALANCE = {
  name: "balance_seconds",
  label: "Balance, in seconds",
  type: "number",
  min: 0,
  max: MOST,
  help: "Seconds of sessions that are paid for. Empty: unlimited.",
};

async function create(refresh) {
  const fields = [
    { name: "name", label: "Name", required: true, maxLength: 64 },
    BALANCE,
    ...LIMITS.map((field) => ({
      ...field,
      value: field.name === "sessions_per_minute" ? 100 : "",
    })),
  ];
  const made = await asked({ title: "Create an account", fields, action: "Create" }, (values) =>
    post("accounts", values),
  );
  if (made) await report(`The account ${made.name} was created.`, refresh);
}

// Sends only what was changed here. What somebody else has changed meanwhile is not overwritten.
async function edit(account, refresh) {
  const seen = settable(account);
  const fields = FIELDS.filter(({ name }) => name in seen).map((field) => ({
    ...field,
    value: seen[field.name],
  }));
  const text = "Open sessions heed it within five seconds.";
  const done = await asked(
    { title: `Edit ${account.name}`, text, fields, action: "Save" },
    async (values) => {
      const changed = fields.filter(({ name }) => values[name] !== seen[name]);
      const now = settable(await get(path(account.name)));
      const taken = changed.filter(({ name }) => now[name] !== seen[name]);
      for (const { name } of taken) seen[name] = now[name];
      if (taken.length > 0) {
        const labels = taken.map(({ label, name }) => `${label} is ${shown(now[name])}`);
        throw new Error(
          `Somebody has changed this meanwhile: ${labels.join(", ")}. ` +
            "Save again to have it your way.",
        );
      }
      const terms = Object.fromEntries(changed.map(({ name }) => [name, values[name]]));
      if (changed.length > 0) await patch(path(account.name), stored(terms));
    },
  );
  if (done) await report(`The account ${account.name} was changed.`, refresh);
}

const FIELDS = [
  { name: "enabled", label: "May open sessions", type: "checkbox" },
  { name: "prepaid", label: "Limited by its balance", type: "checkbox" },
  ...LIMITS,
];

// What can be edited. The balance itself is only added to, as sessions take from it all the time.
function settable({ enabled, balance_seconds, max_sessions, sessions_per_minute }) {
  const limits = { enabled, max_sessions, sessions_per_minute };
  return balance_seconds === null ? limits : { ...limits, prepaid: true };
}

function stored({ prepaid, ...terms }) {
  return prepaid === false ? { ...terms, balance_seconds: null } : terms;
}

const shown = (value) =>
  typeof value === "boolean" ? (value ? "on" : "off") : limit(value ?? null);

async function setBalance({ name }, refresh) {
  const fields = [{ ...BALANCE, required: true, help: "Seconds of sessions that are paid for." }];
  const done = await asked({ title: `Give ${name} a balance`, fields, action: "Set" }, (values) =>
    patch(path(name), values),
  );
  if (done) await report(`The account ${name} has a balance now.`, refresh);
}

async function topUp(account, refresh) {
  const { name, balance_seconds } = account;
  if (balance_seconds === null) return setBalance(account, refresh);
  const past = new Table("Top-ups so far", TOP_UPS, {
    key: ({ at, balance_after }) => `${at} ${balance_after}`,
  });
  try {
    past.show((await get(`${path(name)}/top-ups`)).items);
  } catch (error) {
    return say(error.message, true);
  }
  const more = [el("h3", {}, "So far"), past.element];
  const done = await asked(
    { title: `Top up ${name}`, fields: TOP_UP, action: "Add", more },
    (values) => post(`${path(name)}/top-ups`, values),
  );
  if (done) await report(`The balance of ${name} is ${duration(done.balance_after)} now.`, refresh);
}

const TOP_UP = [
  {
    name: "seconds",
    label: "Seconds",
    type: "number",
    min: -MOST,
    max: MOST,
    required: true,
    help: "Less than 0 is a correction, which takes away.",
  },
  { name: "reason", label: "Reason", required: true, maxLength: 200 },
];

const TOP_UPS = [
  { label: "When", text: ({ at }) => moment(at) },
  { label: "Seconds", kind: "number", text: ({ seconds }) => number(seconds) },
  { label: "Balance after", kind: "number", text: (item) => number(item.balance_after) },
  { label: "Reason", text: ({ reason }) => reason },
];

async function destroy({ name }, refresh) {
  const sure = await confirmed({
    title: `Delete ${name}?`,
    text: "Its keys open no sessions any more. What its sessions came to stays in the ledger.",
    action: "Delete",
  });
  if (!sure) return;
  try {
    await remove(path(name));
  } catch (error) {
    return say(error.message, true);
  }
  await report(`The account ${name} was deleted.`, refresh);
}

async function report(text, refresh) {
  say(text);
  try {
    await refresh();
  } catch (error) {
    say(error.message, true);
  }
}

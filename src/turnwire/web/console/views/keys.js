// API keys: what clients open sessions with.

import { get, post, remove } from "../api.js";
import { asked, confirmed, told } from "../dialogs.js";
import { button, el, say } from "../dom.js";
import { moment } from "../format.js";
import { FilteredTable } from "../table.js";

export const title = "Keys";

export async function open(view, query) {
  const account = query.get("account");
  const refresh = async () => table.show((await get("keys", { account })).items);
  const table = new FilteredTable("API keys", columns(refresh), { empty: "There is no key." });
  if (account) {
    const all = el("a", { href: "#/keys", textContent: "Show those of all accounts" });
    view.append(el("p", {}, `Those of ${account}. `, all));
  }
  view.append(
    el(
      "div",
      { className: "controls" },
      button("Create a key", () => create(account, refresh)),
    ),
    table.element,
  );
  await refresh();
}

const columns = (refresh) => [
  { label: "Key", text: ({ start }) => `${start}…` },
  { label: "Name", text: ({ name }) => name },
  { label: "Account", text: ({ account }) => account },
  { label: "Created", text: (item) => moment(item.created_at) },
  { label: "Last used", text: (item) => moment(item.last_used_at) },
  { label: "Revoked", text: (item) => moment(item.revoked_at) },
  {
    label: "Action",
    make: (row) =>
      button("Revoke", ({ target }) => revoke(row.item, target, refresh), {
        className: "small",
        disabled: row.item.revoked_at !== null,
      }),
  },
];

async function create(account, refresh) {
  let names;
  try {
    names = (await get("accounts")).items.map(({ name }) => name);
  } catch (error) {
    return say(error.message, true);
  }
  const fields = [
    { name: "account", label: "Account", options: names, value: account, required: true },
    { name: "name", label: "Name", maxLength: 64, help: "What people know it by." },
  ];
  const made = await asked({ title: "Create a key", fields, action: "Create" }, (values) =>
    post(`accounts/${encodeURIComponent(values.account)}/keys`, { name: values.name }),
  );
  if (!made) return;
  show(made.key);
  await refresh().catch((error) => say(error.message, true));
}

function show(key) {
  const shown = el("input", { id: "new-key", value: key, readOnly: true, "aria-label": "The key" });
  shown.onfocus = () => shown.select();
  const copy = button("Copy", async () => {
    shown.select();
    try {
      await navigator.clipboard.writeText(key);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Copy it by hand: it is selected";
    }
  });
  told(
    "Keep this key now",
    el("p", { textContent: "It is shown this once; the server keeps no copy." }),
    shown,
    el("div", { className: "controls" }, copy),
  );
}

async function revoke({ id, name, account }, pressed, refresh) {
  const sure = await confirmed({
    title: "Revoke this key?",
    text:
      `${name} of ${account} opens no sessions any more, and those that it has open end within ` +
      "five seconds. This cannot be undone.",
    action: "Revoke",
  });
  if (!sure) return;
  try {
    await remove(`keys/${encodeURIComponent(id)}`);
    pressed.disabled = true;
    say("The key was revoked.");
    await refresh();
  } catch (error) {
    say(error.message, true);
  }
}

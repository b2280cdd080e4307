// Webhooks: what was posted to clients' addresses, and what came of it.

import { get, post } from "../api.js";
import { button, say } from "../dom.js";
import { NOTHING, moment, number } from "../format.js";
import { FilteredTable } from "../table.js";

export const title = "Webhooks";

const MOST = 500;

export async function open(view) {
  const refresh = async () => table.show((await get("deliveries", { limit: MOST })).items);
  const table = new FilteredTable("Deliveries, the newest first", columns(refresh), {
    empty: "Nothing was posted yet.",
  });
  view.append(table.element);
  await refresh();
}

const columns = (refresh) => [
  { label: "Made", text: (item) => moment(item.created_at) },
  { label: "Account", text: ({ account }) => account },
  { label: "Posted to", text: ({ host }) => host },
  { label: "State", text: ({ state }) => state },
  { label: "Attempts", kind: "number", text: ({ attempts }) => number(attempts) },
  { label: "Last answer", kind: "wide", text: lastAnswer },
  { label: "Next attempt", text: (item) => moment(item.next_at) },
  { label: "Session", kind: "id", text: (item) => item.session_id },
  {
    label: "Action",
    make: (row) =>
      button("Post now", ({ target }) => retry(row.item, target, refresh), {
        className: "small",
        disabled: row.item.next_at === null,
      }),
  },
];

const lastAnswer = ({ last_status, last_error }) => last_error ?? `${last_status ?? NOTHING}`;

async function retry({ id }, pressed, refresh) {
  pressed.disabled = true;
  try {
    await post(`deliveries/${encodeURIComponent(id)}/retry`);
    say("It is posted within seconds.");
    await refresh();
  } catch (error) {
    say(error.message, true);
  } finally {
    pressed.disabled = false;
  }
}

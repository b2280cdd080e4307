// The sessions that are open on this server now.

import { post, serverNow } from "../api.js";
import { confirmed } from "../dialogs.js";
import { button, say } from "../dom.js";
import { NOTHING, duration, milliseconds, number } from "../format.js";
import { FilteredTable } from "../table.js";

export const title = "Live sessions";

export function open(view) {
  const table = new FilteredTable("Sessions that are open on this server", COLUMNS, {
    empty: "No session is open. One that a client opens appears here by itself.",
  });
  view.append(table.element);
  return ({ live }) => table.show(live.items);
}

const COLUMNS = [
  { label: "Account", text: (item) => item.account ?? NOTHING },
  { label: "Client", kind: "wide", text: (item) => item.client || NOTHING },
  { label: "Address", text: (item) => item.address },
  { label: "Model", text: (item) => item.model || NOTHING },
  { label: "Age", kind: "number", text: (item) => duration(serverNow() - item.begun_at) },
  { label: "Audio", kind: "number", text: (item) => duration(item.audio_seconds) },
  { label: "Lag", kind: "number", text: (item) => milliseconds(item.lag_ms) },
  { label: "Last partial", kind: "number", text: (item) => milliseconds(item.partial_ms) },
  { label: "Turns", kind: "number", text: (item) => number(item.turns) },
  {
    label: "Expires in",
    kind: "number",
    text: ({ expires_at }) => duration(expires_at && expires_at - serverNow()),
  },
  { label: "Session", kind: "id", text: (item) => item.id },
  {
    label: "Action",
    make: (row) => button("End", ({ target }) => end(row.item, target), { className: "small" }),
  },
];

// Ends a session, on whatever server it is.
export async function end({ id, account }, pressed) {
  const sure = await confirmed({
    title: "End this session?",
    text: `The session ${id} of ${account} delivers its last words, and its client is told why.`,
    action: "End it",
  });
  if (!sure) return;
  pressed.disabled = true;
  try {
    await post(`sessions/${encodeURIComponent(id)}/end`);
    say("The session is being ended; it may take five seconds.");
  } catch (error) {
    pressed.disabled = false;
    say(error.message, true);
  }
}

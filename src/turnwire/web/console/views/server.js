// This server's engine, and the servers that share its accounts.

import { post, serverNow } from "../api.js";
import { confirmed } from "../dialogs.js";
import { button, el, say } from "../dom.js";
import { NOTHING, among, duration, megabytes, milliseconds, number } from "../format.js";
import { Table } from "../table.js";

export const title = "Servers";

const FIGURES = [
  ["Model", ({ model }) => model],
  ["Quality", ({ quality }) => quality],
  ["Sessions", ({ sessions, max_sessions }) => among(sessions, max_sessions)],
  ["Decoding threads", ({ threads }) => number(threads)],
  ["Final texts waiting", ({ waiting_final }) => number(waiting_final)],
  ["The next one waits for", ({ waiting_seconds }) => milliseconds(1000 * waiting_seconds)],
  ["Partial texts waiting", ({ waiting_partial }) => number(waiting_partial)],
  ["Decoded at once, on average", ({ batches }) => average(batches)],
  ["Event loop blocked at worst", ({ event_loop_lag_ms }) => milliseconds(event_loop_lag_ms)],
  [
    "Audio held",
    ({ held_audio_bytes, max_held_audio_bytes }) =>
      `${megabytes(held_audio_bytes)} of ${megabytes(max_held_audio_bytes)}`,
  ],
  ["State", ({ draining }) => (draining ? "draining" : "taking sessions")],
];

const NODES = [
  { label: "Name", text: ({ name, here }) => (here ? `${name} (this one)` : name) },
  { label: "Version", text: ({ version }) => version ?? NOTHING },
  {
    label: "Sessions",
    kind: "number",
    text: ({ sessions, max_sessions }) => among(sessions, max_sessions),
  },
  { label: "Quality", text: ({ quality }) => quality ?? NOTHING },
  { label: "State", text: ({ draining }) => (draining ? "draining" : "taking sessions") },
  { label: "Seen", text: ({ seen_at }) => `${duration(serverNow() - seen_at)} ago` },
];

// Of how many decodes batches consisted, from the number of batches of each size.
function average(batches) {
  const sizes = Object.entries(batches);
  const decodes = sizes.reduce((sum, [size, count]) => sum + size * count, 0);
  const begun = sizes.reduce((sum, [, count]) => sum + count, 0);
  return begun ? (decodes / begun).toFixed(1) : NOTHING;
}

export function open(view) {
  const values = FIGURES.map(() => el("dd", {}, NOTHING));
  const figures = FIGURES.map(([label], place) =>
    el("div", {}, el("dt", {}, label), values[place]),
  );
  const nodes = new Table("Servers that share these accounts", NODES, {
    key: ({ process }) => process,
  });
  const drain = button("Drain this server", () => ask(drain));
  view.append(
    el("h3", {}, "This server"),
    el("dl", { className: "figures" }, ...figures),
    el("div", { className: "controls" }, drain),
    el("h3", {}, "All servers with these accounts"),
    nodes.element,
  );
  return (snapshot) => {
    FIGURES.forEach(([, text], place) => {
      const value = text(snapshot.engine);
      if (values[place].textContent !== value) values[place].textContent = value;
    });
    drain.disabled = snapshot.engine.draining;
    nodes.show(snapshot.nodes.items);
  };
}

async function ask(drain) {
  const sure = await confirmed({
    title: "Drain this server?",
    text:
      "It takes no new sessions. Open ones go on for as long as it was told to wait, then they " +
      "deliver their last words and it stops. This cannot be undone.",
    action: "Drain",
  });
  if (!sure) return;
  try {
    await post("drain");
    drain.disabled = true;
  } catch (error) {
    say(error.message, true);
  }
}

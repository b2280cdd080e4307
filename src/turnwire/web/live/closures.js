// The server's closure table, and which row of it a closure is.

import { at } from "./place.js";

const NO_CLOSE_FRAME = 1006;

const LOST = {
  name: "connection_lost",
  kind: "error",
  retry_after: 1,
  meaning: "The connection was lost, or never came about: the server is gone or the network failed.",
  advice: "Check that the server runs, then start again.",
};

export class Closures {
  constructor(rows) {
    this.rows = rows;
  }

  static async load() {
    return new Closures(await (await fetch(at("v3/closures.json"))).json());
  }

  // The row of a closure: by its text, as several rows share a code.
  find({ code, text }) {
    if (code === NO_CLOSE_FRAME) return LOST;
    const alike = this.rows.filter((row) => row.code === code);
    const exact = alike.filter((row) => pattern(row.text).test(text));
    return exact[0] ?? alike[0] ?? { ...LOST, name: "unknown", meaning: text, retry_after: null };
  }
}

function pattern(template) {
  const literals = template.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literals.join("[^]*")}$`, "i");
}

// The closure table, and its rows explained in place.

import { closureTable } from "./api.js";
import { el } from "./dom.js";

let table = null;

export async function closureRows() {
  table ??= closureTable().catch((error) => {
    table = null;
    throw error;
  });
  return table;
}

// The name of a closure that opens to what its row says. A row of a newer server may be unknown.
export function explained(rows, name, summary = [name]) {
  const row = rows.find((each) => each.name === name);
  const details = el("details", { className: "closure" }, el("summary", {}, ...summary));
  if (!row) {
    details.append(el("p", { textContent: "This server's closure table has no such row." }));
    return details;
  }
  details.append(
    el("p", {}, el("code", { textContent: `${row.code ?? ""} ${row.text}`.trim() })),
    el("p", { textContent: row.meaning }),
    el("p", { textContent: row.advice }),
  );
  return details;
}

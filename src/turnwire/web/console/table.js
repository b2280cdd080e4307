// Tables whose rows keep their elements from one showing to the next, so that focus stays where
// it is. A column has a `label`, and either `text(item)` or `make(row)`, which is called once for
// each row and finds the newest item in `row.item`. Its `kind` is a class of its cells.

import { el, field } from "./dom.js";

const MOST_ROWS = 200; // of a list that is not paged; more are found by the filter

export class Table {
  #rows = new Map();

  constructor(caption, columns, { key = (item) => item.id, empty = "There are none." } = {}) {
    this.columns = columns;
    this.key = key;
    this.body = el("tbody", { role: "rowgroup" });
    this.empty = el("p", { className: "quiet", textContent: empty, hidden: true });
    // On a phone the rows are shown as cards; the roles keep it a table for screen readers.
    const heads = columns.map(({ label, kind = "" }) =>
      el("th", { role: "columnheader", scope: "col", className: kind }, label),
    );
    this.table = el(
      "table",
      { role: "table", hidden: true },
      el("caption", { className: "unseen" }, caption),
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads)),
      this.body,
    );
    this.element = el("div", { className: "table" }, this.table, this.empty);
  }

  // Shows these items, in this order, and no others.
  show(items) {
    const rows = items.map((item) => this.#row(item));
    const shown = new Set(rows);
    for (const [key, row] of this.#rows) {
      if (shown.has(row)) continue;
      row.element.remove();
      this.#rows.delete(key);
    }
    rows.forEach(({ element }, place) => {
      const there = this.body.children[place];
      if (there !== element) this.body.insertBefore(element, there ?? null);
    });
    this.table.hidden = rows.length === 0;
    this.empty.hidden = rows.length > 0;
  }

  // Shows these items behind the others.
  append(items) {
    this.show([...[...this.#rows.values()].map((row) => row.item), ...items]);
  }

  #row(item) {
    const key = this.key(item);
    let row = this.#rows.get(key);
    if (!row) this.#rows.set(key, (row = this.#made(item)));
    row.item = item;
    this.columns.forEach(({ text }, place) => {
      if (!text) return;
      const cell = row.element.children[place];
      const value = text(item);
      if (cell.textContent !== value) cell.textContent = value;
    });
    return row;
  }

  #made(item) {
    const row = { item, element: el("tr", { role: "row" }) };
    for (const { label, kind = "", make } of this.columns) {
      const cell = el("td", { role: "cell", "data-label": label, className: kind });
      if (make) cell.append(make(row));
      row.element.append(cell);
    }
    return row;
  }
}

// A table with a field above it that finds rows by any of their texts.
export class FilteredTable {
  #items = [];

  constructor(caption, columns, options) {
    this.texts = columns.flatMap(({ text }) => text ?? []);
    this.table = new Table(caption, columns, options);
    this.filter = el("input", {
      id: "filter",
      type: "search",
      oninput: () => this.show(this.#items),
    });
    this.count = el("p", { className: "quiet" });
    const controls = el("div", { className: "controls" }, field("Find", this.filter), this.count);
    this.element = el("div", {}, controls, this.table.element);
  }

  show(items) {
    this.#items = items;
    const wanted = this.filter.value.trim().toLowerCase();
    const found = wanted ? items.filter((item) => this.#holds(item, wanted)) : items;
    this.table.show(found.slice(0, MOST_ROWS));
    const count =
      found.length > MOST_ROWS
        ? `The first ${MOST_ROWS} of ${found.length}; the field finds the others.`
        : `${found.length} of ${items.length}`;
    if (this.count.textContent !== count) this.count.textContent = count;
  }

  #holds(item, wanted) {
    return this.texts.some((text) => text(item).toLowerCase().includes(wanted));
  }
}

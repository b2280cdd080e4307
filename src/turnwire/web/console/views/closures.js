// How sessions ended, over time; the closure table is the legend.

import { get, serverNow } from "../api.js";
import { MOST_SERIES, ranked, stackedBars, swatch } from "../chart.js";
import { closureRows, explained } from "../closures.js";
import { el, field } from "../dom.js";
import { moment, number } from "../format.js";

export const title = "Closures";

const PERIODS = [
  { name: "day", label: "Last 24 hours", seconds: 86400, step: 3600 },
  { name: "week", label: "Last 7 days", seconds: 7 * 86400, step: 6 * 3600 },
  { name: "month", label: "Last 30 days", seconds: 30 * 86400, step: 86400 },
];

export async function open(view, query) {
  const period = PERIODS.find(({ name }) => name === query.get("period")) ?? PERIODS[0];
  const until = serverNow();
  const since = Math.floor((until - period.seconds) / period.step) * period.step;
  const [rows, { step, items }] = await Promise.all([
    closureRows(),
    get("closures", { since, until, step: period.step }),
  ]);
  const totals = new Map();
  for (const { counts } of items) {
    for (const [name, count] of Object.entries(counts)) {
      totals.set(name, (totals.get(name) ?? 0) + count);
    }
  }
  view.append(periods(period));
  if (totals.size === 0) {
    view.append(el("p", { className: "quiet", textContent: "No session ended in this time." }));
    return;
  }
  const { shown, others } = ranked(totals);
  const { starts, valuesOf } = columns(items, since, until, step);
  const series = shown.map((name) => ({ label: name, values: valuesOf([name]) }));
  if (others.length) series.push({ label: "others", values: valuesOf(others) });
  view.append(
    stackedBars({
      title: `How sessions ended, ${period.label.toLowerCase()}`,
      starts,
      step,
      series,
    }),
    legend(rows, shown, others, totals),
    asTable(items, [...shown, ...others]),
  );
}

function periods(chosen) {
  const select = el(
    "select",
    { id: "period" },
    ...PERIODS.map(({ name, label }) => new Option(label, name)),
  );
  select.value = chosen.name;
  select.onchange = () => (location.hash = `#/closures?period=${select.value}`);
  return el("div", { className: "filters" }, field("Period", select));
}

// The steps in which nothing ended are bars too.
function columns(items, since, until, step) {
  const counts = new Map(items.map((item) => [item.at, item.counts]));
  const starts = [];
  for (let at = since; at < until; at += step) starts.push(at);
  const valuesOf = (names) =>
    starts.map((at) => names.reduce((sum, name) => sum + (counts.get(at)?.[name] ?? 0), 0));
  return { starts, valuesOf };
}

function legend(rows, shown, others, totals) {
  const entry = (name, place) => {
    const closure = explained(rows, name, [swatch(place), `${name} · ${number(totals.get(name))}`]);
    const href = `#/history?${new URLSearchParams({ closure: name })}`;
    closure.append(el("p", {}, el("a", { href }, "Show the sessions")));
    return el("li", {}, closure);
  };
  return el(
    "ul",
    { className: "legend", "aria-label": "Closures of this time" },
    ...shown.map(entry),
    ...others.map((name) => entry(name, MOST_SERIES - 1)),
  );
}

function asTable(items, names) {
  const head = ["From", ...names].map((text) => el("th", { scope: "col" }, text));
  const lines = items.map(({ at, counts }) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, moment(at)),
      ...names.map((name) => el("td", { className: "number" }, number(counts[name] ?? 0))),
    ),
  );
  const table = el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...lines));
  return el(
    "details",
    {},
    el("summary", { textContent: "The same as a table" }),
    el(
      "div",
      { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Closures as a table" },
      table,
    ),
  );
}

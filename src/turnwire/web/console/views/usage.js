// What accounts used, by day.

import { get, serverNow } from "../api.js";
import { MOST_SERIES, ranked, stackedBars, swatch } from "../chart.js";
import { el, field } from "../dom.js";
import { duration, number } from "../format.js";
import { Table } from "../table.js";

export const title = "Usage";

const DAY = 86400;
const PERIODS = [7, 30, 90];
const MEASURES = [
  { name: "billed_seconds", label: "Billed", written: duration, minutes: true },
  { name: "audio_seconds", label: "Audio", written: duration, minutes: true },
  { name: "sessions", label: "Sessions", written: number, minutes: false },
];

export async function open(view, query) {
  const days = PERIODS.find((each) => String(each) === query.get("days")) ?? PERIODS[1];
  const measure = MEASURES.find(({ name }) => name === query.get("show")) ?? MEASURES[0];
  const until = Math.floor(serverNow() / DAY) * DAY + DAY;
  const since = until - days * DAY;
  const { items } = await get("usage", {
    by: "day,account",
    since,
    until,
    account: query.get("account"),
  });
  view.append(choices(query, days, measure));
  if (items.length === 0) {
    view.append(el("p", { className: "quiet", textContent: "No session began in this time." }));
    return;
  }
  const totals = new Map();
  for (const item of items) {
    totals.set(item.account, (totals.get(item.account) ?? 0) + item[measure.name]);
  }
  const { shown, others } = ranked(totals);
  const { starts, valuesOf } = columns(items, since, until, measure);
  const series = shown.map((name) => ({ label: name, values: valuesOf([name]) }));
  if (others.length) series.push({ label: "others", values: valuesOf(others) });
  const unit = measure.minutes ? "minutes a day" : "a day";
  const table = new Table("Usage by day and account", COLUMNS, {
    key: (item) => `${item.day} ${item.account}`,
  });
  table.show(items.toReversed());
  view.append(
    stackedBars({
      title: `${measure.label} by account, ${unit}, last ${days} days`,
      starts,
      step: DAY,
      series,
      zone: "Etc/UTC",
    }),
    el("p", {
      className: "quiet",
      textContent: `${measure.label}, ${unit}; days are those of UTC.`,
    }),
    legend(shown, others, totals, measure),
    el("details", {}, el("summary", { textContent: "The same as a table" }), table.element),
  );
}

const COLUMNS = [
  { label: "Day", text: (item) => item.day },
  { label: "Account", text: (item) => item.account },
  { label: "Sessions", kind: "number", text: (item) => number(item.sessions) },
  { label: "Audio", kind: "number", text: (item) => duration(item.audio_seconds) },
  { label: "In session", kind: "number", text: (item) => duration(item.session_seconds) },
  { label: "Billed", kind: "number", text: (item) => duration(item.billed_seconds) },
];

function choices(query, days, measure) {
  const period = el(
    "select",
    { id: "days" },
    ...PERIODS.map((each) => new Option(`Last ${each} days`, each)),
  );
  period.value = days;
  const show = el(
    "select",
    { id: "show" },
    ...MEASURES.map(({ name, label }) => new Option(label, name)),
  );
  show.value = measure.name;
  const account = el("input", { id: "account", type: "search", value: query.get("account") ?? "" });
  const choose = () => {
    const chosen = { days: period.value, show: show.value, account: account.value };
    location.hash = `#/usage?${new URLSearchParams(chosen)}`;
  };
  period.onchange = show.onchange = account.onchange = choose;
  return el(
    "div",
    { className: "filters" },
    field("Period", period),
    field("Show", show),
    field("Account", account),
  );
}

function columns(items, since, until, { name, minutes }) {
  const starts = [];
  for (let at = since; at < until; at += DAY) starts.push(at);
  const valuesOf = (accounts) => {
    const values = new Array(starts.length).fill(0);
    for (const item of items) {
      const place = (Date.parse(item.day) / 1000 - since) / DAY;
      if (accounts.includes(item.account) && place in values) {
        values[place] += item[name] / (minutes ? 60 : 1);
      }
    }
    return values;
  };
  return { starts, valuesOf };
}

function legend(shown, others, totals, { written }) {
  const entry = (name, place) =>
    el("li", {}, swatch(place), `${name} · ${written(totals.get(name))}`);
  return el(
    "ul",
    { className: "legend", "aria-label": "Accounts" },
    ...shown.map(entry),
    ...others.map((name) => entry(name, MOST_SERIES - 1)),
  );
}

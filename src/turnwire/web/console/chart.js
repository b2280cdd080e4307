// Stacked bars over time, drawn by uPlot, which is loaded when the first chart is shown.

import { el } from "./dom.js";
import { number } from "./format.js";

export const MOST_SERIES = 8; // colours that can be told apart
const HEIGHT = 260;
const DAY = 86400;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// The colour of a series, for a legend.
export const swatch = (place) => el("span", { className: `swatch series-${place + 1}` });

// The names with the largest sums have a series each; "others" is the sum of what is left.
export function ranked(totals) {
  const names = [...totals.keys()].sort((a, b) => totals.get(b) - totals.get(a));
  return names.length <= MOST_SERIES
    ? { shown: names, others: [] }
    : { shown: names.slice(0, MOST_SERIES - 1), others: names.slice(MOST_SERIES - 1) };
}

// Bars of these series on top of each other. `starts` are the Unix seconds at which each bar
// begins, `series` are [{label, values}], `zone` is that of the axis. Screen readers are told the
// `title`; the page has a table of the same numbers.
export function stackedBars({ title, ...data }) {
  const frame = el("div", { className: "plot", role: "img", "aria-label": title });
  const readout = el("p", { className: "quiet readout" });
  draw(frame, readout, data).catch(() => {
    readout.textContent = "The chart could not be loaded; the table has it all.";
  });
  return el("div", {}, frame, readout);
}

async function draw(frame, readout, data) {
  const { default: uPlot } = await import("./vendor/uPlot.esm.js");
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  let plot = null;
  const redraw = () => {
    plot?.destroy();
    const sums = [data.starts, ...stacked(data.series).reverse()];
    plot = new uPlot(options(uPlot, frame, readout, data), sums, frame);
  };
  redraw();
  scheme.addEventListener("change", redraw);
  const sizes = new ResizeObserver(() => {
    if (frame.isConnected) return plot.setSize({ width: frame.clientWidth, height: HEIGHT });
    sizes.disconnect();
    scheme.removeEventListener("change", redraw);
    plot.destroy();
  });
  sizes.observe(frame);
}

// What each series comes to on top of those before it.
function stacked(series) {
  const sum = new Array(series[0].values.length).fill(0);
  return series.map(({ values }) => values.map((value, place) => (sum[place] += value)));
}

function options(uPlot, frame, readout, { starts, step, series, zone }) {
  const end = starts.at(-1) + step;
  return {
    width: frame.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    tzDate: (moment) => {
      const date = new Date(1000 * moment);
      return zone ? uPlot.tzDate(date, zone) : date;
    },
    scales: {
      x: { range: () => [starts[0], end] },
      y: { range: (_plot, _least, most) => [0, Math.max(1, most * 1.05)] },
    },
    axes: axes(zone),
    // The highest sum is drawn first, and the others over it.
    series: [{}, ...series.map((each, place) => bars(uPlot, each, place)).reverse()],
    hooks: {
      setCursor: [
        (plot) => {
          const { left } = plot.cursor;
          const place = Math.floor((plot.posToVal(left, "x") - starts[0]) / step);
          const isOn = left >= 0 && place in starts;
          readout.textContent = isOn ? written(starts[place], series, place, zone) : "";
        },
      ],
    },
  };
}

function bars(uPlot, { label }, place) {
  return {
    label,
    fill: colour(`--series-${place + 1}`),
    width: 0,
    paths: uPlot.paths.bars({ size: [0.8, 80], align: 1 }),
    points: { show: false },
  };
}

function axes(timeZone) {
  const day = format({ month: "short", day: "numeric", timeZone });
  const time = format({ hour: "2-digit", minute: "2-digit", timeZone });
  const moments = (_plot, values, _axis, _space, gap) =>
    values.map((value) => (gap >= DAY ? day : time).format(1000 * value));
  const numbers = (_plot, values) => values.map((value) => (value % 1 ? "" : number(value)));
  const look = {
    stroke: colour("--quiet"),
    grid: { stroke: colour("--line"), width: 1 },
    font: "12px system-ui",
  };
  return [
    { ...look, values: moments },
    { ...look, size: 60, values: numbers },
  ];
}

// What the bar under the pointer stands for.
function written(start, series, place, timeZone) {
  const counts = series
    .filter(({ values }) => values[place] > 0)
    .map(({ label, values }) => `${label} ${number(values[place])}`);
  const when = format({ dateStyle: "medium", timeStyle: "short", timeZone }).format(1000 * start);
  return `${when}: ${counts.join(", ") || "none"}`;
}

const format = (options) => new Intl.DateTimeFormat(undefined, options);

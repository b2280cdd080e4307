// Stacked bars over time, drawn by uPlot, which is loaded when the first chart is shown.

import { el } from "./dom.js";
import { number } from "./format.js";

export const MOST_SERIES = 8; // colours that can be told apart
const HEIGHT = 260;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colourOf = (place) => colour(`--series-${place + 1}`);

// The colour of a series, for a legend.
export const swatch = (place) => el("span", { className: `swatch series-${place + 1}` });

// The names with the largest sums have a series each; "others" is the sum of what is left.
export function ranked(totals) {
  const names = [...totals.keys()].sort((a, b) => totals.get(b) - totals.get(a));
  return names.length <= MOST_SERIES
    ? { shown: names, others: [] }
    : { shown: names.slice(0, MOST_SERIES - 1), others: names.slice(MOST_SERIES - 1) };
}

// `starts` are the Unix seconds at which each bar begins, `series` are [{label, values}], `zone` is
// that of the axis. Gives an element; its words for screen readers are `title`, and the page has a
// table of the same numbers.
export function stackedBars({ title, starts, step, series, zone }) {
  const readout = el("p", { className: "quiet readout" });
  const frame = el("div", { className: "plot", role: "img", "aria-label": title });
  const draw = async () => {
    const { default: uPlot } = await import("./vendor/uPlot.esm.js");
    let plot = null;
    const redraw = () => {
      plot?.destroy();
      plot = new uPlot(options(uPlot, frame, readout, { starts, step, series, zone }), data(), frame);
    };
    const data = () => [starts, ...sums(series).reverse()];
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", redraw);
    redraw();
    const sizes = new ResizeObserver(() => {
      if (frame.isConnected) return plot.setSize({ width: frame.clientWidth, height: HEIGHT });
      sizes.disconnect();
      scheme.removeEventListener("change", redraw);
      plot.destroy();
    });
    sizes.observe(frame);
  };
  draw().catch(() => (readout.textContent = "The chart could not be loaded; the table has it all."));
  return el("div", {}, frame, readout);
}

// What each series comes to on top of those before it.
function sums(series) {
  const sum = new Array(series[0]?.values.length ?? 0).fill(0);
  return series.map(({ values }) => values.map((value, place) => (sum[place] += value)));
}

function options(uPlot, frame, readout, { starts, step, series, zone }) {
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, font: "12px system-ui" };
  const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", timeZone: zone });
  const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", timeZone: zone });
  const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone: zone });
  const written = (format) => (_, moments, __, ___, gap) =>
    moments.map((moment) => (gap >= 86400 ? day : format).format(1000 * moment));
  // The highest sum is drawn first, and the others over it.
  const bars = series.map((each, place) => ({
    label: each.label,
    fill: colourOf(place),
    width: 0,
    paths: uPlot.paths.bars({ size: [0.8, 80], align: 1 }),
    points: { show: false },
  }));
  return {
    width: frame.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    tzDate: (moment) => (zone ? uPlot.tzDate(new Date(1000 * moment), zone) : new Date(1000 * moment)),
    scales: { x: { range: () => [starts[0], starts.at(-1) + step] }, y: { range: (_, __, most) => [0, Math.max(1, most * 1.05)] } },
    axes: [
      { ...axis, values: written(time) },
      { ...axis, size: 60, values: (_, values) => values.map((value) => (value % 1 ? "" : number(value))) },
    ],
    series: [{}, ...bars.reverse()],
    hooks: {
      setCursor: [
        ({ cursor: { left, idx } }) => {
          if (idx === null || idx === undefined || left < 0) return (readout.textContent = "");
          const there = series.filter(({ values }) => values[idx] > 0);
          const counted = there.map(({ label, values }) => `${label} ${number(values[idx])}`);
          readout.textContent = `${whole.format(1000 * starts[idx])}: ${counted.join(", ") || "none"}`;
        },
      ],
    },
  };
}

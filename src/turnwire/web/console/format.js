// Numbers, moments and durations for people.

export const NOTHING = "–";

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const NUMBER = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });

const known = (format) => (value) =>
  value === null || value === undefined ? NOTHING : format(value);

export const number = known((value) => NUMBER.format(value));

export const moment = known((seconds) => MOMENT.format(1000 * seconds));

export const milliseconds = known((value) => `${NUMBER.format(value)} ms`);

export const limit = (value) => (value === null ? "unlimited" : NUMBER.format(value));

export const among = (some, most) =>
  most === null ? number(some) : `${number(some)} of ${number(most)}`;

export const megabytes = known((bytes) => `${NUMBER.format(bytes / 1e6)} MB`);

// 1:02:03, or 2:03 below an hour.
export const duration = known((seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 60) % 60, whole % 60];
  if (whole >= 3600) parts.unshift(Math.floor(whole / 3600));
  return parts.map((part, place) => (place ? String(part).padStart(2, "0") : part)).join(":");
});

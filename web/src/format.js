// Numbers and times as people read them.

const THIN = "\u202f"; // a narrow space that does not break
const NONE = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

// count shows a whole number, shortened from a hundred thousand on.
export function count(n) {
  if (!Number.isFinite(n)) return NONE;
  return Math.abs(n) < 1e5 ? whole.format(n).replaceAll(",", THIN) : scaled(n, 1000, ["", "k", "M", "G", "T", "P"]);
}

export const exact = (n) => (Number.isFinite(n) ? whole.format(n).replaceAll(",", THIN) : NONE);

export function bytes(n) {
  return Number.isFinite(n) ? scaled(n, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]) : NONE;
}

function scaled(n, base, units) {
  let i = 0;
  while (Math.abs(n) >= base && i < units.length - 1) {
    n /= base;
    i++;
  }
  return (i === 0 ? String(Math.round(n)) : digits(n)) + (units[i] && THIN + units[i]);
}

// digits shows about three of them.
export function digits(n) {
  if (!Number.isFinite(n)) return NONE;
  const a = Math.abs(n);
  if (a >= 1e6 || (a > 0 && a < 0.001)) return n.toExponential(2);
  if (a >= 100) return String(Math.round(n));
  return String(Number(n.toFixed(a >= 10 ? 1 : a >= 1 ? 2 : 3)));
}

// rate is per second.
export function rate(n) {
  if (!Number.isFinite(n)) return NONE;
  if (n === 0) return "0/s";
  return (n < 0.01 ? "<0.01" : n >= 1e5 ? count(n) : n >= 100 ? count(Math.round(n)) : digits(n)) + "/s";
}

// nanos is a short time.
export function nanos(ns) {
  if (!Number.isFinite(ns)) return NONE;
  if (ns < 1e3) return digits(ns) + THIN + "ns";
  if (ns < 1e6) return digits(ns / 1e3) + THIN + "µs";
  if (ns < 1e9) return digits(ns / 1e6) + THIN + "ms";
  return digits(ns / 1e9) + THIN + "s";
}

// span is a longer time, of milliseconds.
export function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return s + THIN + "s";
  if (s < 3600) return Math.floor(s / 60) + THIN + "min";
  if (s < 48 * 3600) return Math.floor(s / 3600) + THIN + "h";
  return Math.floor(s / 86400) + THIN + "days";
}

const clockFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

export const clock = (t) => clockFormat.format(t);

// moment is a time of day, with the date when that is not today's.
export function moment(t) {
  const d = new Date(t);
  if (Number.isNaN(d.getTime())) return NONE;
  return d.toDateString() === new Date().toDateString() ? clock(d) : `${dayFormat.format(d)} ${clock(d)}`;
}

export function ago(t) {
  const ms = Date.now() - new Date(t).getTime();
  if (Number.isNaN(ms)) return NONE;
  return ms < 3000 ? "just now" : `${span(ms)} ago`;
}

// plural is "1 alert", "3 alerts".
export const plural = (n, one, many = one + "s") => `${exact(n)} ${n === 1 ? one : many}`;

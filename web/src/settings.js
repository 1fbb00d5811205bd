// A config as a form: the keys that the host knows, with the limits as sliders up to what this host allows. The text stays what counts; the
// form reads it and changes single lines of it.
import { h, put, attr } from "./dom.js";
import { bytes, exact } from "./format.js";

const line = (key) => new RegExp(`^([ \\t]*${key}[ \\t]*=[ \\t]*)("(?:[^"\\\\\\n]|\\\\.)*"|'(?:[^'\\\\\\n]|\\\\.)*'|[\\w.]+)(.*)$`, "m");

// read is the value of a key: a text, number or boolean; undefined when it is not there or written in another way.
export function read(config, key) {
  const found = line(key).exec(config);
  if (!found) return undefined;
  const v = found[2];
  if (/^["']/.test(v)) return v.slice(1, -1).replace(/\\(.)/g, "$1");
  if (v === "true" || v === "false") return v === "true";
  return Number.isFinite(Number(v)) ? Number(v) : undefined;
}

// write sets a key; one that is there keeps its place and what is behind it.
export function write(config, key, value) {
  const text = typeof value === "string" ? quote(value) : String(value);
  if (line(key).test(config)) return config.replace(line(key), (all, before, old, rest) => before + text + rest);
  return `${config.replace(/\n*$/, "\n")}${key} = ${text}\n`;
}

const quote = (s) => (s.includes('"') && !s.includes("'") && !s.includes("\\") ? `'${s}'` : `"${s.replace(/(["\\])/g, "\\$1")}"`);

const LIMITS = [
  ["instruction_limit", "Instructions a call", 1000, 1_000_000, exact],
  ["memory_limit", "Memory", 64 << 10, 8 << 20, bytes],
  ["output_limit", "Bytes a message", 1024, 64 << 10, bytes],
  ["process_message_inject_limit", "Messages a call may make", 0, 0, exact],
  ["timer_event_inject_limit", "Messages a timer event may make", 0, 10, exact],
];
const STEPS = 200;

// settings fills place with the form. text() is the config, change(text) sets it as if it were typed; ceilings() are the host's for the kind
// of plugin. Returns the function that reads the text again.
export function settings(place, text, change, ceilings) {
  const ticker = h("input", { type: "number", min: "0", max: "86400", step: "1", id: "set-ticker" });
  const keep = h("input", { type: "checkbox", id: "set-preserve" });
  ticker.addEventListener("input", () => ticker.value !== "" && change(write(text(), "ticker_interval", Math.max(0, Math.round(Number(ticker.value))))));
  keep.addEventListener("change", () => change(write(text(), "preserve_data", keep.checked)));
  const sliders = LIMITS.map((l) => slider(l, text, change, ceilings));
  place.append(
    h("div.fields", null, h("label.field", null, "Timer event every … seconds", ticker), h("label.check", null, keep, " Keep globals over restarts")),
    h("div.sliders", null, ...sliders.map((s) => s.el)));
  return () => {
    const now = text();
    if (document.activeElement !== ticker) ticker.value = read(now, "ticker_interval") ?? 0;
    keep.checked = [true, "all"].includes(read(now, "preserve_data"));
    for (const s of sliders) s.show(now);
  };
}

// slider is one limit: by powers where it spans many, and 0 is the host's ceiling for those that may have none of their own.
function slider([key, label, low, standard, show], text, change, ceilings) {
  const id = "set-" + key;
  const input = h("input", { type: "range", min: "0", max: STEPS, id });
  const out = h("output", { for: id });
  const most = () => ceilings()[key] || standard || 1;
  const scaled = low > 0;
  const value = (at) => (scaled ? round(low * (most() / low) ** (at / STEPS)) : Math.round((most() * at) / STEPS));
  const place = (n) => (scaled ? (STEPS * Math.log(Math.max(n, low) / low)) / Math.log(most() / low) : (STEPS * n) / most());
  const tell = (n, own) => put(out, `${show(n)} of ${show(most())}${own ? "" : ", the default"}`);
  input.addEventListener("input", () => {
    const at = Number(input.value);
    const n = at === STEPS ? most() : value(at);
    tell(n, true);
    change(write(text(), key, n));
  });
  return {
    el: h("label.slider", { for: id }, h("span", null, label), input, out),
    show(config) {
      const set = read(config, key);
      const n = typeof set === "number" ? (set === 0 && scaled ? most() : set) : Math.min(standard, most());
      if (document.activeElement !== input) input.value = place(n);
      tell(n, set !== undefined);
      attr(input, "aria-valuetext", out.textContent);
    },
  };
}

// round keeps two digits, so that a slider gives numbers that people would write.
function round(n) {
  const scale = 10 ** Math.max(0, Math.floor(Math.log10(n)) - 1);
  return Math.round(n / scale) * scale;
}

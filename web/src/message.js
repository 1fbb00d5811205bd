// One message as a table of its headers, fields and values.
import { h } from "./dom.js";
import { plural } from "./format.js";
import { indent } from "./json.js";

export const text = (v) => (v !== null && typeof v === "object" ? `base64: ${v.base64}` : String(v ?? ""));
export const fieldOf = (m, name) => m.Fields?.find((f) => f.name === name)?.value?.[0];
export const quoted = (s) => (s.includes("'") ? `"${s.replaceAll('"', '\\"')}"` : `'${s}'`);

// brief is what of a message fits on a line.
export function brief(v) {
  const parts = (v.Fields ?? []).slice(0, 12).map((f) => `${text(f.name)}=${text(f.value[0]).slice(0, 60)}`);
  if (v.Payload) parts.unshift(text(v.Payload).slice(0, 120));
  return parts.join("  ");
}

// test is the matcher that wants this value; null where there is none.
export function test(name, type, value) {
  if (value !== null && typeof value === "object") return null;
  if (name === "Timestamp" || name === "Uuid") return null;
  if (type === "bool") return `${name} == ${value ? "TRUE" : "FALSE"}`;
  if (type === "integer" || type === "double") return `${name} == ${value}`;
  return String(value).length <= 120 ? `${name} == ${quoted(String(value))}` : null;
}

// messageTable shows a message of the API. With choose each value has a button that hands it the matcher which wants it; marked are
// names, as read_message has them, that are marked.
export function messageTable(v, { choose = null, marked = new Set() } = {}) {
  const lines = [];
  for (const k of ["Type", "Logger", "Hostname", "EnvVersion", "Severity", "Pid", "Payload"]) {
    if (v[k] !== undefined) lines.push([k, k, "", [v[k]], typeof v[k] === "number" ? "integer" : "string"]);
  }
  for (const f of v.Fields ?? []) lines.push([text(f.name), `Fields[${text(f.name)}]`, f.representation ? text(f.representation) : "", f.value, f.value_type]);
  return h("table.message-table", null,
    h("thead.hidden", null, h("tr", null, h("th", { scope: "col" }, "Field"), h("th", { scope: "col" }, "Value"))),
    h("tbody", null, ...lines.map(([name, full, unit, values, type]) => h("tr", { class: marked.has(full) ? "marked" : null },
      h("th", { scope: "row" }, name, unit ? h("small", null, unit) : null),
      h("td", null, ...values.slice(0, 20).map((value) => cell(full, type, value, choose)), values.length > 20 ? h("p.note", null, `and ${plural(values.length - 20, "more value")}`) : null)))));
}

function cell(name, type, value, choose) {
  const shown = text(value);
  const wanted = choose && test(name, type, value);
  const long = shown.length > 200 || /^\s*[[{]/.test(shown);
  return h("div.value", null,
    long ? h("pre", { tabindex: "0" }, indent(shown)) : h("span", null, shown === "" ? "(empty)" : shown),
    wanted ? h("button.quiet.small", { type: "button", title: "Only messages with this value", "aria-label": `Only messages with ${name} ${shown.slice(0, 80)}`, onclick: () => choose(wanted) }, "only these") : null);
}

// messageLine is a message that opens to its table, with more above it.
export function messageLine(v, title, note, more = null) {
  const body = h("div.failure-body");
  const details = h("details", null,
    h("summary", null, h("span.cause", null, title), h("span.failure-doc", null, note), h("span.failure-error", null, brief(v))), body);
  details.addEventListener("toggle", () => details.open && !body.firstChild && body.append(...[more, messageTable(v)].filter(Boolean)));
  return details;
}

// What a trial found: how the plugin would end, its numbers beside those of the version that runs, and what it made.
import { h } from "./dom.js";
import { bytes, count, digits, exact, moment, nanos, plural, rate } from "./format.js";
import { empty, problem } from "./parts.js";
import { messageLine, messageTable, text } from "./message.js";
import { box } from "./payloads.js";
import { group } from "./range.js";

// trial draws a report of the API into an element. step is called with the number of a call that somebody wants to look into.
export function trial(r, step) {
  const t = r.tried;
  const graphs = payloads(r);
  return {
    el: h("div.trial", null, ended(t, step), numbers(r), graphs.el, found(r, step)),
    remove: graphs.remove,
  };
}

// named is what the version is called that was tried: r.as, where it is one of those that were deployed.
const named = (r) => r.as ?? "As written";
const lower = (s) => s[0].toLowerCase() + s.slice(1);

// range says what was read.
export function range(r) {
  const g = r.range;
  const when = g.from ? `, ${moment(g.from)} to ${moment(g.to)}` : "";
  return `${exact(r.tried.matched)} of ${plural(g.messages, "message")} of ${g.streams.join(" and ")} matched${when}${g.all ? ", all there are" : ""}`;
}

function ended(t, step) {
  if (!t.ended) return t.warnings?.length ? problem("It would run, but", t.warnings.map((f) => (f.line ? `${f.field}, line ${f.line}: ${f.text}` : f.text)).join("\n")) : null;
  const e = t.ended;
  const where = e.line ? `, line ${e.line}` : "";
  if (!e.call) return problem(`It cannot be loaded: ${e.outcome.replaceAll("_", " ")}${where}`, e.text);
  return problem(`It would be terminated in call ${exact(e.call)}: ${e.outcome.replaceAll("_", " ")}${where}`, e.text,
    e.message ? h("details", null, h("summary", null, "The message that does it"), messageTable(e.message)) : h("p", null, "In a timer event."),
    step ? h("p", null, h("button", { type: "button", onclick: () => step(e.call) }, "Look into this call")) : null);
}

// numbers is a table of both versions; what is close to a limit is marked.
function numbers(r) {
  const both = [r.tried, r.running].filter(Boolean);
  const row = (name, value, { limit = null, show = count, better = 0 } = {}) => {
    const all = both.map(value);
    const most = limit?.(r.tried) ?? 0;
    const share = most > 0 ? all[0] / most : 0;
    return h("tr", null,
      h("th", { scope: "row" }, name),
      h("td.num", { "data-label": named(r), "data-level": share >= 0.9 ? "high" : share >= 0.7 ? "warm" : null }, show(all[0]), most > 0 ? h("span.of", null, ` of ${show(most)}`) : null),
      r.running ? h("td.num", { "data-label": `Version ${r.version}` }, show(all[1])) : null,
      r.running ? h("td.num", { "data-label": "Change", "data-level": better && all[0] * better > all[1] * better * 1.2 ? "warm" : null }, change(all[0], all[1])) : null);
  };
  return h("div.panel.table-scroll" + (r.running ? "" : ".one"), null, h("table.numbers", null,
    h("thead", null, h("tr", null, h("td"), h("th.num", { scope: "col" }, named(r)),
      r.running ? h("th.num", { scope: "col" }, `Version ${r.version}`) : null, r.running ? h("th.num", { scope: "col" }, "Change") : null)),
    h("tbody", null,
      row("Matched", (t) => t.matched, { show: exact }),
      row("Rate", (t) => t.rate, { show: rate }),
      row("Returned −1", (t) => t.failed, { show: exact, better: 1 }),
      row("Messages made", (t) => t.injected, { show: exact }),
      row("Alerts", (t) => t.alerted, { show: exact }),
      row("Fuel of a call, median", (t) => t.fuel.p50, { limit: (t) => t.instruction_limit }),
      row("Fuel, 99 %", (t) => t.fuel.p99, { limit: (t) => t.instruction_limit }),
      row("Fuel, most", (t) => t.fuel.max, { limit: (t) => t.instruction_limit }),
      row("Memory, most", (t) => t.memory_max, { limit: (t) => t.memory_limit, show: bytes }),
      row("Largest message", (t) => t.largest, { limit: (t) => t.output_limit, show: bytes }),
      row("State preserved", (t) => t.state ?? 0, { show: bytes }),
      row("Time of a call, median", (t) => t.nanos.p50, { show: nanos }),
      row("Cost at this rate", (t) => t.cost * 100, { show: (v) => `${digits(v)} % of a core`, better: 1 }))));
}

// change is how much the first differs from the second.
function change(a, b) {
  if (a === b) return "–";
  if (!b) return "new";
  if (a >= 2 * b) return `× ${digits(a / b)}`;
  const d = (100 * (a - b)) / b;
  return `${d > 0 ? "+" : "−"}${digits(Math.abs(d))} %`;
}

// payloads shows what both versions made, side by side.
function payloads(r) {
  const all = [];
  const own = group(); // a trial is of another time than the page
  const sorted = (t) => t.payloads.toSorted((a, b) => Boolean(b.data) - Boolean(a.data)); // graphs first
  const shown = (t, note) => sorted(t).map((g) => {
    const one = box(g, note ? h("span.graph-from", null, note) : null, 200, own);
    one.update({ graph: g, marks: t.alerts });
    all.push(one);
    return one.el;
  });
  const mine = shown(r.tried, r.running ? lower(named(r)) : null);
  const theirs = r.running ? shown(r.running, `version ${r.version}`) : [];
  const pairs = [];
  const key = (g) => `${g.type} ${g.name}`;
  const other = new Map((r.running ? sorted(r.running) : []).map((g, i) => [key(g), theirs[i]]));
  sorted(r.tried).forEach((g, i) => {
    pairs.push(mine[i]);
    const o = other.get(key(g));
    if (o) pairs.push(o);
    else if (r.running) pairs.push(h("div.panel", null, empty("Not there", `Version ${r.version} does not make “${g.title}”.`)));
    other.delete(key(g));
  });
  for (const o of other.values()) pairs.push(h("div.panel", null, empty("Not there", `${named(r)}: it does not make this.`)), o);
  return { el: h("div.graphs" + (pairs.length === 1 ? ".wide" : ""), { hidden: pairs.length === 0 }, ...pairs), remove: () => all.forEach((one) => one.remove?.()) };
}

const SAME = 600_000; // milliseconds that alerts of one subject are apart at most which tell of the same

// besides puts the alerts of both versions next to each other, by time.
function besides(r, look) {
  const rest = [...r.running.alerts];
  const all = r.tried.alerts.map((a) => {
    const i = rest.findIndex((b) => b.id === a.id && Math.abs(Date.parse(a.time) - Date.parse(b.time)) <= SAME);
    return { a, b: i >= 0 ? rest.splice(i, 1)[0] : null };
  });
  all.push(...rest.map((b) => ({ a: null, b })));
  all.sort((x, y) => Date.parse((x.a ?? x.b).time) - Date.parse((y.a ?? y.b).time));
  const cell = (label, alert, mine) => h("td", { "data-label": label }, alert ? [h("b", null, alert.summary || alert.id), " ", h("time.note", { datetime: alert.time }, moment(alert.time)), " ", mine ? look(alert.call) : null,
    alert.detail ? h("p.alert-detail", null, alert.detail) : null] : h("span.note", null, "–"));
  const more = r.tried.alerted - r.tried.alerts.length + r.running.alerted - r.running.alerts.length;
  return [h("table.alerts-beside", null,
    h("thead", null, h("tr", null, h("th", { scope: "col" }, named(r)), h("th", { scope: "col" }, `Version ${r.version}`), h("th", { scope: "col" }, "Change"))),
    h("tbody", null, ...all.map(({ a, b }) => h("tr", null, cell(named(r), a, true), cell(`Version ${r.version}`, b, false),
      h("td", null, a && b ? h("span.note", null, "both") : a ? h("span.tag", null, "new") : h("span.tag", null, "gone")))))),
  more > 0 ? h("p.note.pad", null, `and ${plural(more, "more alert")}`) : null];
}

// found are the texts: alerts, failures, messages, prints, files.
function found(r, step) {
  const t = r.tried;
  const look = (call) => (step ? h("button.quiet.small", { type: "button", title: "Fields read, values, fuel by line", onclick: () => step(call) }, `call ${exact(call)}`) : h("span.note", null, `call ${exact(call)}`));
  const section = (title, note, content) => h("section", null, h("div.head", null, h("h3", null, title), h("span.note", null, note)), h("div.panel", null, content));
  const first = (n, of) => (n < of ? `the first ${exact(n)} of ${exact(of)}` : exact(of));
  const newest = (n, of) => (n < of ? `the newest ${exact(n)} of ${exact(of)}` : exact(of));
  const rows = [];
  let theirs = 0; // rows that are of the version that runs alone
  if (r.running && t.alerted + r.running.alerted) {
    theirs = t.alerted ? 0 : 1;
    rows.push(section("Alerts", `${exact(t.alerted)} ${r.as ? "of " : ""}${lower(named(r))}, ${exact(r.running.alerted)} of version ${r.version}`, besides(r, look)));
  } else if (t.alerted) {
    rows.push(section("Alerts", first(t.alerts.length, t.alerted), h("ul.alert-list", null, ...t.alerts.map((a) => h("li.alert", null,
      h("div.alert-top", null, h("b", null, a.summary || a.id), h("span", null, h("time", { datetime: a.time }, moment(a.time)), " ", look(a.call))),
      a.detail ? h("p.alert-detail", null, a.detail) : null)))));
  }
  if (t.failures.length) {
    rows.push(section("Returned −1", plural(t.failed, "time"), h("ul.failures.messages", null, ...t.failures.map((f) => h("li", null, messageLine(f.message ?? {}, plural(f.count, "time"), f.text || "no reason", look(f.call)))))));
  }
  if (t.messages.length) {
    const kinds = Object.entries(t.types ?? {}).sort((a, b) => b[1] - a[1]).slice(0, 8).map(([k, n]) => `${k || "no type"} ${exact(n)}`).join(", ");
    rows.push(section("Messages made", `${kinds}; ${newest(t.messages.length, t.injected - (t.types?.inject_payload ?? 0))} that are no payloads`,
      h("ul.failures.messages", null, ...t.messages.toReversed().map((m) => h("li", null, messageLine(m.message, text(m.message.Type) || "no type", `call ${exact(m.call)}`, look(m.call)))))));
  }
  if (t.lake?.length) {
    rows.push(section("Lake", plural(t.lake.length, "path"), h("table", null, h("thead", null, h("tr", null, h("th", { scope: "col" }, "Path"), h("th.num", { scope: "col" }, "Rows"), h("th.num", { scope: "col" }, "Bytes"))),
      h("tbody", null, ...t.lake.map((f) => h("tr", null, h("td.mono", { "data-label": "Path" }, f.path), h("td.num", { "data-label": "Rows" }, exact(f.rows)), h("td.num", { "data-label": "Bytes" }, bytes(f.bytes))))))));
  }
  if (t.printed) {
    rows.push(section("Printed", newest(t.prints.length, t.printed), h("ol.log", null, ...t.prints.map((p) => h("li", null, h("time", { datetime: p.time }, moment(p.time)), h("span", null, p.text), look(p.call))))));
  }
  if (rows.length === theirs && !t.ended && t.payloads.length === 0) {
    rows.unshift(h("div.panel", null, t.matched ? empty("It made nothing", "It was called, and neither injected a message nor printed anything.") : empty("Nothing matched", "No message of this range is wanted by its message_matcher. The page Messages shows what there is.")));
  }
  return h("div.found", null, ...rows);
}

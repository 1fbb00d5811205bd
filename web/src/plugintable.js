// The table of plugins on the overview.
import { h, put, list, attr } from "./dom.js";
import { bytes, count, exact, nanos, rate } from "./format.js";
import { bar, empty, pluginName, state } from "./parts.js";
import { pluginPage } from "./api.js";
import { rates } from "./history.js";

const COLUMNS = ["Plugin", "State", "Matched", "Rate", "Per message", "Fuel, dearest call", "Memory", "Lag", "Last error"];
const NUMBERS = [2, 3, 4, 7];
const ORDER = ["decoder", "analysis", "output"];

export function pluginTable(place) {
  const body = h("tbody");
  const head = COLUMNS.map((c, i) => h("th", { scope: "col", class: NUMBERS.includes(i) ? "num" : null }, c));
  const table = h("table.plugins", null, h("thead", null, h("tr", null, ...head)), body);
  const nothing = empty("No plugins", "Deploy one, or put it into the plugins folder of this host.");
  place.append(table, nothing);
  const speed = rates();
  const show = list(body, (p) => p.name, row);
  return (now) => {
    const at = Date.parse(now.now);
    const plugins = now.plugins.map((p) => ({ ...p, rate: speed(p.name, p.stats.matched, at) }));
    plugins.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || a.name.localeCompare(b.name));
    show(plugins);
    table.hidden = plugins.length === 0;
    nothing.hidden = plugins.length > 0;
  };
}

function row(p) {
  const dot = state();
  const reason = h("span.reason");
  const fuel = bar("Fuel of the dearest call", count);
  const memory = bar("Memory", bytes);
  const text = COLUMNS.map((c, i) => h("td", { "data-label": c, class: NUMBERS.includes(i) ? "num" : null }));
  const [name, now, matched, speed, each, burnt, used, lag, error] = text;
  name.append(h("a.plugin-name", { href: pluginPage(p.name) }, ...pluginName(p.name)), p.shipped ? h("span.tag", null, "shipped") : p.shadow_of ? h("span.tag", null, "shadow") : p.proposal_of ? h("span.tag", null, "proposal") : "");
  now.append(dot.el, reason);
  burnt.append(fuel.el);
  used.append(memory.el);
  const last = h("span.last-error");
  error.append(last);
  const el = h("tr", null, ...text);
  return {
    el,
    update(p) {
      const s = p.stats;
      attr(el, "data-state", p.state);
      dot.set(p.state);
      put(reason, p.state === "running" ? "" : whyNot(p)).title = p.reason;
      put(matched, count(s.matched)).title = `${exact(s.matched)} of ${exact(s.seen)} messages seen, ${exact(s.failed)} failed`;
      put(speed, p.state === "running" ? rate(p.rate) : "–");
      put(each, s.matched > 0 ? nanos(s.nanos / s.matched) : "–");
      fuel.set(s.fuel_max, p.limits.instruction_limit);
      memory.set(s.memory, p.limits.memory_limit);
      put(lag, p.lag_bytes > 0 ? bytes(p.lag_bytes) : "0");
      attr(lag, "data-level", p.lag_bytes > 64 << 20 ? "high" : p.lag_bytes > 4 << 20 ? "warm" : null);
      put(last, s.last_error).title = s.last_error;
    },
  };
}

// whyNot is the outcome and its reason in one line, with the outcome only where it says more than the state.
export function whyNot(p) {
  const outcome = p.outcome && p.outcome !== p.state && p.outcome !== "terminated" ? p.outcome.replaceAll("_", " ") : "";
  const where = p.line ? `line ${p.line}` : "";
  return [outcome, where, p.reason].filter(Boolean).join(": ");
}

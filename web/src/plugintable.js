// A table of plugins, of the rows that the API finds.
import { h, put, list, attr } from "./dom.js";
import { bytes, count, digits, exact, nanos, rate } from "./format.js";
import { bar, empty, pluginName, state } from "./parts.js";
import { pluginPage } from "./api.js";

const COLUMNS = ["Plugin", "State", "Rate", "Cost", "Per message", "Fuel, dearest call", "Memory", "Lag", "Failed", "Owner", "Last error"];
const NUMBERS = [2, 3, 4, 7, 8];

// pluginTable returns the function that shows rows, in their order; none is what is said when there are none.
export function pluginTable(place) {
  const body = h("tbody");
  const head = COLUMNS.map((c, i) => h("th", { scope: "col", class: NUMBERS.includes(i) ? "num" : null }, c));
  const table = h("table.plugins", null, h("thead", null, h("tr", null, ...head)), body);
  const nothing = empty("No plugins", "Deploy one, or put it into the plugins folder of this host.");
  place.append(table, nothing);
  const show = list(body, (p) => p.name, row);
  return (plugins, none = "") => {
    show(plugins);
    table.hidden = plugins.length === 0;
    nothing.hidden = plugins.length > 0;
    put(nothing.firstChild, none || "No plugins");
    put(nothing.lastChild, none ? "Another name, state or owner may." : "Deploy one, or put it into the plugins folder of this host.");
  };
}

function row(p) {
  const dot = state();
  const reason = h("span.reason");
  const fuel = bar("Fuel of the dearest call", count);
  const memory = bar("Memory", bytes);
  const text = COLUMNS.map((c, i) => h("td", { "data-label": c, class: NUMBERS.includes(i) ? "num" : null }));
  const [name, now, speed, cost, each, burnt, used, lag, failed, owner, error] = text;
  const tag = p.shipped ? "shipped" : p.shadow_of ? "shadow" : p.proposal_of ? "proposal" : "";
  name.append(h("a.plugin-name", { href: pluginPage(p.name) }, ...pluginName(p.name)), tag ? h("span.tag", null, tag) : "");
  now.append(dot.el, reason);
  burnt.append(fuel.el);
  used.append(memory.el);
  const last = h("span.last-error");
  error.append(last);
  const el = h("tr", null, ...text);
  return {
    el,
    update(p) {
      const runs = p.state === "running";
      attr(el, "data-state", p.state);
      dot.set(p.state);
      put(reason, runs ? "" : whyNot(p)).title = p.reason ?? "";
      put(speed, runs ? rate(p.rates.matched) : "–").title = `${exact(p.matched)} messages since it was started`;
      put(cost, runs ? `${digits(100 * p.rates.cost)} %` : "–").title = "of a core, over the last ten seconds";
      attr(cost, "data-level", p.rates.cost > 0.5 ? "high" : p.rates.cost > 0.1 ? "warm" : null);
      put(each, p.matched > 0 ? nanos(p.nanos) : "–");
      fuel.set(p.fuel_max, p.instruction_limit);
      memory.set(p.memory, p.memory_limit);
      put(lag, p.lag_bytes > 0 ? bytes(p.lag_bytes) : "0");
      attr(lag, "data-level", p.lag_bytes > 64 << 20 ? "high" : p.lag_bytes > 4 << 20 ? "warm" : null);
      put(failed, p.failed ? count(p.failed) : "0").title = `${exact(p.failed)} messages for which it returned −1`;
      put(owner, p.owner);
      put(last, runs ? p.last_error : "").title = p.last_error ?? "";
    },
  };
}

// whyNot is the outcome and its reason in one line, with the outcome only where it says more than the state.
export function whyNot(p) {
  const outcome = p.outcome && p.outcome !== p.state && p.outcome !== "terminated" ? p.outcome.replaceAll("_", " ") : "";
  const where = p.line ? `line ${p.line}` : "";
  return [outcome, where, p.reason].filter(Boolean).join(": ");
}

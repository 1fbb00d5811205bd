// The page of all alerts.
import { byId, h, put, list } from "./dom.js";
import { get, pluginPage } from "./api.js";
import { on } from "./live.js";
import { moment, plural } from "./format.js";
import { empty, pluginName } from "./parts.js";
import { since } from "./times.js";
import { choices } from "./choices.js";

const STEP = 100;
const MOST = 1000;

export function alerts() {
  const body = h("tbody");
  const heads = ["When", "Plugin", "About", "Alert"].map((t) => h("th", { scope: "col" }, t));
  const table = h("table.alerts", null, h("thead", null, h("tr", null, ...heads)), body);
  const nothing = empty("No alerts", "When an analysis plugin finds something unusual it raises an alert, which appears here at once.");
  byId("list").append(table, nothing);
  const show = list(body, (a) => a.version, row);
  const select = byId("by-plugin");
  const text = byId("by-text");
  const more = byId("more");
  let wanted = new URLSearchParams(location.search).get("plugin") ?? "";
  let n = STEP;
  let found = { alerts: [], total: 0 };

  const draw = () => {
    const word = text.value.trim().toLowerCase();
    const chosen = found.alerts.filter((a) => !word || [a.id, a.summary, a.detail, a.logger].some((s) => s.toLowerCase().includes(word)));
    show(chosen);
    table.hidden = chosen.length === 0;
    nothing.hidden = chosen.length > 0;
    put(nothing.firstChild, word || wanted ? "No alert fits" : "No alerts");
    put(byId("sum"), word ? `${plural(chosen.length, "alert")} of the newest ${found.alerts.length}` : plural(found.total, "alert"));
    more.hidden = found.alerts.length >= Math.min(found.total, MOST);
  };
  const load = async () => {
    const asked = wanted;
    const [answer, plugins] = await Promise.all([get(`alerts?n=${n}&logger=${encodeURIComponent(asked)}`), get("plugins")]);
    if (asked !== wanted) return load();
    found = answer;
    const names = plugins.filter((p) => p.kind === "analysis").map((p) => p.name);
    choices(select, [...names, ...answer.alerts.map((a) => a.logger)], wanted);
    draw();
  };
  select.addEventListener("change", () => {
    wanted = select.value;
    n = STEP;
    history.replaceState(null, "", wanted ? "?plugin=" + encodeURIComponent(wanted) : location.pathname);
    load().catch(() => {});
  });
  text.addEventListener("input", draw);
  more.addEventListener("click", () => {
    n = Math.min(MOST, n + 3 * STEP);
    load().catch(() => {});
  });
  on(["alerts", "plugins"], load);
}

function row(a) {
  const when = since(a.time);
  const fields = (a.fields ?? []).filter((f) => f.values?.length);
  const detail = a.detail || fields.length
    ? h("details", { open: a.detail.length < 200 && !fields.length },
        h("summary", null, a.summary || a.id || "Alert"),
        a.detail ? h("p.alert-detail", null, a.detail) : null,
        fields.length ? h("dl.facts", null, ...fields.map((f) => h("div", null, h("dt", null, f.name), h("dd", null, f.values.join(", "))))) : null)
    : h("b", null, a.summary || a.id || "Alert");
  return {
    el: h("tr", null,
      h("td", { "data-label": "When" }, h("span.when", null, moment(a.time)), when),
      h("td", { "data-label": "Plugin" }, h("a", { href: pluginPage(a.logger) }, ...pluginName(a.logger))),
      h("td", { "data-label": "About" }, a.id),
      h("td.main-cell", { "data-label": "Alert" }, detail)),
  };
}

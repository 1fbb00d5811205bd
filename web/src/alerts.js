// The page of all alerts.
import { byId, h, put, list } from "./dom.js";
import { get, pluginPage } from "./api.js";
import { every, on } from "./live.js";
import { moment, plural } from "./format.js";
import { empty, pluginName } from "./parts.js";
import { since } from "./times.js";
import { choices } from "./choices.js";
import { alertPage, incidents, silences } from "./incidents.js";
import { notices, routes } from "./routes.js";

const STEP = 100;
const WAIT = 250; // after a key before the host is asked

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
  let older = []; // pages behind the first one
  let first = { alerts: [], total: 0 };

  const filter = () => `logger=${encodeURIComponent(wanted)}&text=${encodeURIComponent(text.value.trim())}`;
  const draw = () => {
    const found = [...first.alerts, ...older];
    show(found);
    table.hidden = found.length === 0;
    nothing.hidden = found.length > 0;
    const chosen = wanted || text.value.trim();
    put(nothing.firstChild, chosen ? "No alert fits" : "No alerts");
    put(byId("sum"), plural(first.total, "alert") + (chosen ? (first.total === 1 ? " fits" : " fit") : ""));
    more.hidden = found.length >= first.total;
  };
  const load = async () => {
    const asked = filter();
    const [answer, plugins] = await Promise.all([get(`alerts?n=${STEP}&${asked}`), get("find?n=200&kind=analysis")]);
    if (asked !== filter()) return load();
    // What was on the first page and is not any more belongs to those behind it.
    const last = answer.alerts.at(-1)?.version ?? 0;
    older = [...first.alerts, ...older].filter((a) => a.version < last && (older.length > 0 || a.version >= last));
    first = answer;
    const names = plugins.plugins.map((p) => p.name);
    choices(select, [...names, ...answer.alerts.map((a) => a.logger)], wanted);
    draw();
  };
  const again = () => {
    older = [];
    first = { alerts: [], total: 0 };
    load().catch(() => {});
  };
  select.addEventListener("change", () => {
    wanted = select.value;
    history.replaceState(null, "", wanted ? "?plugin=" + encodeURIComponent(wanted) : location.pathname);
    again();
  });
  let timer = 0;
  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(again, WAIT);
  });
  more.addEventListener("click", async () => {
    const last = (older.at(-1) ?? first.alerts.at(-1)).version;
    const asked = filter();
    const answer = await get(`alerts?n=${3 * STEP}&older=${last}&${asked}`).catch(() => null);
    if (!answer || asked !== filter()) return;
    older.push(...answer.alerts);
    draw();
  });
  on(["alerts", "plugins"], load);
  const firing = incidents(byId("firing"));
  const quiet = silences(byId("silences"));
  const told = routes(byId("routes"));
  const delivered = notices(byId("notices"));
  on("saved", told);
  every(delivered, 5000);
  on(["alerts", "saved", "calling"], async () => {
    const now = await get("incidents");
    firing(now.incidents);
    put(byId("firing-sum"), now.total ? `${plural(now.total, "incident")}, ${now.calling ? `${now.calling} that nobody looks after` : "all looked after"}` : "");
    await quiet();
  });
}

const link = (a) => h("a", { href: alertPage(a.key) }, a.summary || a.id || "Alert");

function row(a) {
  const when = since(a.time);
  const fields = (a.fields ?? []).filter((f) => f.values?.length);
  const more = a.detail || fields.length
    ? h("details", { open: a.detail.length < 200 && !fields.length },
        h("summary", null, "Detail"),
        a.detail ? h("p.alert-detail", null, a.detail) : null,
        fields.length ? h("dl.facts", null, ...fields.map((f) => h("div", null, h("dt", null, f.name), h("dd", null, f.values.join(", "))))) : null)
    : null;
  return {
    el: h("tr", null,
      h("td", { "data-label": "When" }, h("span.when", null, moment(a.time)), when),
      h("td", { "data-label": "Plugin" }, h("a", { href: pluginPage(a.logger) }, ...pluginName(a.logger))),
      h("td", { "data-label": "About" }, a.id),
      h("td.main-cell", { "data-label": "Alert" }, h("b", null, link(a)), more)),
  };
}

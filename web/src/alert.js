// The page of one alert: its graph at that moment, the version that raised it, its message, and what people decided.
import { byId, h, put } from "./dom.js";
import { get, pluginPage } from "./api.js";
import { on } from "./live.js";
import { moment, plural } from "./format.js";
import { pluginName, problem } from "./parts.js";
import { since } from "./times.js";
import { payloads } from "./payloads.js";
import { evidence } from "./evidence.js";
import { page, picker } from "./range.js";
import { alertPage, buttons, who, words } from "./incidents.js";

const OTHERS = 20; // alerts of the same incident
const ROWS = 90; // of a graph on each side of the alert

export function alert() {
  const key = decodeURIComponent(location.pathname.split("/").at(-1));
  page.alert = key;
  let shows = null;
  on(["alerts", "saved", "calling"], async () => {
    let a;
    try {
      a = await get("alerts/" + encodeURIComponent(key));
    } catch (err) {
      if (err.status !== 404) throw err;
      byId("body").hidden = true;
      byId("trouble").replaceChildren(problem("There is nothing to show", err.message, h("p", null, h("a", { href: "/alerts" }, "To all alerts"))));
      return;
    }
    byId("body").hidden = false;
    head(a);
    facts(a);
    await others(a);
    if (!shows) {
      shows = await graphs(a);
      if (!a.over) await evidence(a);
    }
    await shows();
  });
  on("series", async () => shows?.());
}

function head(a) {
  const i = a.incident;
  document.title = `${a.summary || a.id || "Alert"} – Sandbar`;
  put(document.querySelector("h1"), a.summary || a.id || "Alert");
  const state = h("span.state", { "data-state": i.state === "firing" ? "terminated" : "running" }, h("i.dot"), i.state === "firing" ? "Firing" : "Resolved");
  byId("facts").replaceChildren(state, h("span", null, i.state === "firing" ? `since ${moment(i.began)}` : `from ${moment(i.began)} to ${moment(i.last)}`),
    h("span", null, plural(i.count, "alert")), ...(words(i) ? [h("span", null, words(i))] : []));
  byId("actions").replaceChildren(...buttons(i, a.key));
  put(byId("detail"), a.detail);
  byId("detail").hidden = !a.detail;
}

function facts(a) {
  const version = a.ran && h("a", { href: `${pluginPage(a.logger)}#versions-part` }, `${a.ran.version}`);
  const message = a.position && h("a", { href: "/messages?" + new URLSearchParams({ stream: "derived", position: a.position }) }, `${a.position} in derived`);
  const rows = [
    ["Plugin", h("a", { href: pluginPage(a.logger) }, ...pluginName(a.logger))],
    ["Version", version && h("span", null, version, ` since ${moment(a.ran.since)}${a.ran.by ? `, by ${who(a.ran.by)}` : ""}`)],
    ["About", a.id], ["So far", `${plural(a.so_far.incidents, "incident")} with ${plural(a.so_far.alerts, "alert")} since ${moment(a.so_far.since)}, ${a.so_far.acknowledged} acknowledged, ${a.so_far.useless} called useless`], ["When", h("span", null, moment(a.time), " (", since(a.time), ")")], ["Severity", String(a.severity)], ["Host", a.hostname], ["Message", message], ["Told", told(a.told)],
    ...(a.fields ?? []).filter((f) => f.values?.length).map((f) => [f.name.replace(/^label\./, ""), f.values.join(", ")]),
  ].filter(([, v]) => v);
  byId("about").replaceChildren(...rows.map(([k, v]) => h("div", null, h("dt", null, k), h("dd", null, v))));
}

// told is who hears of it, as routes are now.
function told({ routes, mail }) {
  const all = [...routes.map((r) => h("a", { href: "/alerts#routes-part" }, r.title)), ...mail.map((m) => h("span", null, m))];
  return all.length ? h("span", null, ...all.flatMap((el, i) => (i ? [", ", el] : [el]))) : "nobody, beside this page";
}

async function others(a) {
  const q = new URLSearchParams({ logger: a.logger, id: a.id, n: OTHERS + 1 });
  const { alerts } = await get("alerts?" + q);
  byId("others").replaceChildren(...alerts.slice(0, OTHERS).map((b) => h("li.alert", null,
    h("div.alert-top", null, b.key === a.key ? h("b", null, b.summary || b.id || "Alert", " (this one)") : h("a", { href: alertPage(b.key) }, b.summary || b.id || "Alert"), since(b.time)))));
}

// graphs shows what the plugin drew at that moment.
async function graphs(a) {
  const place = byId("graphs");
  byId("graphs-part").hidden = a.graphs.length === 0;
  place.classList.toggle("wide", a.graphs.length === 1);
  if (!a.graphs.length) return async () => {};
  const at = Date.parse(a.time) / 1000;
  const infos = async () => (await get("series")).filter((i) => i.logger === a.logger && i.type === "cbuf" && a.graphs.includes(i.name));
  const first = await get(`plugins/${encodeURIComponent(a.logger)}/series?` + new URLSearchParams({ type: "cbuf", payload: a.graphs[0] }));
  const row = first.series[0]?.data?.seconds_per_row ?? 60;
  const query = new URLSearchParams(location.search);
  byId("range").append(picker());
  if (!query.has("from") && !query.has("last")) page.set({ min: at - ROWS * row, max: at + ROWS * row });
  const show = payloads(place, a.logger, { graphsOnly: true, height: 260 });
  return async () => show(await infos());
}

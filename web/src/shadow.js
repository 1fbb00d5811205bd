// What runs in the shadow of a plugin, beside what the plugin itself shows.
import { byId, h, put } from "./dom.js";
import { del, get, post, pluginPath } from "./api.js";
import { count, exact, moment, nanos } from "./format.js";
import { empty, problem, state } from "./parts.js";
import { box } from "./payloads.js";
import { diff } from "./diff.js";

// shadow draws the part of the page that is about the shadow of a plugin. done is called when something was decided, failed with errors.
// Returns the function that draws anew, for the plugin as the API has it.
export function shadow(name, done, failed) {
  const part = byId("shadow-part");
  const body = byId("shadow");
  const dot = state();
  const facts = h("span.note");
  const promote = h("button.primary", { type: "button", onclick: () => decide("promote", { with_state: false }) }, "Promote");
  const withState = h("button", { type: "button", title: "With what the shadow has counted, from where it is", onclick: () => decide("promote", { with_state: true }) }, "Promote with its state");
  const end = h("button.danger", { type: "button", onclick: () => decide("", null) }, "End it");
  const trouble = h("div");
  const graphs = h("div.graphs");
  const numbers = h("div.panel.table-scroll.one");
  const changes = h("details.panel.changes", null, h("summary", null, "What is different"));
  changes.addEventListener("toggle", async () => {
    if (!changes.open || !now) return;
    const d = await post(pluginPath(name, "/diff"), { config: now.config, source: now.source ?? "" }).catch(failed);
    changes.querySelector(".diffs, .note")?.remove();
    if (d) changes.append(diff(d));
  });
  body.append(h("div.actions.start", null, dot.el, facts, promote, withState, end), trouble, changes, numbers, graphs);
  const boxes = new Map();
  let now = null;

  async function decide(what, body) {
    for (const b of [promote, withState, end]) b.disabled = true;
    try {
      await (what ? post(pluginPath(name, "/" + what), body) : del(pluginPath(name + "~shadow")));
      part.hidden = true;
      done();
    } catch (err) {
      failed(err);
    }
    for (const b of [promote, withState, end]) b.disabled = false;
  }

  return async (p) => {
    now = await get(pluginPath(name, "/shadow")).catch((err) => {
      if (err.status !== 404) throw err;
      return null;
    });
    part.hidden = !now;
    if (!now) return;
    dot.set(now.state);
    put(facts, `since ${moment(now.since)}${now.author ? `, by ${now.author}` : ""}${now.note ? `: ${now.note}` : ""}`);
    trouble.replaceChildren(...(now.state === "running" ? [] : [problem(`It ended: ${(now.outcome || now.state).replaceAll("_", " ")}${now.line ? `, line ${now.line}` : ""}`, now.reason)]));
    numbers.replaceChildren(table(p, now));
    const { series } = p.series.length ? await get(pluginPath(name, "/series")) : { series: [] };
    draw(series, now);
  };

  // draw keeps a box for each payload of either, side by side.
  function draw(mine, theirs) {
    const key = (g) => `${g.type} ${g.name}`;
    const of = new Map(mine.map((g) => [key(g), g]));
    const wanted = new Set();
    const show = (id, g, note, marks) => {
      wanted.add(id);
      let b = boxes.get(id);
      if (!b) {
        b = g ? box(g, h("span.graph-from", null, note), 200) : { el: h("div.panel", null, empty("Not there", note)), update() {} };
        boxes.set(id, b);
        graphs.append(b.el);
      }
      b.update({ graph: g, marks });
    };
    for (const g of theirs.series) {
      const other = of.get(key(g));
      show(`running ${key(g)} ${Boolean(other)}`, other, other ? "the version that runs" : "The version that runs does not make this.", []);
      show(`shadow ${key(g)}`, g, "in its shadow", theirs.alerts);
    }
    for (const [id, b] of boxes) {
      if (wanted.has(id)) continue;
      b.remove?.();
      b.el.remove();
      boxes.delete(id);
    }
    if (!theirs.series.length && !graphs.firstChild) graphs.append(h("div.panel", null, empty("Nothing yet", "What it shows appears here with its next timer event.")));
    else graphs.querySelector(":scope > .panel > .empty:only-child")?.closest(".panel")?.remove();
  }
}

// table compares what both did since they were started.
function table(p, s) {
  const row = (label, value) => h("tr", null, h("th", { scope: "row" }, label), ...[p, s].map((x, i) => h("td.num", { "data-label": ["The version that runs", "In its shadow"][i] }, value(x))));
  const per = (x, n) => (x.stats.matched ? n / x.stats.matched : NaN);
  return h("table.numbers", null,
    h("thead", null, h("tr", null, h("th", { scope: "col" }, "Since each was started"), h("th.num", { scope: "col" }, "The version that runs"), h("th.num", { scope: "col" }, "In its shadow"))),
    h("tbody", null,
      row("Matched", (x) => exact(x.stats.matched)),
      row("Returned −1", (x) => exact(x.stats.failed)),
      row("Messages made", (x) => exact(x.stats.injected)),
      row("Fuel of a message", (x) => count(Math.round(per(x, x.stats.fuel)))),
      row("Fuel, most", (x) => count(x.stats.fuel_max)),
      row("Time of a message", (x) => nanos(per(x, x.stats.nanos))),
      h("tr", null, h("th", { scope: "row" }, "Alerts"), h("td.num", { "data-label": "The version that runs" }, h("a", { href: "/alerts?plugin=" + encodeURIComponent(p.name) }, "see its alerts")), h("td.num", { "data-label": "In its shadow" }, exact(s.alerted)))));
}

// One dashboard: its panels, and changing them.
import { byId, h, put } from "./dom.js";
import { del, get, pluginPath, putJSON } from "./api.js";
import { keepsWork, on } from "./live.js";
import { box, history } from "./payloads.js";
import { compose } from "./compose.js";
import { empty, problem } from "./parts.js";
import { picker } from "./range.js";
import { who } from "./incidents.js";
import { moment } from "./format.js";
import { tools, addForm } from "./boardedit.js";

const HEIGHT = 240;

export function dashboard() {
  const id = decodeURIComponent(location.pathname.split("/").at(-1));
  const place = byId("panels");
  const board = { title: "", panels: [], version: 0 };
  let editing = new URLSearchParams(location.search).has("edit");
  let changed = false;
  let shown = []; // panels at work
  const source = sources(() => shown.forEach((p) => p.draw()));
  keepsWork(() => changed);
  addEventListener("beforeunload", (e) => changed && e.preventDefault());
  byId("range").append(picker());

  const build = () => {
    shown.forEach((p) => p.remove());
    shown = board.panels.map((p, i) => panel(p, source, editing ? tools(board, i, touched) : null));
    place.replaceChildren(...shown.map((p) => p.el), ...(board.panels.length ? [] : [empty("Nothing on it yet", "Edit adds graphs, what plugins print, and text.")]));
    put(document.querySelector("h1"), board.title);
    put(byId("sum"), `Version ${board.version} by ${who(board.author)}, ${moment(board.updated)}`);
    draw();
  };
  const draw = async () => {
    await source.load(shown.flatMap((p) => p.wants));
    shown.forEach((p) => p.draw());
  };
  // touched is told of every change that somebody makes.
  const touched = () => {
    changed = true;
    build();
    bar();
  };
  const bar = () => {
    byId("actions").replaceChildren(...(editing ? editActions() : [
      h("button.quiet", { type: "button", onclick: () => byId("dashboard").requestFullscreen?.() }, "Full screen"),
      h("button", { type: "button", onclick: () => edit(true) }, "Edit"),
    ]));
  };
  const edit = (on) => {
    editing = on;
    window.history.replaceState(null, "", location.pathname + (on ? "?edit" : ""));
    byId("add").replaceChildren(...(on ? [addForm(board, touched)] : []));
    build();
    bar();
  };
  const failed = (err) => byId("trouble").replaceChildren(problem("This did not work", err.status === 409 ? "Somebody else has saved this dashboard meanwhile. Copy what you need, and load the page again." : err.message));
  const editActions = () => [
    h("button.danger", { type: "button", onclick: async () => {
      if (!confirm(`Remove the dashboard “${board.title}” for everybody?`)) return;
      try {
        await del("dashboards/" + encodeURIComponent(id));
        changed = false;
        location.assign("/dashboards");
      } catch (err) {
        failed(err);
      }
    } }, "Remove"),
    h("button", { type: "button", onclick: async () => {
      changed = false;
      await load();
      edit(false);
    } }, "Cancel"),
    h("button.primary", { type: "button", onclick: async () => {
      try {
        await putJSON("dashboards/" + encodeURIComponent(id), { title: board.title, panels: board.panels }, board.version);
        changed = false;
        byId("trouble").replaceChildren();
        await load();
        edit(false);
      } catch (err) {
        failed(err);
      }
    } }, "Save"),
  ];
  const load = async () => {
    try {
      Object.assign(board, structuredClone(await get("dashboards/" + encodeURIComponent(id)))); // it is edited
    } catch (err) {
      if (err.status !== 404) throw err;
      byId("trouble").replaceChildren(problem("There is nothing to show", err.message, h("p", null, h("a", { href: "/dashboards" }, "To all dashboards"))));
      byId("actions").replaceChildren();
    }
  };
  let first = true;
  on("saved", async () => {
    if (changed || (editing && !first)) return; // what somebody edits stays as it is
    await load();
    if (board.version && first) edit(editing);
    else if (board.version) build();
    first = false;
  });
  on("series", draw);
}

// sources keeps the payloads that panels show. came is called when something of a history came.
function sources(came) {
  const kept = new Map(); // key → payload
  const pasts = new Map(); // plugin → its history
  const key = (w) => `${w.plugin} ${w.type} ${w.name}`;
  return {
    // load fetches what is newer than known.
    async load(wants) {
      if (!wants.length) return;
      const infos = new Map((await get("series")).map((i) => [key({ plugin: i.logger, type: i.type, name: i.name }), i]));
      await Promise.all([...new Map(wants.map((w) => [key(w), w]))].map(async ([k, w]) => {
        const info = infos.get(k);
        if (!info) return kept.delete(k);
        if (kept.get(k)?.version >= info.version) return;
        const { series } = await get(pluginPath(w.plugin, "/series?" + new URLSearchParams({ payload: w.name, type: w.type })));
        if (series[0]) kept.set(k, series[0]);
      }));
    },
    get(w) {
      const g = kept.get(key(w));
      if (!g?.data) return g;
      if (!pasts.has(w.plugin)) pasts.set(w.plugin, history(w.plugin, came));
      return pasts.get(w.plugin)(g);
    },
  };
}

// panel is one at work: {el, wants, draw, remove}. head are the tools of somebody who edits.
function panel(p, source, head) {
  const el = h("section.board-panel", { "data-wide": p.wide || null });
  if (head) el.append(head);
  if (p.text) {
    el.append(h("div.panel.pad", null, p.title ? h("h2", null, p.title) : null, h("p.board-text", null, p.text)));
    return { el, wants: [], draw() {}, remove() {} };
  }
  const wants = p.payload ? [{ ...p.payload }] : p.series.map((s) => ({ plugin: s.plugin, name: s.graph, type: "cbuf" }));
  const nothing = h("div.panel", null, empty(p.title || p.payload?.name || p.series?.[0].graph || "Nothing", "No plugin shows this now."));
  el.append(nothing);
  let inner = null;
  const draw = () => {
    const g = p.payload ? source.get(wants[0]) : together(p, wants.map((w) => source.get(w)));
    nothing.hidden = Boolean(g);
    if (!g) return;
    if (!inner) {
      inner = box({ ...g, title: p.title || g.title }, null, HEIGHT);
      el.append(inner.el);
    }
    inner.update({ graph: g, marks: [] });
  };
  return { el, wants, draw, remove: () => inner?.remove?.() };
}

// together is one graph of several series.
function together(p, graphs) {
  const one = new Set(p.series.map((s) => s.plugin)).size === 1;
  const sameName = new Set(p.series.map((s) => s.column)).size < p.series.length;
  const label = (s) => [one ? "" : s.plugin.replace(/^\w+\./, ""), one && sameName ? s.graph : "", s.column].filter(Boolean).join(" · ");
  const data = compose(p.series.map((s, i) => ({ data: graphs[i]?.data, column: s.column, label: label(s) })));
  const newest = graphs.map((g) => g?.updated).filter(Boolean).sort().at(-1);
  return data && { name: "", logger: "", type: "cbuf", title: p.title || p.series[0].graph, updated: newest, data };
}

// Changing a dashboard: what stands over each panel, and the form that adds one.
import { h, put } from "./dom.js";
import { get, pluginPath } from "./api.js";

// tools stand over panel i of a board; touched is called after each change.
export function tools(board, i, touched) {
  const p = board.panels[i];
  const button = (label, title, f, off) => h("button.quiet", { type: "button", title, "aria-label": label.length === 1 ? title : null, disabled: off, onclick: () => (f(), touched()) }, label);
  const move = (by) => () => board.panels.splice(i + by, 0, ...board.panels.splice(i, 1));
  return h("div.board-tools", null,
    h("input", { type: "text", value: p.title ?? "", placeholder: "Title", "aria-label": "Title of the panel", maxlength: 120, onchange: (e) => {
      p.title = e.target.value.trim() || undefined;
      touched();
    } }),
    button("↑", "Move it up", move(-1), i === 0), button("↓", "Move it down", move(1), i === board.panels.length - 1),
    button(p.wide ? "Narrow" : "Wide", p.wide ? "Half as wide as the page" : "As wide as the page", () => (p.wide = p.wide ? undefined : true)),
    p.text ? button("Text", "Change the text", () => (p.text = prompt("Text", p.text)?.trim() || p.text)) : null,
    button("Remove", "Remove this panel", () => board.panels.splice(i, 1)));
}

const TYPES = { cbuf: "graph" };

// addForm adds a panel, or series to one.
export function addForm(board, touched) {
  const plugin = h("select", { "aria-label": "Plugin" });
  const payload = h("select", { "aria-label": "What it shows" });
  const columns = h("div.board-columns", { role: "group", "aria-label": "Series" });
  const into = h("select", { "aria-label": "Where to" });
  const text = h("textarea", { rows: 3, "aria-label": "Text", placeholder: "Text: what this shows, whom to ask, what to do" });
  const title = h("input", { type: "text", value: board.title, maxlength: 120, "aria-label": "Title of the dashboard", onchange: () => {
    board.title = title.value.trim() || board.title;
    touched();
  } });
  const fault = h("p.note.bad-text", { role: "alert" });
  let infos = [];
  const option = (value, name = value) => h("option", { value }, name);
  const chosen = () => infos.find((i) => i.logger === plugin.value && `${i.type} ${i.name}` === payload.value);
  const fillInto = () => {
    const was = into.value;
    const graphs = board.panels.map((p, i) => [p, i]).filter(([p]) => p.series);
    into.replaceChildren(option("new", "as a new panel"), ...graphs.map(([p, i]) => option(String(i), `to panel ${i + 1}${p.title ? `, ${p.title}` : ""}`)));
    into.value = [...into.options].some((o) => o.value === was) ? was : "new";
  };
  const fillColumns = async () => {
    const i = chosen();
    columns.replaceChildren();
    into.disabled = i?.type !== "cbuf"; // only series join others
    if (i?.type !== "cbuf") return;
    const { series } = await get(pluginPath(i.logger, "/series?" + new URLSearchParams({ payload: i.name, type: i.type })));
    if (chosen() !== i) return;
    const names = (series[0]?.data?.info ?? []).map((c) => c.name).filter(Boolean);
    const used = names.filter((name, k) => series[0].data.values.some((row) => row[k] !== null));
    columns.replaceChildren(...names.map((name) => h("label.check", null, h("input", { type: "checkbox", value: name, checked: (used.length ? used : names).includes(name) }), " " + name)));
  };
  const fillPayloads = () => {
    payload.replaceChildren(...infos.filter((i) => i.logger === plugin.value).map((i) => option(`${i.type} ${i.name}`, `${i.title || i.name} (${TYPES[i.type] ?? i.type})`)));
    return fillColumns();
  };
  get("series").then((all) => {
    infos = all;
    plugin.replaceChildren(...[...new Set(all.map((i) => i.logger))].sort().map((n) => option(n)));
    fillInto();
    return fillPayloads();
  }).catch((err) => put(fault, err.message));
  plugin.addEventListener("change", fillPayloads);
  payload.addEventListener("change", fillColumns);
  const add = () => {
    put(fault, "");
    const i = chosen();
    if (!i) return put(fault, "No plugin shows anything yet.");
    if (i.type !== "cbuf") board.panels.push({ payload: { plugin: i.logger, name: i.name, type: i.type } });
    else {
      const series = [...columns.querySelectorAll("input:checked")].map((c) => ({ plugin: i.logger, graph: i.name, column: c.value }));
      if (!series.length) return put(fault, "Choose a series.");
      if (into.value === "new") board.panels.push({ title: i.title || i.name, series });
      else {
        const p = board.panels[Number(into.value)];
        const known = new Set(p.series.map((s) => JSON.stringify([s.plugin, s.graph, s.column])));
        p.series.push(...series.filter((s) => !known.has(JSON.stringify([s.plugin, s.graph, s.column]))));
      }
    }
    touched();
    fillInto();
  };
  return h("div.panel.pad.board-add", null,
    h("label.field", null, "Title of the dashboard ", title),
    h("div.fields", null, h("label.field", null, "Plugin ", plugin), h("label.field", null, "Shows ", payload), h("label.field", null, "Add ", into),
      h("button", { type: "button", onclick: add }, "Add it")),
    columns, fault,
    h("div.fields", null, h("label.field.wide", null, "Or text ", text), h("button", { type: "button", onclick: () => {
      if (!text.value.trim()) return;
      board.panels.push({ text: text.value.trim(), wide: true });
      text.value = "";
      touched();
    } }, "Add text")));
}

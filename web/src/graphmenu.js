// What one can do with a graph: other ways to draw it, a table of its values, and files of it.
import { h, put } from "./dom.js";
import { digits, moment, plural, span as duration } from "./format.js";
import { colors } from "./shell.js";
import { WAYS } from "./plotdata.js";
import { get, pluginPath } from "./api.js";

const ROWS = 500; // of the table

// menu returns an element for the head of a graph. box is the graph's; redraw draws it anew, settings that it reads are box.draw.
export function menu(box, title, redraw) {
  const set = (key, value) => {
    box.draw[key] = value;
    redraw();
  };
  const check = (key, label) => h("label.check", null, h("input", { type: "checkbox", onchange: (e) => set(key, e.target.checked) }), " " + label);
  const file = (label, make) => h("button.quiet", { type: "button", onclick: async () => save(title(), await make()) }, label);
  const table = h("div.graph-table", { hidden: true });
  const full = h("button.quiet", { type: "button", onclick: () => box.el.requestFullscreen?.() }, "Full screen");
  const picture = link(box);
  const rows = h("p.note");
  const el = h("details.menu", null,
    h("summary", { "aria-label": "More about this graph", title: "More" }, "⋯"),
    h("div.menu-box", null,
      check("log", "Logarithmic"), check("stacked", "Stacked"), check("bars", "Bars"),
      h("label.field.row", null, "Where points lie close, the ", h("select", { onchange: (e) => set("way", e.target.value) }, ...Object.entries(WAYS).map(([k, name]) => h("option", { value: k }, name)))),
      h("label.check", null, h("input", { type: "checkbox", onchange: (e) => show(e.target.checked) }), " Table of its values"),
      rows,
      h("div.actions", null, picture, file("PNG", () => png(box, title())), file("CSV", () => csv(box)), file("JSON", () => new Blob([JSON.stringify(box.data)], { type: "application/json" })), full)));
  const show = (on) => {
    table.hidden = !on;
    if (on) fill();
  };
  const fill = () => table.replaceChildren(tableOf(box));
  // A click elsewhere closes it.
  document.addEventListener("click", (e) => el.open && !el.contains(e.target) && (el.open = false));
  el.addEventListener("keydown", (e) => {
    if (e.key !== "Escape" || !el.open) return;
    el.open = false;
    el.firstChild.focus();
  });
  const update = () => {
    put(rows, box.data ? `A row is ${duration(1000 * box.data.seconds_per_row)}, ${plural(box.data.values.length, "row")}` : "");
    picture.hidden = !box.of?.logger; // a graph that is made here has no address
    if (!table.hidden) fill();
  };
  return { el, table, update };
}

// link copies the address of a picture that other pages may show.
function link(box) {
  const b = h("button.quiet", { type: "button", title: "An address for an img in another page; who has it sees this graph", onclick: async () => {
    const { logger, name } = box.of;
    const { path } = await get(pluginPath(logger, "/picture?" + new URLSearchParams({ payload: name })));
    const address = location.origin + path;
    await navigator.clipboard?.writeText(address).catch(() => {});
    b.textContent = "Copied";
    b.dataset.address = address;
    setTimeout(() => (b.textContent = "Picture link"), 2000);
  } }, "Picture link");
  return b;
}

const ENDINGS = { "image/png": "png", "text/csv": "csv", "application/json": "json" };

function save(name, blob) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: `${name.replace(/[^\p{L}\p{N}._-]+/gu, "-")}.${ENDINGS[blob.type]}` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

// tableOf has the newest values first.
function tableOf(box) {
  const [times, ...values] = box.values;
  const rows = [];
  for (let i = times.length - 1; i >= 0 && rows.length < ROWS; i--) {
    if (values.some((v) => typeof v[i] === "number")) rows.push(h("tr", null, h("th", { scope: "row" }, moment(times[i] * 1000)), ...values.map((v, c) => h("td.num", { "data-label": box.columns[c].label }, typeof v[i] === "number" ? digits(v[i]) : ""))));
  }
  return h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": "Values" }, h("table", null,
    h("thead", null, h("tr", null, h("th", { scope: "col" }, "Time"), ...box.columns.map((c) => h("th.num", { scope: "col" }, c.label + (c.unit ? ` (${c.unit})` : ""))))),
    h("tbody", null, ...rows)));
}

function csv(box) {
  const quote = (s) => (/[",\n]/.test(s) ? `"${s.replaceAll('"', '""')}"` : s);
  const [times, ...values] = box.values;
  const lines = [["time", ...box.columns.map((c) => quote(c.label))].join(",")];
  times.forEach((t, i) => lines.push([new Date(t * 1000).toISOString(), ...values.map((v) => v[i] ?? "")].join(",")));
  return new Blob([lines.join("\n") + "\n"], { type: "text/csv" });
}

// png is the graph as it is seen, with its title and legend.
function png(box, title) {
  const from = box.chart.ctx.canvas;
  const scale = devicePixelRatio || 1;
  const [back, text] = colors(["surface", "text"]);
  const canvas = h("canvas", { width: from.width, height: from.height + 56 * scale });
  const ctx = canvas.getContext("2d");
  ctx.fillStyle = back;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  const font = getComputedStyle(document.body).fontFamily;
  ctx.fillStyle = text;
  ctx.font = `600 ${14 * scale}px ${font}`;
  ctx.fillText(title, 14 * scale, 20 * scale);
  ctx.drawImage(from, 0, 28 * scale);
  ctx.font = `${12 * scale}px ${font}`;
  let x = 14 * scale;
  const y = canvas.height - 10 * scale;
  for (const c of box.columns) {
    if (box.hidden.has(c.label)) continue;
    ctx.fillStyle = c.color;
    ctx.fillRect(x, y - 9 * scale, 9 * scale, 9 * scale);
    ctx.fillStyle = text;
    ctx.fillText(c.label, x + 14 * scale, y);
    x += ctx.measureText(c.label).width + 32 * scale;
  }
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

// One circular buffer as a graph, with its series to switch on and off, alerts and annotations.
import uPlot from "uplot";
import { h, put, attr, list } from "./dom.js";
import { empty } from "./parts.js";
import { digits } from "./format.js";
import { colors } from "./shell.js";
import { since, setSince } from "./times.js";
import { tooltip, drawMarks } from "./marks.js";
import { band, before, columns, toColumns, newest } from "./columns.js";
import { fit, stack } from "./plotdata.js";
import { menu } from "./graphmenu.js";
import { page } from "./range.js";

const SERIES = 12; // colours there are

// graph returns {el, update(payload, marks), remove}. payload is a Graph of the API with data, marks are alerts. Graphs of one group show the
// same time.
export function graph(head, height, group = page) {
  const updated = since(new Date().toISOString());
  const plot = h("div.plot", { tabindex: "0" });
  plot.style.minHeight = `${height}px`;
  const legend = h("div.legend", { role: "group", "aria-label": "Series" });
  const nothing = empty("No values yet", "The plugin sent this graph, and has put no value into it so far.");
  const whole = h("button.graph-zoom", { type: "button", hidden: true, onclick: () => group.set(null) }, "Show all");
  const box = { chart: null, shape: "", columns: [], values: [[]], marks: [], data: null, palette: [], hidden: new Set(), group, draw: { way: "mean" } };
  const more = menu(box, () => head.textContent, () => box.data && rebuild());
  const el = h("figure.graph", null, h("figcaption.graph-head", null, head, whole, h("span.graph-when", null, updated), more.el), nothing, plot, legend, more.table);
  box.el = el;

  const entries = list(legend, (c) => c.key, (c) => entry(box, c, () => (box.draw.stacked ? rebuild() : apply(box))));
  const rebuild = () => {
    box.palette = colors([...Array(SERIES).keys()].map((i) => `series-${i + 1}`));
    box.chart?.destroy();
    box.chart = null;
    if (box.data) read();
    if (box.data) paint();
  };
  // read takes the values of a payload, once; what is seen of them is made by paint.
  const read = () => {
    box.columns = columns(box.data, box.palette);
    const usual = band(box.columns);
    if (usual) for (const i of [usual.low, usual.high]) Object.assign(box.columns[i], { color: colors(["text-3"])[0], faint: true });
    box.values = toColumns(box.data, box.columns);
    if (!box.before) return;
    const earlier = before(box.values[0], box.columns, box.before);
    box.columns = [...box.columns, ...earlier.columns];
    box.values = [...box.values, ...earlier.values];
  };
  const paint = () => {
    const shape = JSON.stringify([box.columns.map((c) => [c.index, c.label, c.color]), box.draw]);
    nothing.hidden = box.columns.length > 0;
    plot.hidden = legend.hidden = !nothing.hidden;
    const part = group.part(box.values[0].at(-1));
    whole.hidden = !group.fixed;
    box.seen = fit(box.values, part, Math.max(60, Math.floor((plot.clientWidth || 600) / 2)), box.draw.way);
    const usual = band(box.columns);
    const { data, bands } = box.draw.stacked ? stack(box.seen, (i) => box.hidden.has(box.columns[i].label))
      : { data: box.seen, bands: usual ? [{ series: [usual.high + 1, usual.low + 1], fill: fade(box.columns[usual.high].color) }] : [] };
    if (!box.chart || shape !== box.shape) {
      box.chart?.destroy();
      box.chart = new uPlot({ ...options(box, plot, height), bands }, data, plot);
      box.shape = shape;
    }
    box.chart.setData(data, !part);
    if (part) box.chart.setScale("x", part);
    box.columns.forEach((c, i) => (c.last = newest(box.values[i + 1])));
    entries(box.columns);
    attr(plot, "aria-label", describe(box.columns));
    more.update();
  };
  const leave = group.follow(() => box.data && (box.chart ? paint() : rebuild()));
  plot.setAttribute("role", "img");
  plot.addEventListener("keydown", (e) => walk(box, e));
  const size = () => {
    if (!box.chart || !plot.clientWidth) return;
    const room = document.fullscreenElement === el ? innerHeight - (el.clientHeight - plot.clientHeight) - 24 : height;
    box.chart.setSize({ width: plot.clientWidth, height: Math.max(height, room) });
    paint();
  };
  const sizes = new ResizeObserver(size);
  sizes.observe(plot);
  el.addEventListener("fullscreenchange", size);
  document.addEventListener("theme", rebuild);

  return {
    el,
    update(payload, marks) {
      setSince(updated, payload.updated);
      box.data = payload.data;
      box.of = payload;
      box.before = payload.before;
      box.marks = marks;
      if (!box.chart) {
        rebuild();
        return;
      }
      read();
      paint();
    },
    remove() {
      document.removeEventListener("theme", rebuild);
      leave();
      sizes.disconnect();
      box.chart?.destroy();
    },
  };
}

// walk moves the line under the pointer by the keyboard: arrows by one, with Shift by ten, Home and End to the ends.
function walk(box, e) {
  const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[e.key];
  if (step === undefined || !box.chart || e.ctrlKey || e.metaKey || e.altKey) return;
  e.preventDefault();
  const u = box.chart;
  const n = u.data[0].length;
  const at = u.cursor.idx ?? n - 1;
  const to = Math.max(0, Math.min(n - 1, at + step * (e.shiftKey ? 10 : 1)));
  u.setCursor({ left: u.valToPos(u.data[0][to], "x"), top: u.over.clientHeight / 2 });
}

const describe = (cols) =>
  cols.length ? "Graph. Newest values: " + cols.map((c) => `${c.label} ${digits(c.last)} ${c.unit}`.trim()).join(", ") : "Graph without values";

// entry is a series in the legend: a click switches it, one with Alt or Shift leaves only it.
function entry(box, column, changed) {
  const name = h("span.legend-name");
  const value = h("span.legend-value");
  const swatch = h("i.swatch");
  const only = () => {
    const others = box.columns.filter((c) => c.label !== column.label).map((c) => c.label);
    const alone = !box.hidden.has(column.label) && others.every((l) => box.hidden.has(l));
    box.hidden.clear();
    if (!alone) others.forEach((l) => box.hidden.add(l));
  };
  const el = h("button.legend-item", {
    type: "button",
    title: "Click to show or hide, Alt and click to show only this",
    onclick: (e) => {
      if (e.altKey || e.shiftKey) only();
      else if (!box.hidden.delete(column.label)) box.hidden.add(column.label);
      changed();
      for (const b of el.parentElement.children) attr(b, "aria-pressed", !box.hidden.has(b.dataset.label));
    },
  }, swatch, name, value);
  return {
    el,
    update(c) {
      el.dataset.label = c.label;
      swatch.style.background = c.color;
      put(name, c.label);
      put(value, digits(c.last));
      attr(el, "aria-pressed", !box.hidden.has(c.label));
    },
  };
}

function apply(box) {
  box.columns.forEach((c, i) => box.chart.setSeries(i + 1, { show: !box.hidden.has(c.label) }));
}

function options(box, plot, height) {
  const [grid, text, surface] = colors(["line-soft", "text-3", "surface"]);
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: text, font, ticks: { show: false }, grid: { stroke: grid, width: 1 } };
  const unit = box.columns.find((c) => c.unit)?.unit ?? "";
  return {
    width: plot.clientWidth || 600,
    height,
    padding: [10, 30, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: box.group.cursor, setSeries: false }, drag: { x: true, y: false, setScale: false }, points: { size: 7, width: 2, fill: () => surface, stroke: (u, i) => u.series[i]._color }, x: true, y: false },
    scales: { y: box.draw.log ? { distr: 4, asinh: 1 } : { range: (u, low, high) => yRange(low, high) } },
    axes: [
      { ...axis, grid: { show: false }, size: 26, space: 80, values: times },
      { ...axis, size: 52, space: 34, values: (u, all) => all.map((v) => short(v) + (unit === "percent" ? "%" : "")) },
    ],
    series: [
      {},
      ...box.columns.map((c) => ({
        label: c.label,
        show: !box.hidden.has(c.label),
        stroke: c.color,
        _color: c.color,
        fill: box.columns.length === 1 || box.draw.stacked || box.draw.bars ? fade(c.color) : undefined,
        width: c.faint ? 0.5 : 1.5,
        paths: box.draw.bars ? uPlot.paths.bars({ size: [0.9, 60] }) : undefined,
        dash: c.dashed ? [5, 4] : undefined,
        points: { show: !box.draw.bars, size: 3.5, width: 0, fill: c.color, stroke: c.color, filter: alone },
      })),
    ],
    plugins: [drawMarks(box), tooltip(box), zooming(box)],
  };
}

// zooming makes the part that was dragged over that of all graphs of the group; a double click shows all again.
function zooming(box) {
  return {
    hooks: {
      setSelect: (u) => {
        const { left, width } = u.select;
        if (width < 2) return;
        const part = { min: u.posToVal(left, "x"), max: u.posToVal(left + width, "x") };
        u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        box.group.set(part);
      },
      setScale: (u, key) => key === "x" && (u.root.parentElement.dataset.span = u.scales.x.max - u.scales.x.min),
      ready: (u) => u.over.addEventListener("dblclick", () => box.group.set(null), true),
    },
  };
}

const fade = (rgb) => rgb.replace("rgb(", "rgba(").replace(")", ", 0.10)");

// alone are the values with a gap on both sides, which no line would show.
function alone(u, i) {
  const values = u.data[i];
  const found = [];
  for (let k = 0; k < values.length; k++) {
    if (typeof values[k] === "number" && gap(values, k, -1) && gap(values, k, 1)) found.push(k);
  }
  return found;
}

// gap reports whether no line leads from value k in that direction: undefined is joined over, null is not.
function gap(values, k, step) {
  do k += step;
  while (k >= 0 && k < values.length && values[k] === undefined);
  return (values[k] ?? null) === null;
}

// yRange starts at 0 unless values are below it, and leaves some air above.
function yRange(low, high) {
  if (low === null || high === null) return [0, 1];
  const bottom = Math.min(0, low);
  const top = Math.max(0, high);
  return [bottom < 0 ? bottom * 1.08 : 0, top > 0 ? top * 1.12 : bottom < 0 ? 0 : 1];
}

function short(v) {
  const a = Math.abs(v);
  if (a >= 1e9) return digits(v / 1e9) + "G";
  if (a >= 1e6) return digits(v / 1e6) + "M";
  if (a >= 1e4) return digits(v / 1e3) + "k";
  return digits(v);
}

// times labels the lower axis by how close the labels stand.
function times(u, all) {
  const step = all.length > 1 ? all[1] - all[0] : 60;
  const two = (n) => String(n).padStart(2, "0");
  return all.map((t) => {
    const d = new Date(t * 1000);
    if (step >= 86400) return d.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
    const hm = `${two(d.getHours())}:${two(d.getMinutes())}`;
    return step < 60 ? `${hm}:${two(d.getSeconds())}` : hm;
  });
}

// One circular buffer as a graph, with its series to switch on and off, alerts and annotations.
import uPlot from "uplot";
import { h, put, attr, list } from "./dom.js";
import { empty } from "./parts.js";
import { digits } from "./format.js";
import { colors } from "./shell.js";
import { since, setSince } from "./times.js";
import { tooltip, drawMarks } from "./marks.js";
import { columns, toColumns, newest } from "./columns.js";

const SERIES = 12; // colours there are

// graph returns {el, update(payload, marks)}. payload is a Graph of the API with data, marks are alerts.
export function graph(head, height) {
  const updated = since(new Date().toISOString());
  const plot = h("div.plot");
  plot.style.minHeight = `${height}px`;
  const legend = h("div.legend", { role: "group", "aria-label": "Series" });
  const nothing = empty("No values yet", "The plugin sent this graph, and has put no value into it so far.");
  const whole = h("button.graph-zoom", { type: "button", hidden: true, onclick: () => box.show(null) }, "Show all");
  const el = h("figure.graph", null, h("figcaption.graph-head", null, head, whole, h("span.graph-when", null, updated)), nothing, plot, legend);
  const hidden = new Set(); // names of series that somebody switched off
  const box = { chart: null, shape: "", columns: [], marks: [], data: null, zoom: null, palette: [], hidden };
  // show limits the graph to a part, {min, max} in seconds, until a double click or "Show all".
  box.show = (part) => {
    box.zoom = part;
    whole.hidden = !part;
    setData(box, toColumns(box.data, box.columns));
  };

  const entries = list(legend, (c) => c.key, (c) => entry(box, c, () => apply(box)));
  const draw = () => {
    box.palette = colors([...Array(SERIES).keys()].map((i) => `series-${i + 1}`));
    box.chart?.destroy();
    box.chart = null;
    if (box.data) paint();
  };
  const paint = () => {
    box.columns = columns(box.data, box.palette);
    const shape = JSON.stringify(box.columns.map((c) => [c.index, c.label, c.color]));
    nothing.hidden = box.columns.length > 0;
    plot.hidden = legend.hidden = !nothing.hidden;
    const values = toColumns(box.data, box.columns);
    if (box.chart && shape === box.shape) {
      setData(box, values);
    } else {
      box.chart?.destroy();
      box.chart = new uPlot(options(box, plot, height), values, plot);
      box.shape = shape;
      if (box.zoom) setData(box, values);
    }
    box.columns.forEach((c, i) => (c.last = newest(values[i + 1])));
    entries(box.columns);
    attr(plot, "aria-label", describe(box.columns));
  };
  plot.setAttribute("role", "img");
  new ResizeObserver(() => {
    if (box.chart && plot.clientWidth) box.chart.setSize({ width: plot.clientWidth, height });
  }).observe(plot);
  document.addEventListener("theme", draw);

  return {
    el,
    update(payload, marks) {
      setSince(updated, payload.updated);
      box.data = payload.data;
      box.marks = marks;
      if (!box.chart) draw();
      else paint();
    },
    remove() {
      document.removeEventListener("theme", draw);
      box.chart?.destroy();
    },
  };
}

// setData keeps what somebody zoomed into.
function setData(box, values) {
  if (!box.zoom) {
    box.chart.setData(values);
    return;
  }
  box.chart.setData(values, false);
  box.chart.setScale("x", box.zoom);
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
    cursor: { drag: { x: true, y: false }, points: { size: 7, width: 2, fill: () => surface, stroke: (u, i) => u.series[i]._color }, x: true, y: false },
    scales: { y: { range: (u, low, high) => yRange(low, high) } },
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
        fill: box.columns.length === 1 ? fade(c.color) : undefined,
        width: 1.5,
        dash: c.dashed ? [5, 4] : undefined,
        points: { show: true, size: 3.5, width: 0, fill: c.color, stroke: c.color, filter: alone },
      })),
    ],
    plugins: [drawMarks(box), tooltip(box), zooming(box)],
  };
}

// zooming remembers the part that was dragged over, and forgets it with a double click.
function zooming(box) {
  return {
    hooks: {
      setSelect: (u) => {
        const { left, width } = u.select;
        if (width > 0) box.show({ min: u.posToVal(left, "x"), max: u.posToVal(left + width, "x") });
      },
      setScale: (u, key) => key === "x" && (u.root.parentElement.dataset.span = u.scales.x.max - u.scales.x.min),
      ready: (u) => u.over.addEventListener("dblclick", () => box.show(null), true),
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

// What one plugin shows: its circular buffers as graphs, its other payloads as text.
import { h, put, list } from "./dom.js";
import { get, pluginPath, pluginPage } from "./api.js";
import { bytes } from "./format.js";
import { graph } from "./graph.js";
import { pluginName } from "./parts.js";
import { since, setSince } from "./times.js";
import { indent } from "./json.js";
import { page } from "./range.js";

// payloads puts elements into place. The function it returns takes the newest infos of the plugin (which tell
// what is there), fetches what is newer than known, and says how many it shows.
export function payloads(place, name, { graphsOnly = false, link = false, height = 200 } = {}) {
  const known = new Map(); // key → payload with data
  let shown = [];
  let last = []; // marks
  const again = () => show(shown.map((g) => ({ graph: past(g), marks: last })));
  let version = 0;
  const holder = h("div.contents");
  place.append(holder);
  const past = history(name, () => again());
  const show = list(holder, (p) => `${key(p.graph)} ${Boolean(p.graph.data)}`, (p) => make(p.graph, link && name, height));

  return async (infos) => {
    const wanted = infos.filter((i) => !graphsOnly || i.type === "cbuf");
    const there = new Set(wanted.map(key));
    for (const k of known.keys()) if (!there.has(k)) known.delete(k);
    let marks = [];
    if (wanted.length) {
      // A payload that is not known although it is not newer was hidden so far: ask for all.
      const from = wanted.every((i) => known.has(key(i)) || i.version > version) ? version : 0;
      const answer = await get(pluginPath(name, `/series?since=${from}` + (graphsOnly ? "&type=cbuf" : "")));
      version = answer.version;
      marks = answer.marks;
      for (const g of answer.series) known.set(key(g), g.left_out ? await alone(name, g) : g);
    }
    shown = wanted.map((i) => known.get(key(i))).filter(Boolean);
    last = marks;
    again();
    return shown.length;
  };
}

const POINTS = 1500; // that are asked for of a history
const FRESH = 30_000; // milliseconds for which it is new enough

// history gives graphs what they showed before their buffers begin, where the range of the page reaches so far back. changed is called when
// something came.
export function history(name, changed) {
  const kept = new Map(); // key → {ask, at, data}
  page.follow(changed);
  // fetched is what was shown between two times, once it is there; what is asked for moves on by itself when it is the last of something.
  const fetched = (g, what, from, to) => {
    const q = new URLSearchParams({ payload: g.name, from: Math.floor(from), to: Math.ceil(to) + 1, points: POINTS });
    const ask = page.fixed ? String(q) : `last ${page.last} ${what}`;
    const k = `${key(g)} ${what}`;
    const old = kept.get(k);
    if (old?.ask !== ask || performance.now() - old.at > FRESH) {
      kept.set(k, { ask, at: performance.now(), data: old?.ask === ask ? old.data : null });
      get(pluginPath(name, "/history?" + q)).then((answer) => {
        if (kept.get(k)?.ask !== ask) return;
        kept.get(k).data = answer.data;
        changed();
      }, () => {});
    }
    return kept.get(k).data;
  };
  return (g) => {
    if (!g.data || !name) return g;
    const end = g.data.time + g.data.rows * g.data.seconds_per_row;
    const part = page.part(end);
    const data = (part && part.min < g.data.time && fetched(g, "past", part.min, part.max)) || g.data;
    const { compare } = page;
    const before = compare ? fetched(g, `before ${compare}`, (part?.min ?? g.data.time) - compare, (part?.max ?? end) - compare) : null;
    return { ...g, data, before: before && { data: before, shift: compare } };
  };
}

const key = (g) => `${g.type} ${g.name}`;

async function alone(name, g) {
  const query = new URLSearchParams({ payload: g.name, type: g.type });
  const { series } = await get(pluginPath(name, "/series?" + query));
  return series[0] ?? g;
}

function make(g, linkTo, height) {
  return box(g, linkTo ? h("a.graph-from", { href: pluginPage(linkTo) }, ...pluginName(linkTo)) : null, height);
}

// box shows a payload as what it is: {el, update({graph, marks}), remove}. note stands behind its title.
export function box(g, note, height, group) {
  const head = h("span.graph-title", null, h("b", null, g.title), note);
  if (g.data) return graphBox(head, height, group);
  if (g.type === "html") return htmlBox(head);
  return ["csv", "tsv"].includes(g.type) ? tableBox(head, g.type) : textBox(head);
}

function graphBox(head, height, group) {
  const one = graph(head, height, group);
  const box = h("div.panel", null, one.el);
  return {
    el: box,
    update: ({ graph: g, marks }) => one.update(g, marks),
    remove: one.remove,
  };
}

const MOST = 64 << 10; // characters of a text that are shown

// framed is a box with a head, a note about what is not shown, and one element that shows the rest.
function framed(head, content, show) {
  const note = h("p.note");
  const when = since(new Date().toISOString());
  let shown = null;
  return {
    el: h("div.panel", null, h("div.graph-head", null, head, h("span.graph-when", null, when)), note, content),
    update({ graph: g }) {
      setSince(when, g.updated);
      const text = g.text ?? "";
      const more = text === shown ? note.dataset.more : show(text.slice(0, MOST), g.type) || (text.length > MOST ? "Only the beginning is shown." : "");
      shown = text;
      note.dataset.more = more;
      put(note, [g.problem, g.left_out ? `${bytes(g.bytes)}, too large to show` : "", more].filter(Boolean).join(" "));
      note.hidden = !note.textContent;
    },
  };
}

function textBox(head) {
  const text = h("pre.payload", { tabindex: "0" });
  return framed(head, text, (t, type) => put(text, type === "json" ? indent(t) : t) && "");
}

const ROWS = 200; // of a table that are shown

// tableBox shows comma or tab separated values; the first line has the names.
function tableBox(head, type) {
  const place = h("div.table-scroll", { tabindex: "0" });
  return framed(head, place, (t) => {
    const [names = [], ...rows] = values(t, type === "tsv" ? "\t" : ",");
    place.replaceChildren(h("table", null,
      h("thead", null, h("tr", null, ...names.map((n) => h("th", { scope: "col" }, n)))),
      h("tbody", null, ...rows.slice(0, ROWS).map((r) => h("tr", null, ...r.map((v, i) => h("td", { "data-label": names[i] ?? "", class: /^-?[\d.]+$/.test(v) ? "num" : null }, v)))))));
    return rows.length > ROWS ? `The first ${ROWS} of ${rows.length} rows are shown.` : "";
  });
}

// values splits text into rows of values, as RFC 4180 has them.
export function values(text, mark) {
  const rows = [];
  let row = [];
  let value = "";
  let open = false; // within quotation marks
  const end = () => {
    row.push(value);
    rows.push(row);
    [row, value] = [[], ""];
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (open && c === '"' && text[i + 1] === '"') value += text[i++];
    else if (c === '"' && (open || value === "")) open = !open;
    else if (open) value += c;
    else if (c === mark) {
      row.push(value);
      value = "";
    } else if (c === "\n") end();
    else if (c !== "\r" || text[i + 1] !== "\n") value += c;
  }
  if (value !== "" || row.length) end();
  return rows;
}

// htmlBox shows HTML in a frame that runs no script, is of no origin, sends no form and leads nowhere.
function htmlBox(head) {
  const frame = h("iframe.payload-frame", { sandbox: "", referrerpolicy: "no-referrer", loading: "lazy", title: head.textContent });
  return framed(head, frame, (t) => {
    frame.srcdoc = t;
    return "";
  });
}

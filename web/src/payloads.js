// What one plugin shows: its circular buffers as graphs, its other payloads as text.
import { h, put, list } from "./dom.js";
import { get, pluginPath, pluginPage } from "./api.js";
import { bytes } from "./format.js";
import { graph } from "./graph.js";
import { pluginName } from "./parts.js";
import { since, setSince } from "./times.js";
import { indent } from "./json.js";

// payloads puts elements into place. The function it returns takes the newest infos of the plugin (which tell
// what is there), fetches what is newer than known, and says how many it shows.
export function payloads(place, name, { graphsOnly = false, link = false, height = 200 } = {}) {
  const known = new Map(); // key → payload with data
  let version = 0;
  const holder = h("div.contents");
  place.append(holder);
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
    const found = wanted.map((i) => known.get(key(i))).filter(Boolean);
    show(found.map((g) => ({ graph: g, marks })));
    return found.length;
  };
}

const key = (g) => `${g.type} ${g.name}`;

async function alone(name, g) {
  const query = new URLSearchParams({ payload: g.name, type: g.type });
  const { series } = await get(pluginPath(name, "/series?" + query));
  return series[0] ?? g;
}

function make(g, linkTo, height) {
  const head = h("span.graph-title", null,
    h("b", null, g.title),
    linkTo ? h("a.graph-from", { href: pluginPage(linkTo) }, ...pluginName(linkTo)) : null);
  return g.data ? graphBox(head, height) : textBox(head);
}

function graphBox(head, height) {
  const one = graph(head, height);
  const box = h("div.panel", null, one.el);
  return {
    el: box,
    update: ({ graph: g, marks }) => one.update(g, marks),
    remove: one.remove,
  };
}

const MOST = 64 << 10; // characters of a text that are shown

function textBox(head) {
  const text = h("pre.payload", { tabindex: "0" });
  const note = h("p.note");
  const when = since(new Date().toISOString());
  return {
    el: h("div.panel", null, h("div.graph-head", null, head, h("span.graph-when", null, when)), note, text),
    update({ graph: g }) {
      const shown = g.type === "json" ? indent(g.text ?? "") : g.text ?? "";
      setSince(when, g.updated);
      put(text, shown.slice(0, MOST));
      put(note, [g.problem, g.left_out ? `${bytes(g.bytes)}, too large to show` : "", shown.length > MOST ? "Only the beginning is shown." : ""].filter(Boolean).join(" "));
      note.hidden = !note.textContent;
    },
  };
}

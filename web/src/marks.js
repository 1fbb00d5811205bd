// What is drawn over a graph: alerts as vertical lines, a plugin's annotations at their values, and a box that
// tells what is under the pointer. Two uPlot plugins.
import uPlot from "uplot";
import { h } from "./dom.js";
import { clock, digits } from "./format.js";
import { colors } from "./shell.js";

const NEAR = 7; // pixels from the pointer to a mark that is meant
const MOST = 12; // values in the box

// drawMarks draws box.marks (alerts) and the annotations of box.data.
export function drawMarks(box) {
  return {
    hooks: {
      draw: (u) => {
        const [bad, surface, accent] = colors(["bad", "surface", "accent"]);
        const { ctx, bbox } = u;
        const dpr = uPlot.pxRatio;
        ctx.save();
        for (const d of box.group.deploys.filter((d) => inside(u, d.at))) {
          const x = Math.round(u.valToPos(d.at, "x", true)) + 0.5;
          ctx.strokeStyle = ctx.fillStyle = accent;
          ctx.lineWidth = dpr;
          ctx.setLineDash([]);
          ctx.beginPath();
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.stroke();
          ctx.fillRect(x - 4 * dpr, bbox.top - 6 * dpr, 8 * dpr, 6 * dpr);
        }
        for (const b of bands(u, box)) {
          const [left, right] = [b.from, b.to].map((at) => Math.min(Math.max(u.valToPos(at, "x", true), bbox.left), bbox.left + bbox.width));
          ctx.fillStyle = bad;
          ctx.globalAlpha = 0.08;
          ctx.fillRect(left, bbox.top, Math.max(right - left, 2 * dpr), bbox.height);
          ctx.globalAlpha = 1;
        }
        for (const m of alertsIn(u, box)) {
          for (const p of offending(u, box, m)) {
            ctx.beginPath();
            ctx.arc(u.valToPos(p.at, "x", true), u.valToPos(p.value, "y", true), 5 * dpr, 0, 2 * Math.PI);
            ctx.strokeStyle = bad;
            ctx.lineWidth = 2 * dpr;
            ctx.setLineDash([]);
            ctx.stroke();
          }
          const x = Math.round(u.valToPos(m.at, "x", true)) + 0.5;
          ctx.strokeStyle = ctx.fillStyle = bad;
          ctx.lineWidth = dpr;
          ctx.globalAlpha = 0.75;
          ctx.setLineDash([4 * dpr, 3 * dpr]);
          ctx.beginPath();
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.stroke();
          ctx.globalAlpha = 1;
          ctx.beginPath();
          ctx.moveTo(x - 4.5 * dpr, bbox.top - 5 * dpr);
          ctx.lineTo(x + 4.5 * dpr, bbox.top - 5 * dpr);
          ctx.lineTo(x, bbox.top + 2 * dpr);
          ctx.fill();
        }
        ctx.setLineDash([]);
        for (const a of notesIn(u, box)) {
          ctx.beginPath();
          ctx.arc(u.valToPos(a.at, "x", true), u.valToPos(a.value, "y", true), 4 * dpr, 0, 2 * Math.PI);
          ctx.fillStyle = surface;
          ctx.strokeStyle = a.color;
          ctx.lineWidth = 2 * dpr;
          ctx.fill();
          ctx.stroke();
        }
        ctx.restore();
      },
    },
  };
}

const inside = (u, at) => at >= u.scales.x.min && at <= u.scales.x.max;

function alertsIn(u, box) {
  return box.marks.map((m) => ({ ...m, at: Date.parse(m.time) / 1000 })).filter((m) => inside(u, m.at));
}

// bands are the times over which alerts of one incident came.
function bands(u, box) {
  const all = new Map();
  for (const m of box.marks) {
    const at = Date.parse(m.time) / 1000;
    if (!(Date.parse(m.began) > 0)) continue; // of a trial, which has no incidents
    const key = `${m.id} ${m.began}`;
    const b = all.get(key) ?? { from: Date.parse(m.began) / 1000, to: at };
    b.to = Math.max(b.to, at);
    all.set(key, b);
  }
  return [...all.values()].filter((b) => b.to > b.from && b.to >= u.scales.x.min && b.from <= u.scales.x.max);
}

// offending are the points that an alert is about: those of the series that it names, at its time. The alert that the page is about has those of all series
// when it names none.
function offending(u, box, m) {
  const times = box.seen[0];
  let i = times.length - 1;
  while (i > 0 && times[i] > m.at) i--;
  if (!times.length || m.at - times[i] > 3 * box.data.seconds_per_row) return [];
  const words = [m.id, m.summary, m.detail].join("\n");
  const shown = box.columns.map((c, k) => ({ ...c, at: times[i], value: box.seen[k + 1][i] ?? null })).filter((c) => c.value !== null && c.index >= 0 && !box.hidden.has(c.label));
  const named = shown.filter((c) => names(words, c.label));
  return named.length || m.key !== box.group.alert ? named : shown;
}

// names reports whether a text has a word that is the label.
function names(text, label) {
  const letter = /[\p{L}\p{N}_]/u;
  for (let i = text.indexOf(label); label && i >= 0; i = text.indexOf(label, i + 1)) {
    if (!letter.test(text[i - 1] ?? " ") && !letter.test(text[i + label.length] ?? " ")) return true;
  }
  return false;
}

// notesIn are the annotations of series that are seen, each at the value of its row.
function notesIn(u, box) {
  const data = box.data;
  const out = [];
  for (const a of data.annotations ?? []) {
    const i = box.columns.findIndex((c) => c.index === a.col - 1);
    const row = Math.floor((a.x / 1000 - data.time) / data.seconds_per_row); // of the buffer, also where the graph begins later
    if (i < 0 || box.hidden.has(box.columns[i].label) || row < 0 || row >= data.values.length) continue;
    const at = data.time + row * data.seconds_per_row;
    if (inside(u, at)) out.push({ ...a, at, value: data.values[row][a.col - 1] ?? 0, ...box.columns[i] });
  }
  return out;
}

// tooltip tells time, values and marks under the pointer.
export function tooltip(box) {
  const el = h("div.tip", { hidden: true, "aria-hidden": "true" });
  const hide = () => (el.hidden = true);
  return {
    hooks: {
      init: (u) => {
        u.over.append(el);
        u.over.addEventListener("mouseleave", hide);
      },
      setCursor: (u) => {
        const { left, top, idx } = u.cursor;
        // Other graphs of the group show only the line.
        const here = u.over.matches(":hover") || document.activeElement === u.root.parentElement;
        if (!here || left < 0 || idx === null || idx === undefined) return hide();
        el.replaceChildren(...content(u, box, left, idx));
        el.hidden = false;
        const right = left > u.over.clientWidth / 2;
        el.style.left = right ? "" : `${left + 14}px`;
        el.style.right = right ? `${u.over.clientWidth - left + 14}px` : "";
        el.style.top = `${Math.max(0, Math.min(top - 20, u.over.clientHeight - el.offsetHeight))}px`;
      },
    },
  };
}

function content(u, box, left, idx) {
  const near = (at) => Math.abs(u.valToPos(at, "x") - left) <= NEAR;
  const rows = box.columns
    .map((c, i) => ({ ...c, value: box.seen[i + 1][idx] ?? null }))
    .filter((c) => c.value !== null && !box.hidden.has(c.label))
    .sort((a, b) => b.value - a.value);
  const out = [h("div.tip-time", null, clock(u.data[0][idx] * 1000))];
  for (const m of alertsIn(u, box).filter((m) => near(m.at)).slice(-3)) {
    out.push(h("div.tip-mark.bad", null, h("b", null, m.summary || m.id || "Alert"), h("span", null, m.detail)));
  }
  for (const d of box.group.deploys.filter((d) => near(d.at)).slice(-3)) out.push(h("div.tip-mark", null, h("b", null, d.text)));
  for (const a of notesIn(u, box).filter((a) => near(a.at)).slice(-3)) {
    out.push(h("div.tip-mark", null, h("b", null, `${a.label}: ${a.short_text}`), a.text ? h("span", null, a.text) : null));
  }
  for (const r of rows.slice(0, MOST)) {
    const swatch = h("i.swatch");
    swatch.style.background = r.color;
    out.push(h("div.tip-row", null, swatch, h("span", null, r.label), h("b", null, digits(r.value) + (r.unit ? " " + r.unit : ""))));
  }
  if (rows.length > MOST) out.push(h("div.tip-more", null, `and ${rows.length - MOST} more`));
  return out;
}

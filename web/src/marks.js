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
        for (const m of alertsIn(u, box)) {
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

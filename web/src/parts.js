// Small parts that several pages show.
import { h, svg, put, attr } from "./dom.js";

const STATES = { running: "Running", stopped: "Stopped", terminated: "Terminated", load_error: "Load error", proposed: "Waits for approval" };

export const stateName = (state) => STATES[state] ?? state;

// state is a dot and a word.
export function state() {
  const word = h("span");
  const el = h("span.state", null, h("i.dot"), word);
  return {
    el,
    set(s) {
      el.dataset.state = s;
      put(word, stateName(s));
    },
  };
}

// bar shows a value against its limit. A limit of 0 is none.
export function bar(label, show) {
  const value = h("span.bar-value");
  const limit = h("span.bar-limit");
  const fill = h("i");
  const track = h("span.bar-track", null, fill);
  const el = h("div.bar", { role: "meter", "aria-label": label, "aria-valuemin": 0 }, h("span.bar-text", null, value, limit), track);
  return {
    el,
    // set shows n of the plugin's limit; ceiling is the host's, where it is another.
    set(n, most, ceiling) {
      const share = most > 0 ? Math.min(1, n / most) : 0;
      put(value, show(n));
      put(limit, (most > 0 ? " / " + show(most) : " no limit") + (ceiling && ceiling !== most ? ` (this host allows ${show(ceiling)})` : ""));
      fill.style.width = `${(100 * share).toFixed(1)}%`;
      attr(el, "data-level", share >= 0.9 ? "high" : share >= 0.7 ? "warm" : null);
      attr(el, "title", `${label}: ${show(n)} of ${most > 0 ? show(most) : "no limit"}`);
      attr(el, "aria-valuenow", n);
      attr(el, "aria-valuemax", most > 0 ? most : n);
      attr(el, "aria-valuetext", `${show(n)} of ${most > 0 ? show(most) : "no limit"}`);
    },
  };
}

// empty says what will be seen in a place that has nothing yet.
export function empty(title, text, ...more) {
  return h("div.empty", null, h("p.empty-title", null, title), text ? h("p", null, text) : null, ...more);
}

// problem is a box for an error.
export function problem(title, text, ...more) {
  return h("div.problem", { role: "alert" }, h("p.problem-title", null, title), text ? h("p.problem-text", null, text) : null, ...more);
}

// spark draws a short line of numbers between 0 and their largest.
export function spark(label) {
  const W = 120;
  const H = 28;
  const line = svg("path.spark-line");
  const area = svg("path.spark-area");
  const el = svg("svg.spark", { viewBox: `0 0 ${W} ${H}`, preserveAspectRatio: "none", role: "img", "aria-label": label }, area, line);
  return {
    el,
    // set takes points [time, value]; the line covers the last span milliseconds before now.
    set(points, now, span) {
      const top = Math.max(1e-9, ...points.map((p) => p[1]));
      const at = points.map(([t, v]) => `${(W - (W * (now - t)) / span).toFixed(1)} ${(H - 2 - ((H - 4) * v) / top).toFixed(1)}`);
      const d = at.length > 1 ? "M" + at.join("L") : "";
      line.setAttribute("d", d);
      const x = (p) => p.split(" ")[0];
      area.setAttribute("d", d && `${d}L${x(at.at(-1))} ${H}L${x(at[0])} ${H}Z`);
    },
  };
}

// kind splits "analysis.rate" for showing.
export function splitName(name) {
  const i = name.indexOf(".");
  return i < 0 ? ["", name] : [name.slice(0, i), name.slice(i + 1)];
}

// pluginName shows a name with its kind held back.
export function pluginName(name) {
  const [kind, rest] = splitName(name);
  return [h("span.kind", null, kind + "."), rest];
}

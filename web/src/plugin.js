// The page of one plugin.
import { facts } from "./module.js";
import { byId, h, put, list } from "./dom.js";
import { get, post, del, pluginPage, pluginPath } from "./api.js";
import { on, every, refresh } from "./live.js";
import { bytes, clock, count, exact, moment, nanos, plural, rate } from "./format.js";
import { bar, empty, pluginName, problem, state, splitName } from "./parts.js";
import { viewer } from "./code.js";
import { rates } from "./history.js";
import { box, payloads } from "./payloads.js";
import { alertItem } from "./alertitem.js";
import { versions } from "./versions.js";
import { shadow } from "./shadow.js";
import { letters } from "./letters.js";
import { page, picker } from "./range.js";
import { diff } from "./diff.js";

export function plugin(main) {
  const name = main.dataset.name;
  main.querySelector("h1").replaceChildren(...pluginName(name));
  byId("all-alerts").href = "/alerts?plugin=" + encodeURIComponent(name);
  const ceilings = {}; // the host's, by kind
  get("limits").then((all) => Object.assign(ceilings, all), () => {}); // without them only the plugin's own are shown
  const draw = [head(name), use(ceilings), texts()];
  byId("range").append(picker());
  const shows = series(name);
  let gone = false;
  let now = null; // as the API has it
  let known = -1; // version that was drawn
  const failed = (err) => byId("trouble").replaceChildren(problem("This did not work", err.message));
  const draws = versions(byId("versions"), name, failed, () => {
    byId("trouble").replaceChildren();
    if (gone) location.reload();
    refresh();
  });
  const beside = shadow(name, refresh, failed);
  const history = async (version) => {
    if (version === known) return;
    await draws(version);
    known = version;
    byId("versions-part").hidden = false;
  };
  const load = async () => {
    if (gone) return;
    try {
      const p = await get(pluginPath(name));
      now = p;
      byId("body").hidden = false;
      for (const f of draw) f(p);
      await shows(p);
      await history(p.version);
      if (p.kind === "analysis" && !p.shadow_of && !p.proposal_of) await beside(p);
    } catch (err) {
      if (err.status !== 404 && err.status !== 409) throw err;
      gone = true;
      byId("body").hidden = true;
      byId("actions").replaceChildren();
      byId("trouble").replaceChildren(problem("There is nothing to show", err.message, h("p", null, h("a", { href: "/" }, "To all plugins"))));
      if (err.status === 404) await history(0).catch(() => {}); // none: it never was
    }
  };
  const failedOn = letters(name, () => now);
  every(() => gone || !now || failedOn(), 3000);
  every(fared(name, () => gone), 10_000);
  on(["plugins", "series"], load);
  every(() => gone || load(), 5000);
  logs(name, () => gone);
  alerts(name, () => gone);
}

// fared draws how the plugin fared over the last hours.
function fared(name, gone) {
  const place = byId("vitals");
  const boxes = [];
  return async () => {
    if (gone()) return;
    const { series } = await get(pluginPath(name, "/vitals"));
    byId("vitals-part").hidden = !series.some((g) => g.data.rows > 1);
    series.forEach((g, i) => {
      if (!boxes[i]) {
        boxes[i] = box(g, null, 150);
        place.append(boxes[i].el);
      }
      boxes[i].update({ graph: g, marks: [] });
    });
  };
}

// head draws state, reason and what can be done.
function head(name) {
  const dot = state();
  const when = h("span");
  const kind = h("span");
  byId("facts").append(dot.el, when, kind);
  const turn = h("button", { type: "button" });
  const edit = h("a.button", { href: "/deploy?plugin=" + encodeURIComponent(name) }, "Edit");
  const remove = h("button.danger", { type: "button", onclick: () => askRemove(name, failed) }, "Remove");
  const failed = (err) => byId("trouble").replaceChildren(problem("This did not work", err.message));
  const copy = h("button", { type: "button", onclick: () => askFork(name) }, "Fork");
  byId("actions").append(turn, edit, copy, remove);
  let now = null;
  turn.addEventListener("click", async () => {
    turn.disabled = true;
    try {
      await post(pluginPath(name, now === "running" ? "/stop" : "/start"));
      byId("trouble").replaceChildren();
    } catch (err) {
      failed(err);
    }
    turn.disabled = false;
    refresh();
  });
  let told = "";
  return (p) => {
    now = p.state;
    dot.set(p.state);
    put(when, `since ${moment(p.since)}`);
    edit.hidden = copy.hidden = Boolean(p.shadow_of || p.proposal_of);
    turn.hidden = remove.hidden = Boolean(p.proposal_of);
    put(kind, [p.shadow_of ? `in the shadow of ${p.shadow_of}` : "", p.kind, p.shipped ? "shipped with Sandbar" : "", p.ticker_interval ? `timer every ${p.ticker_interval} s` : ""].filter(Boolean).join(" · "));
    put(turn, p.state === "running" ? "Stop" : "Start");
    const key = [p.state, p.since, p.reason, !!p.message].join();
    if (key !== told) byId("trouble").replaceChildren(...trouble(p));
    told = key;
  };
}

function trouble(p) {
  if (p.state === "running") return [];
  if (p.state === "proposed") return [proposal(p)];
  if (p.state === "stopped" && p.reason) return [h("div.notice", null, p.reason)];
  if (p.state === "stopped") return [h("div.notice", null, "It is stopped, and stays so until somebody starts it. Its state is kept.")];
  const title = p.state === "load_error" ? "It could not be loaded" : `It was terminated${p.outcome ? ": " + p.outcome.replaceAll("_", " ") : ""}`;
  const line = p.line ? h("p", null, h("a.target", { href: "#source-head" }, `Line ${p.line} of the source`)) : null;
  const message = p.message ? h("details", { id: "ended-by" }, h("summary", null, "The message that did it"),
    h("pre.payload", { tabindex: "0" }, JSON.stringify(p.message, null, 2))) : null;
  return [problem(title, p.reason, line, message)];
}

// askFork asks for a name, and runs the plugin a second time under it.
function askFork(name) {
  const dialog = byId("fork");
  const form = dialog.querySelector("form");
  const fault = byId("fork-fault");
  put(fault, "");
  form.onsubmit = async (e) => {
    if (e.submitter?.value !== "yes") return;
    e.preventDefault();
    try {
      const p = await post(pluginPath(name, "/fork"), { name: form.elements.name.value.trim(), with_state: form.elements.state.checked });
      location.assign(pluginPage(p.name));
    } catch (err) {
      put(fault, err.message);
      form.elements.name.focus();
    }
  };
  dialog.showModal();
}

// proposal is what is to be said and done about a plugin that waits for a second person.
function proposal(p) {
  const fault = h("p.reason", { role: "alert" });
  const different = h("div");
  const decide = (f) => async () => {
    try {
      await f();
    } catch (err) {
      put(fault, err.message);
    }
  };
  const approve = h("button.primary", { type: "button", onclick: decide(async () => {
    const now = await post(pluginPath(p.name, "/approve"), {});
    location.assign(pluginPage(now.name));
  }) }, "Approve");
  const reject = h("button.danger", { type: "button", onclick: decide(async () => {
    await del(pluginPath(p.name));
    location.assign("/");
  }) }, "Reject");
  const compare = h("button", { type: "button", onclick: decide(async () => {
    const { config, source } = await get(pluginPath(p.name));
    different.replaceChildren(diff(await post(pluginPath(p.proposal_of, "/diff"), { config, source: source ?? "" })));
  }) }, "What is different");
  return problem(`It waits for a second person${p.author ? `; ${p.author} proposed it` : ""}`, p.reason, h("div.actions.start", null, approve, reject, compare), fault, different);
}

function askRemove(name, failed) {
  const dialog = byId("confirm");
  dialog.returnValue = "";
  dialog.onclose = async () => {
    if (dialog.returnValue !== "yes") return;
    try {
      await del(pluginPath(name));
      location.assign("/");
    } catch (err) {
      failed(err);
    }
  };
  dialog.showModal();
}

// use draws limits and counters. ceilings may be filled later.
function use(ceilings) {
  const bars = { fuel: bar("Fuel of the dearest call", count), memory: bar("Memory", bytes) };
  const facts = h("dl.facts");
  const matcher = h("code.matcher");
  const outcomes = h("dl.facts");
  const last = h("div.last");
  byId("use").append(
    h("p.bar-label", null, "Fuel, dearest call"), bars.fuel.el,
    h("p.bar-label", null, "Memory"), bars.memory.el,
    facts, outcomes,
    h("p.bar-label", null, "Messages that match"), matcher,
    last,
  );
  const row = (place) => list(place, (f) => f[0], ([label]) => {
    const value = h("dd");
    return { el: h("div", null, h("dt", null, label), value), update: ([, text, title]) => (put(value, text).title = title ?? "") };
  });
  const show = row(facts);
  const ended = row(outcomes);
  const speed = rates();
  return (p) => {
    const s = p.stats;
    const l = p.limits;
    const most = ceilings[p.kind] ?? {};
    bars.fuel.set(s.fuel_max, l.instruction_limit, most.instruction_limit);
    bars.memory.set(s.memory, l.memory_limit, most.memory_limit);
    const each = (limit, what) => (limit > 0 && limit < 2 ** 31 - 1 ? `${exact(limit)} ${what}` : "");
    show([
      ["Matched", count(s.matched), `${exact(s.matched)} of ${exact(s.seen)} messages seen`],
      ["Rate", p.state === "running" ? rate(speed("matched", s.matched, Date.now())) : "–"],
      ["Per message", s.matched ? nanos(s.nanos / s.matched) : "–"],
      ["Fuel per message", s.matched ? count(Math.round(s.fuel / s.matched)) : "–"],
      ["Returned −1", count(s.failed)],
      ["Injected", `${count(s.injected)} · ${bytes(s.injected_bytes)}`, [each(l.process_message_inject_limit, "per message"), each(l.timer_event_inject_limit, "per timer event")].filter(Boolean).join(", ")],
      ["Output limit", bytes(l.output_limit), most.output_limit ? `this host allows ${bytes(most.output_limit)}` : ""],
      ["Time of a call", l.call_time ? `at most ${exact(l.call_time)} s` : "–"],
      ["Timer events", count(s.timers)],
      ["Lag", p.lag_bytes ? bytes(p.lag_bytes) : "0"],
    ]);
    const others = Object.entries(s.outcomes ?? {}).filter(([k]) => k !== "ok");
    ended(others.map(([k, n]) => [k.replaceAll("_", " "), count(n)]));
    put(matcher, p.matcher || "TRUE");
    last.replaceChildren(...(s.last_error ? [h("p.bar-label", null, "Last error"), h("p.reason", null, s.last_error)] : []));
  };
}

// texts draws source and config, again only when they changed: a reader may have scrolled or selected.
function texts() {
  let shown = "";
  return (p) => {
    const line = faultyLine(p);
    const reason = p.state === "running" ? p.stats.last_error : p.reason;
    const key = JSON.stringify([p.source, p.module, p.updated, p.config, line, line && reason]);
    if (key === shown) return;
    shown = key;
    const inConfig = p.state === "load_error" && /\.cfg\b|config/.test(p.reason);
    if (p.module) showModule(p.name);
    else byId("source").replaceChildren(viewer(p.source, inConfig ? 0 : line, reason));
    byId("config").replaceChildren(viewer(p.config, inConfig ? line : 0, reason));
    byId("source").querySelector(".bad")?.scrollIntoView({ block: "nearest" });
    scrollTo(0, 0);
  };
}

// showModule draws what is known of a plugin's module.
async function showModule(name) {
  const place = byId("source");
  try {
    place.replaceChildren(h("div.module-side", null, facts(await get(pluginPath(name, "/module"))),
      h("p", null, h("a", { href: "/api/v1/" + pluginPath(name, "/source"), download: "" }, "Download the module"))));
  } catch (err) {
    place.replaceChildren(problem("It could not be described", err.message));
  }
}

// faultyLine is the one that the host names, or the one in the last error of a running plugin: "…lua:12: text".
function faultyLine(p) {
  if (p.line) return p.line;
  const found = /(?:^|[\w.\]"'/-]):(\d+):/.exec((p.state === "running" ? p.stats.last_error : p.reason) ?? "");
  return found ? Number(found[1]) : 0;
}

function series(name) {
  const place = byId("payloads");
  const [kind] = splitName(name);
  const text = kind === "analysis"
    ? "Its graph appears here with the next timer event that calls inject_payload with a circular buffer; texts that it injects are shown too."
    : `A plugin of kind ${kind} draws nothing. Analysis plugins do.`;
  const nothing = empty("Nothing to show yet", text);
  place.append(nothing);
  const draw = payloads(place, name, { height: 280 });
  return async (p) => {
    nothing.hidden = (await draw(p.series)) > 0;
  };
}

function logs(name, gone) {
  const place = byId("logs");
  const nothing = empty("Nothing printed", "What the plugin prints, and what the host says about it, appears here.");
  const rows = h("ol.log");
  place.append(nothing, rows);
  let before = 0; // lines with the same time and text are told apart by their number
  const show = list(rows, (l) => l.key, (l) => ({ el: h("li", null, h("time", { datetime: l.time, title: l.time }, clock(new Date(l.time))), h("span", null, l.text)) }));
  every(async () => {
    if (gone()) return;
    const lines = await get(pluginPath(name, "/logs"));
    const bottom = place.scrollHeight - place.scrollTop - place.clientHeight < 24;
    const same = new Map();
    show(lines.map((l) => {
      const k = l.time + l.text;
      same.set(k, (same.get(k) ?? 0) + 1);
      return { ...l, key: `${k} ${same.get(k)}` };
    }));
    nothing.hidden = lines.length > 0;
    if (bottom && lines.length !== before) place.scrollTop = place.scrollHeight;
    before = lines.length;
  }, 1000);
}

function alerts(name, gone) {
  const place = byId("own-alerts");
  const nothing = empty("No alerts", "An alert of this plugin is drawn into its graphs as a line, too.");
  const rows = h("ul.alert-list");
  place.append(rows, nothing);
  const show = list(rows, (a) => a.version, alertItem);
  on("alerts", async () => {
    if (gone()) return;
    const { alerts, total } = await get("alerts?n=5&logger=" + encodeURIComponent(name));
    show(alerts);
    rows.hidden = total === 0;
    nothing.hidden = total > 0;
    put(byId("own-alerts-head"), total ? plural(total, "alert") : "Its alerts");
  });
}

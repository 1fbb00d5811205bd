// The page of submissions that could not be decoded.
import { byId, h, put, list, attr } from "./dom.js";
import { get, post } from "./api.js";
import { on } from "./live.js";
import { bytes, count, exact, moment, plural } from "./format.js";
import { empty, problem, spark } from "./parts.js";
import { since, setSince } from "./times.js";
import { choices } from "./choices.js";
import { indent } from "./json.js";

const STEP = 100;

export function errors() {
  const rows = h("ul.failures");
  const nothing = empty("No errors", "A submission that cannot be decoded appears here at once, with its cause and what was sent.");
  const news = h("button.news", { type: "button", hidden: true });
  byId("list").append(news, rows, nothing);
  const show = list(rows, (f) => f.position, row);
  const type = byId("by-type");
  const namespace = byId("by-namespace");
  const more = byId("more");
  const query = new URLSearchParams(location.search);
  let cause = query.get("cause") ?? "";
  const table = causes((key) => {
    cause = cause === key ? "" : key;
    const q = new URLSearchParams(location.search);
    if (cause) q.set("cause", cause);
    else q.delete("cause");
    history.replaceState(null, "", q.size ? "?" + q : location.pathname);
    again();
  });
  if (query.get("position")) one(query.get("position"));
  let found = []; // that are listed, the newest first
  let total = 0;
  const filter = () => `type=${encodeURIComponent(type.value)}&namespace=${encodeURIComponent(namespace.value)}&cause=${encodeURIComponent(cause)}`;
  // Somebody who has opened one, or has scrolled, reads: what he looks at stays where it is.
  const reading = () => rows.querySelector("details[open]") !== null || rows.getBoundingClientRect().top < 0;
  const draw = () => {
    show(found);
    rows.hidden = found.length === 0;
    nothing.hidden = found.length > 0;
    put(nothing.firstChild, type.value || namespace.value || cause ? "None fits" : "No errors");
    more.hidden = found.length >= total;
  };
  const load = async () => {
    const asked = filter();
    const [answer, known] = await Promise.all([get(`errors?n=${STEP}&${asked}`), get("causes")]);
    if (asked !== filter()) return load();
    choices(type, answer.counts.map((c) => c.type));
    choices(namespace, answer.counts.map((c) => c.namespace));
    table(known.causes.filter((c) => (!type.value || c.type === type.value) && (!namespace.value || c.namespace === namespace.value)), cause);
    total = answer.total;
    const sum = answer.counts.reduce((n, c) => n + c.count, 0);
    put(byId("sum"), `${plural(sum, "submission")} could not be decoded` + (answer.duplicates ? `, ${plural(answer.duplicates, "duplicate")}` : "") +
      (total ? ` · ${exact(total)} kept here` : ""));
    const there = new Set(found.map((f) => f.position));
    const fresh = answer.errors.filter((f) => !there.has(f.position));
    const join = () => {
      const behind = found.length > STEP && fresh.length < STEP ? found.slice(STEP - fresh.length) : [];
      found = [...answer.errors, ...behind.filter((f) => !answer.errors.some((a) => a.position === f.position))];
      news.hidden = true;
      draw();
    };
    if (found.length === 0 || fresh.length === 0 || !reading()) {
      join();
      return;
    }
    put(news, `${fresh.length}${fresh.length === STEP ? " or more" : ""} new – show`);
    news.hidden = false;
    news.onclick = join;
    more.hidden = found.length >= total;
  };
  const again = () => {
    found = [];
    load().catch(() => {});
  };
  for (const s of [type, namespace]) s.addEventListener("change", again);
  more.addEventListener("click", async () => {
    const asked = filter();
    const answer = await get(`errors?n=${STEP}&before=${encodeURIComponent(found.at(-1).position)}&${asked}`).catch(() => null);
    if (!answer || asked !== filter()) return;
    found.push(...answer.errors);
    draw();
  });
  on("errors", load);
}

// causes is the list of what caused errors; a click filters by one, and shows what is known of it.
function causes(choose) {
  const rows = h("ul.causes");
  const nothing = empty("None so far", "Errors of the same cause are counted here together.");
  byId("counts").append(rows, nothing);
  const about = byId("cause");
  const show = list(rows, (c) => c.key, (c) => {
    const n = h("b");
    const when = since(c.last);
    const line = spark(`The last hour, by minute`);
    const button = h("button", { type: "button", title: "Show only these", onclick: () => choose(c.key) },
      h("span", null, h("span.cause", null, c.type || "?"), h("span.note", null, where(c)), h("span.note", null, when)), h("span.cause-end", null, n, line.el));
    return {
      el: h("li", null, button),
      update: (now) => {
        put(n, count(now.count)).title = exact(now.count);
        setSince(when, now.last);
        line.set(now.minutes.map((v, i) => [i, v]), now.minutes.length - 1, now.minutes.length - 1);
        attr(button, "aria-pressed", now.chosen);
      },
    };
  });
  return (all, key) => {
    show(all.map((c) => ({ ...c, chosen: c.key === key })));
    rows.hidden = all.length === 0;
    nothing.hidden = all.length > 0;
    const c = all.find((c) => c.key === key);
    about.hidden = !c;
    if (c) known(about, c, choose);
  };
}

// where is what a cause is about, in short.
const where = (c) => [c.namespace || "no namespace", c.doc_type, c.keyword ? `${c.path || "/"} ${c.keyword}` : c.error.slice(0, 80)].filter(Boolean).join(" · ");

// known shows what is known of the chosen cause, and sends its submissions again.
function known(place, c, choose) {
  const hour = c.minutes.reduce((a, b) => a + b, 0);
  const facts = [["Cause", c.error], ["Path in the schema", c.keyword && `${c.path || "/"} (${c.keyword})`], ["First seen", moment(c.first)], ["Last seen", moment(c.last)],
    ["How many", `${exact(c.count)}, ${exact(hour)} in the last hour`]].filter(([, v]) => v);
  const old = place.querySelector("dl");
  const dl = h("dl.facts", null, ...facts.map(([k, v]) => h("div", null, h("dt", null, k), h("dd", null, v))));
  if (place.dataset.key === c.key && old) return old.replaceWith(dl);
  place.dataset.key = c.key;
  place.replaceChildren(h("div.head", null, h("h2", null, c.type, " ", h("span.note", null, where(c))), h("div.actions", null,
    resend({ cause: c.key }, "Submit all again"), h("button.quiet", { type: "button", onclick: () => choose("") }, "All causes"))), dl);
}

// resend sends what was submitted to the host again, after a fix.
function resend(what, label) {
  const said = h("span.note", { role: "status" });
  const b = h("button", { type: "button", title: "What was submitted goes through the decoder once more; use it after a fix of a schema or a decoder", onclick: async () => {
    b.disabled = true;
    try {
      const { sent, gone } = await post("errors/resend", what);
      put(said, `${plural(sent, "submission")} sent again${gone ? `, ${exact(gone)} not kept any more` : ""}`);
    } catch (err) {
      put(said, err.message);
    }
    b.disabled = false;
  } }, label);
  return h("span.actions", null, said, b);
}

// one shows an error that a link names, before the others.
async function one(position) {
  const place = byId("one");
  place.hidden = false;
  try {
    const f = await get("errors/" + encodeURIComponent(position));
    place.replaceChildren(h("div.panel.pad.failure-body", null, h("h2", null, f.type, " ", h("span.note", null, documentOf(f))), ...inside(f)));
  } catch (err) {
    place.replaceChildren(problem("There is nothing to show", err.message));
  }
}

const documentOf = (f) => [f.namespace, f.doc_type, f.doc_version].filter(Boolean).join(" / ") || f.uri || "unknown document";

function row(f) {
  const body = h("div.failure-body");
  const details = h("details", null,
    h("summary", null,
      h("span.cause", null, f.type || "?"),
      h("span.failure-doc", null, documentOf(f)),
      since(f.time),
      h("span.failure-error", null, f.error || "no cause was told")),
    body);
  details.addEventListener("toggle", async () => {
    if (!details.open || body.firstChild) return;
    put(body, "…");
    try {
      const whole = await get("errors/" + encodeURIComponent(f.position));
      body.replaceChildren(...inside(whole));
    } catch (err) {
      body.replaceChildren(h("p.note", null, err.message));
    }
  });
  return { el: h("li", null, details) };
}

// inside is made when somebody looks.
function inside(f) {
  const p = f.payload;
  const facts = [["Cause", f.error], ["Detail", f.detail], ["When", moment(f.time)], ["URI", f.uri], ["Document", f.document_id], ["Position", `${f.position} in stream errors`]].filter(([, v]) => v);
  const size = [`${bytes(p.bytes)} received`, p.gzip ? "inflated to show" : "", p.truncated ? "only the beginning is shown" : "", p.problem].filter(Boolean).join(" · ");
  return [
    h("dl.facts", null, ...facts.map(([k, v]) => h("div", null, h("dt", null, k), h("dd", null, v)))),
    h("div.actions", null, h("a.button", { href: `/api/v1/errors/${encodeURIComponent(f.position)}/content`, download: "" }, "Download"),
      h("a.button.quiet", { href: "/errors?" + new URLSearchParams({ position: f.position }) }, "Link to it"), resend({ position: f.position }, "Submit again")),
    h("p.note", null, size),
    p.text ? h("pre.payload", { tabindex: "0" }, indent(p.text)) : h("p.note", null, "It was empty."),
  ];
}

// The page of submissions that could not be decoded.
import { byId, h, put, list, attr } from "./dom.js";
import { get } from "./api.js";
import { on } from "./live.js";
import { bytes, count, exact, moment, plural } from "./format.js";
import { empty } from "./parts.js";
import { since } from "./times.js";
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
  const table = counts((t, n) => {
    const same = type.value === t && namespace.value === n;
    type.value = same ? "" : t;
    namespace.value = same ? "" : n;
    again();
  });
  let found = []; // that are listed, the newest first
  let total = 0;
  const filter = () => `type=${encodeURIComponent(type.value)}&namespace=${encodeURIComponent(namespace.value)}`;
  // Somebody who has opened one, or has scrolled, reads: what he looks at stays where it is.
  const reading = () => rows.querySelector("details[open]") !== null || rows.getBoundingClientRect().top < 0;
  const draw = () => {
    show(found);
    rows.hidden = found.length === 0;
    nothing.hidden = found.length > 0;
    put(nothing.firstChild, type.value || namespace.value ? "None fits" : "No errors");
    more.hidden = found.length >= total;
  };
  const load = async () => {
    const asked = filter();
    const answer = await get(`errors?n=${STEP}&${asked}`);
    if (asked !== filter()) return load();
    choices(type, answer.counts.map((c) => c.type));
    choices(namespace, answer.counts.map((c) => c.namespace));
    table(answer.counts, type.value, namespace.value);
    total = answer.total;
    const sum = answer.counts.reduce((n, c) => n + c.count, 0);
    put(byId("sum"), `${plural(sum, "submission")} could not be decoded` + (answer.duplicates ? `, ${plural(answer.duplicates, "duplicate")}` : "") +
      (total ? ` · ${exact(total)} kept here` : ""));
    const known = new Set(found.map((f) => f.position));
    const fresh = answer.errors.filter((f) => !known.has(f.position));
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

// counts is the table of causes; a click filters by one.
function counts(choose) {
  const rows = h("ul.causes");
  const nothing = empty("None so far", "Causes are counted here by type and namespace.");
  byId("counts").append(rows, nothing);
  const show = list(rows, (c) => `${c.type}\n${c.namespace}`, (c) => {
    const n = h("b");
    const fill = h("i.cause-bar");
    const button = h("button", { type: "button", title: "Show only these", onclick: () => choose(c.type, c.namespace) },
      h("span", null, h("span.cause", null, c.type || "?"), h("span.note", null, c.namespace || "no namespace")), n, fill);
    return {
      el: h("li", null, button),
      update: (now) => {
        put(n, count(now.count)).title = exact(now.count);
        fill.style.width = `${(100 * now.share).toFixed(1)}%`;
        attr(button, "aria-pressed", now.chosen);
      },
    };
  });
  return (all, type, namespace) => {
    const sorted = [...all].sort((a, b) => b.count - a.count);
    const top = sorted[0]?.count || 1;
    show(sorted.map((c) => ({ ...c, share: c.count / top, chosen: c.type === type && c.namespace === namespace })));
    rows.hidden = all.length === 0;
    nothing.hidden = all.length > 0;
  };
}

function row(f) {
  const document = [f.namespace, f.doc_type, f.doc_version].filter(Boolean).join(" / ");
  const body = h("div.failure-body");
  const details = h("details", null,
    h("summary", null,
      h("span.cause", null, f.type || "?"),
      h("span.failure-doc", null, document || f.uri || "unknown document"),
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
    h("p.note", null, size),
    p.text ? h("pre.payload", { tabindex: "0" }, indent(p.text)) : h("p.note", null, "It was empty."),
  ];
}

// The page of submissions that could not be decoded.
import { byId, h, put, list, attr } from "./dom.js";
import { get } from "./api.js";
import { on } from "./live.js";
import { bytes, count, exact, moment, plural } from "./format.js";
import { empty } from "./parts.js";
import { since } from "./times.js";
import { choices } from "./choices.js";
import { indent } from "./json.js";

const MOST = 200;

export function errors() {
  const rows = h("ul.failures");
  const nothing = empty("No errors", "A submission that cannot be decoded appears here at once, with its cause and the beginning of what was sent.");
  byId("list").append(rows, nothing);
  const show = list(rows, (f) => f.position, row);
  const type = byId("by-type");
  const namespace = byId("by-namespace");
  const table = counts((t, n) => {
    const same = type.value === t && namespace.value === n;
    type.value = same ? "" : t;
    namespace.value = same ? "" : n;
    load().catch(() => {});
  });
  const load = async () => {
    const asked = type.value;
    const answer = await get(`errors?n=${MOST}` + (asked ? "&type=" + encodeURIComponent(asked) : ""));
    if (asked !== type.value) return load();
    const found = answer.errors.filter((f) => !namespace.value || f.namespace === namespace.value);
    choices(type, answer.counts.map((c) => c.type));
    choices(namespace, answer.counts.map((c) => c.namespace));
    table(answer.counts, type.value, namespace.value);
    show(found);
    rows.hidden = found.length === 0;
    nothing.hidden = found.length > 0;
    put(nothing.firstChild, asked || namespace.value ? "None of the newest fits" : "No errors");
    const sum = answer.counts.reduce((n, c) => n + c.count, 0);
    put(byId("sum"), `${plural(sum, "submission")} could not be decoded` + (answer.duplicates ? `, ${plural(answer.duplicates, "duplicate")}` : "") +
      (found.length ? ` · the newest ${found.length} are listed` : ""));
  };
  for (const s of [type, namespace]) s.addEventListener("change", () => load().catch(() => {}));
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
  details.addEventListener("toggle", () => details.open && !body.firstChild && body.append(...inside(f)));
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

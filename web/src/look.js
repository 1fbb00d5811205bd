// Looking into one call of a trial: what it read, fuel by line, and what came of it.
import { byId, h, put } from "./dom.js";
import { post, waitTrial } from "./api.js";
import { lines } from "./code.js";
import { bytes, exact, moment } from "./format.js";
import { problem } from "./parts.js";
import { messageLine, messageTable, text } from "./message.js";

// look opens the dialog with call number n of the trial id. source is Lua as it was tried, "" for a module.
export async function look(id, n, source) {
  const dialog = byId("look");
  const place = byId("look-body");
  put(byId("look-head"), `Call ${exact(n)}`);
  place.replaceChildren(h("p.note", { role: "status" }, "The trial is done again until then …"));
  if (!dialog.open) dialog.showModal();
  try {
    const begun = await post(`try/${id}/calls/${n}`);
    const r = await waitTrial(begun.id, (r) => dialog.open && r);
    if (!r) return;
    place.replaceChildren(...(r.step ? all(r.step, source, (m) => look(id, m, source)) : [problem("This call cannot be shown", r.problem)]));
  } catch (err) {
    place.replaceChildren(problem("This call cannot be shown", err.message));
  }
}

function all(s, source, go) {
  const other = (n, word) => h("button", { type: "button", disabled: n < 1, onclick: () => go(n) }, word);
  const returned = s.outcome !== "ok" ? problem(`${s.outcome.replaceAll("_", " ")}${s.line ? `, line ${s.line}` : ""}`, s.text, s.trace ? h("pre.payload", null, s.trace) : null)
    : h("p", null, s.message ? `It returned ${s.status}${s.text ? `, “${s.text}”` : ""}.` : "A timer event, which ended well.");
  const marked = new Set(s.reads.map((r) => r.name.split(", ")[0]));
  return [
    h("div.actions", null, other(s.call - 1, "Call before"), other(s.call + 1, "Next call"), h("span.note", null, `${moment(s.time)} · fuel ${exact(s.fuel)}`)),
    returned,
    h("div.pair.look", null,
      h("div", null, section("Fuel by line", source ? byLine(source, s) : h("p.note", null, "A module has no lines."))),
      h("div", null,
        section("Read of the message", s.reads.length ? reads(s.reads) : h("p.note", null, "Nothing.")),
        s.made.length ? section("Made", h("ul.failures.messages", null, ...s.made.map((m) => h("li", null, messageLine(m.message, text(m.message.Type) || "no type", ""))))) : null,
        s.prints.length ? section("Printed", h("ol.log", null, ...s.prints.map((p) => h("li", null, h("span", null, p))))) : null,
        s.message ? section(`The message${s.cut ? ", its beginning" : ""}`, h("div.failure-body", null, messageTable(s.message, { marked }))) : null)),
  ];
}

const section = (title, content) => h("section", null, h("h3", null, title), h("div.panel", null, content));

// byLine is the source, with the fuel before each line and a colour by its share.
function byLine(source, s) {
  const used = s.lines ?? {};
  const most = Math.max(1, ...Object.values(used));
  const code = lines(source.replace(/\n$/, ""), s.line ?? 0, s.outcome === "ok" ? "" : s.text);
  return h("div.code-box.fuel", { tabindex: "0" }, h("ol.code", null, ...code.map((li, i) => {
    const n = used[i + 1];
    li.prepend(h("span.fuel-of", { "data-share": n ? Math.ceil((4 * n) / most) : null }, n ? exact(n) : ""));
    return li;
  })));
}

function reads(all) {
  return h("table.reads", null,
    h("thead", null, h("tr", null, h("th", { scope: "col" }, "Name"), h("th", { scope: "col" }, "Value"), h("th.num", { scope: "col" }, "Times"))),
    h("tbody", null, ...all.map((r) => h("tr", null,
      h("td.mono", { "data-label": "Name" }, r.name),
      h("td.mono", { "data-label": "Value" }, r.type ? h("span", { title: `${r.type}, ${bytes(r.value.length)}` }, r.type === "text" ? JSON.stringify(r.value) : r.value) : h("span.note", null, "nil: the message has none")),
      h("td.num", { "data-label": "Times" }, exact(r.count))))));
}

// The messages that caused an alert, and running its plugin again on them or on the time before.
import { byId, h, put } from "./dom.js";
import { get, post, waitTrial } from "./api.js";
import { problem } from "./parts.js";
import { messageTable, text } from "./message.js";
import { range, trial } from "./trial.js";
import { keepGiven } from "./try.js";
import { moment, plural } from "./format.js";

const BEFORE = { "1h": "the hour before", "6h": "6 hours before", "24h": "the day before" };

// evidence fills its part of the page of an alert.
export async function evidence(a) {
  const { messages } = await get(`alerts/${encodeURIComponent(a.key)}/evidence`);
  const kept = messages.filter((m) => m.message);
  byId("evidence-part").hidden = false;
  put(byId("evidence-sum"), kept.length ? plural(kept.length, "message") : "none is kept");
  byId("evidence").replaceChildren(...(messages.length ? messages.map(one) : [h("p.note.pad", null, "It does not say which messages caused it.")]));
  again(a, kept.map((m) => m.message), messages.every((m) => !m.cut));
}

function one(m) {
  const where = h("a", { href: "/messages?" + new URLSearchParams({ stream: m.stream, position: m.position }) }, `${m.position} in ${m.stream}`);
  if (!m.message) return h("p.note.pad", null, where, ": ", m.missing);
  return h("details", null,
    h("summary", null, h("span.cause", null, text(m.message.Type) || "no type"), h("span.failure-doc", null, moment(m.message.Timestamp / 1e6)), where),
    h("div.failure-body", null, m.cut ? h("p.note", null, "Long texts are cut.") : null, messageTable(m.message)));
}

// again is what runs the plugin once more.
function again(a, messages, whole) {
  const over = h("select", { "aria-label": "Over which messages" },
    messages.length ? h("option", { value: "" }, messages.length === 1 ? "this message" : "these messages") : null,
    ...Object.entries(BEFORE).map(([value, words]) => h("option", { value }, words)));
  const button = h("button", { type: "button", title: "The version that raised it, beside the one that runs now; nothing is published" }, "Run again");
  const said = h("p.note", { role: "status" });
  const place = h("div");
  let shown = null;
  button.addEventListener("click", async () => {
    button.disabled = true;
    shown?.remove();
    place.replaceChildren();
    put(said, "Begins …");
    try {
      const { id } = await post(`alerts/${encodeURIComponent(a.key)}/rerun`, over.value ? { before: over.value } : {});
      const r = await waitTrial(id, (r) => put(said, r.state === "running" ? range(r) : "Looks for the messages …") || true);
      if (r.state === "failed") throw new Error(r.problem);
      put(said, `${range(r)}, in ${r.seconds.toFixed(1)} s. ${r.problem ?? ""}`);
      shown = trial({ ...r, as: a.ran ? `Version ${a.ran.version}` : null }, null);
      place.append(shown.el);
    } catch (err) {
      put(said, "");
      place.replaceChildren(problem("It was not run again", err.message));
    }
    button.disabled = false;
  });
  const open = messages.length && whole && h("button.quiet", { type: "button", title: "Change the plugin and see what it does with these messages", onclick: () => {
    keepGiven(messages);
    location.assign("/deploy?plugin=" + encodeURIComponent(a.logger) + "#try");
  } }, "Open in Try");
  byId("again").replaceChildren(h("div.actions.start", null, over, button, open || null, said), place);
}

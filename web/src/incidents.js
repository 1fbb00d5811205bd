// What fires: who looks after it, and the ways to have peace.
import { h, list, put } from "./dom.js";
import { del, get, me, post, pluginPage } from "./api.js";
import { moment, plural } from "./format.js";
import { empty, pluginName } from "./parts.js";
import { since, setSince } from "./times.js";
import { refresh } from "./live.js";

export const alertPage = (key) => "/alerts/" + encodeURIComponent(key);

const WHO = / \([^()]*\)$/; // the address behind a name
export const who = (author) => (author ?? "").replace(WHO, "") || "somebody";

// incidents shows what fires in place. The function it returns takes the newest ones.
export function incidents(place) {
  const rows = h("ul.alert-list.incidents");
  const nothing = empty("Nothing fires", "An incident begins with an alert, and is over when no other one came for as long as its plugin keeps quiet, and five minutes.");
  place.append(rows, nothing);
  const show = list(rows, (i) => `${i.logger} ${i.id} ${i.began}`, item);
  return (all) => {
    show(all);
    rows.hidden = all.length === 0;
    nothing.hidden = all.length > 0;
  };
}

function item(first) {
  const title = h("a");
  const last = since(first.last);
  const facts = h("p.note");
  const state = h("p.note");
  const actions = h("div.actions");
  const el = h("li.alert", null, h("div.alert-top", null, h("b", null, title), last),
    h("p", null, h("a.alert-from", { href: pluginPage(first.logger) }, ...pluginName(first.logger)), first.id ? h("span.note", null, ` · ${first.id}`) : null), facts, state, actions);
  return {
    el,
    update(i) {
      title.href = alertPage(i.key);
      put(title, i.summary || i.id || "Alert");
      setSince(last, i.last);
      put(facts, `${plural(i.count, "alert")} since ${moment(i.began)}`);
      put(state, words(i));
      state.hidden = !state.textContent;
      el.dataset.quiet = Boolean(i.seen || i.silence);
      const key = [i.key, Boolean(i.seen), i.silence?.id].join();
      if (actions.dataset.key === key) return;
      actions.dataset.key = key;
      actions.replaceChildren(...buttons(i, i.key));
    },
  };
}

// words say what people decided about an incident.
export function words(i) {
  return [
    i.seen ? `${i.seen.useless ? "Called useless" : "Acknowledged"} by ${who(i.seen.author)}${i.seen.note ? `: ${i.seen.note}` : ""}` : "",
    i.silence ? `Silenced by ${who(i.silence.author)} until ${moment(i.silence.until)}: ${i.silence.why}` : "",
  ].filter(Boolean).join(" · ");
}

// buttons do something about an incident; key is that of one of its alerts.
export function buttons(i, key) {
  const out = [];
  if (i.state === "firing" && !i.seen) out.push(act("Acknowledge", `I look after it${me() ? "" : "; say who you are at the top of the page"}`, () => post(`alerts/${encodeURIComponent(key)}/acknowledge`, { note: "" })));
  if (!i.seen?.useless) out.push(act("Useless", "This was not worth an alert; the rule's history counts it", () => post(`alerts/${encodeURIComponent(key)}/acknowledge`, { note: "", useless: true })));
  if (i.silence) out.push(act("End the silence", "", () => del("silences/" + encodeURIComponent(i.silence.id))));
  else out.push(h("button.quiet", { type: "button", onclick: () => askSilence(i) }, "Silence"));
  return out;
}

function act(label, title, f) {
  const b = h("button", { type: "button", title, onclick: async () => {
    b.disabled = true;
    try {
      await f();
      refresh();
    } catch (err) {
      b.disabled = false;
      b.after(h("span.note.bad-text", { role: "alert" }, " " + err.message));
    }
  } }, label);
  return b;
}

const LASTS = [[3600, "1 hour"], [4 * 3600, "4 hours"], [86_400, "1 day"], [7 * 86_400, "1 week"], [30 * 86_400, "30 days"]];

// askSilence asks for how long, why and what of.
function askSilence(i) {
  const lasts = h("select", { name: "lasts" }, ...LASTS.map(([s, name]) => h("option", { value: s }, name)));
  const scope = h("select", { name: "scope" }, h("option", { value: "subject" }, i.id ? `only about ${i.id}` : "only these, without a subject"), h("option", { value: "all" }, `all of ${i.logger}`));
  const why = h("input", { type: "text", name: "why", required: true, maxlength: 300, placeholder: "a known outage, a test, …" });
  const fault = h("p.note.bad-text", { role: "alert" });
  const form = h("form", { method: "dialog", onsubmit: async (e) => {
    if (e.submitter?.value !== "yes") return;
    e.preventDefault();
    const until = new Date(Date.now() + 1000 * Number(lasts.value)).toISOString();
    try {
      await post("silences", { plugin: i.logger, subject: scope.value === "all" || !i.id ? "" : i.id, why: why.value.trim(), until });
      dialog.close();
      refresh();
    } catch (err) {
      put(fault, err.message);
    }
  } },
  h("h2", null, "Silence alerts"), h("p", null, "They still appear here and on graphs, and ask for nobody's attention. Who, why and until when is shown to all."),
  h("label.field", null, "For ", lasts), h("label.field", null, "Which ", scope), h("label.field", null, "Why ", why), fault,
  h("div.actions", null, h("button", { value: "no", formnovalidate: true }, "Cancel"), h("button.primary", { value: "yes" }, "Silence")));
  const dialog = h("dialog", { "aria-label": "Silence alerts", onclose: () => dialog.remove() }, form);
  document.body.append(dialog);
  dialog.showModal();
}

// silences shows those that hold.
export function silences(place) {
  const rows = h("ul.alert-list.silences");
  const nothing = empty("No silences", "");
  place.append(rows, nothing);
  const show = list(rows, (q) => `${q.id} ${q.version}`, (q) => ({
    el: h("li.alert.version", null,
      h("div.alert-top", null, h("b", null, ...pluginName(q.plugin)), h("span.note", null, `until ${moment(q.until)}`)),
      q.subject ? h("p.note", null, `about ${q.subject}`) : null,
      h("p.alert-detail", null, `${who(q.author)}: ${q.why}`),
      h("div.actions", null, act("End", "", () => del("silences/" + encodeURIComponent(q.id))))),
  }));
  return async () => {
    const { silences: all } = await get("silences");
    show(all);
    rows.hidden = all.length === 0;
    nothing.hidden = all.length > 0;
  };
}

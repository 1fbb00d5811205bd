// Who is told of alerts: routes, a form for each, tests, and what could not be delivered.
import { byId, h, list, put } from "./dom.js";
import { del, get, post, putJSON } from "./api.js";
import { moment, plural, span } from "./format.js";
import { empty } from "./parts.js";
import { since, setSince } from "./times.js";
import { refresh } from "./live.js";
import { who } from "./incidents.js";

const WAITS = [[0, "at once"], [30, "30 seconds"], [60, "1 minute"], [300, "5 minutes"], [900, "15 minutes"], [3600, "1 hour"]];
const REPEATS = [[0, "never"], [3600, "every hour"], [4 * 3600, "every 4 hours"], [86_400, "every day"]];

// routes fills place, and returns the function that draws what is there now.
export function routes(place) {
  const rows = h("ul.alert-list.routes");
  const nothing = empty("Nobody is told", "Alerts are on this page only. A route tells people by mail or webhook.");
  place.append(rows, nothing);
  let mails = false;
  byId("add-route").addEventListener("click", () => edit(null, mails));
  const show = list(rows, (r) => `${r.id} ${r.version}`, (r) => item(r, () => mails));
  return async () => {
    const answer = await get("routes");
    mails = answer.mails;
    show(answer.routes);
    rows.hidden = answer.routes.length === 0;
    nothing.hidden = !rows.hidden;
  };
}

function item(r, mails) {
  const said = h("p.note", { role: "status" });
  const to = [...(r.mail ?? []), ...r.webhooks.map((w) => new URL(w.url).host)];
  const test = h("button", { type: "button", onclick: async () => {
    test.disabled = true;
    put(said, "…");
    try {
      const { tested } = await post(`routes/${encodeURIComponent(r.id)}/test`);
      put(said, tested.map((t) => `${t.address}: ${t.error || "delivered"}`).join(" · "));
    } catch (err) {
      put(said, err.message);
    }
    test.disabled = false;
  } }, "Send a test");
  return {
    el: h("li.alert.version", null,
      h("div.alert-top", null, h("b", null, r.title), h("span.note", null, r.by_subject ? "by subject" : "by plugin")),
      h("p.alert-detail", null, to.join(", ")), h("code.note", null, r.matcher),
      h("p.note", null, `${r.wait ? `after ${span(1000 * r.wait)}` : "at once"}, news every ${span(1000 * r.interval)}${r.repeat ? `, again every ${span(1000 * r.repeat)}` : ""}${r.resolved ? ", and when it is over" : ""} · by ${who(r.author)}`),
      h("div.actions", null, test, h("button.quiet", { type: "button", onclick: () => edit(r, mails()) }, "Edit"),
        h("button.quiet", { type: "button", onclick: async () => {
          if (!confirm(`Remove the route “${r.title}”? Nobody is told by it any more.`)) return;
          await del("routes/" + encodeURIComponent(r.id)).catch((err) => put(said, err.message));
          refresh();
        } }, "Remove")), said),
  };
}

// edit opens the form of a route, or of a new one.
function edit(r, mails) {
  const input = (value, more = {}) => h("input", { type: "text", value, ...more });
  const select = (choices, value) => {
    const all = choices.some(([s]) => s === value) ? choices : [...choices, [value, span(1000 * value)]];
    const el = h("select", null, ...all.map(([s, name]) => h("option", { value: s }, name)));
    el.value = value;
    return el;
  };
  const title = input(r?.title ?? "", { required: true, maxlength: 120 });
  const matcher = input(r?.matcher ?? "TRUE", { class: "mono", required: true, spellcheck: "false" });
  const mail = input((r?.mail ?? []).join(", "), { placeholder: mails ? "ann@example.com, bob@example.com" : "this host has no mail server", disabled: !mails });
  const url = input(r?.webhooks[0]?.url ?? "", { placeholder: "https://example.com/hook", type: "url" });
  const secret = input("", { placeholder: r?.webhooks[0]?.signed ? "kept as it is" : "signs what is sent, if you like", autocomplete: "off" });
  const wait = select(WAITS, r?.wait ?? 30);
  const interval = select(WAITS, r?.interval ?? 300);
  const repeat = select(REPEATS, r?.repeat ?? 4 * 3600);
  const check = (label, on) => {
    const box = h("input", { type: "checkbox", checked: on });
    return { box, el: h("label.check", null, box, " " + label) };
  };
  const resolved = check("Also when it is over", r?.resolved ?? true);
  const bySubject = check("For each subject, not for each plugin", r?.by_subject ?? false);
  const fault = h("p.note.bad-text", { role: "alert" });
  const save = async () => {
    const hooks = (r?.webhooks ?? []).slice(1).map((w) => ({ url: w.url }));
    if (url.value.trim()) hooks.unshift({ url: url.value.trim(), secret: secret.value });
    const body = {
      title: title.value.trim(), matcher: matcher.value.trim(), mail: mail.value.split(/[,;\s]+/).filter(Boolean), webhooks: hooks,
      wait: Number(wait.value), interval: Number(interval.value), repeat: Number(repeat.value), resolved: resolved.box.checked, by_subject: bySubject.box.checked,
    };
    const id = r?.id ?? (body.title.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 50) || "route") + "-" + Date.now().toString(36);
    await putJSON("routes/" + encodeURIComponent(id), body, r?.version);
  };
  const form = h("form", { method: "dialog", onsubmit: async (e) => {
    if (e.submitter?.value !== "yes") return;
    e.preventDefault();
    try {
      await save();
      dialog.close();
      refresh();
    } catch (err) {
      put(fault, err.status === 409 ? "Somebody else has changed this route meanwhile; close this and look." : err.message);
    }
  } },
  h("h2", null, r ? "Change a route" : "Tell somebody"),
  h("label.field", null, "Title ", title), h("label.field", null, "Of alerts that match ", matcher, h("span.hint", null, "TRUE for all; Logger == 'analysis.rate'; Fields[id] =~ 'main'")),
  h("label.field", null, "Mail to ", mail), h("label.field", null, "Webhook ", url), h("label.field", null, "Its secret ", secret),
  h("div.fields", null, h("label.field", null, "After the first alert ", wait), h("label.field", null, "Between news ", interval), h("label.field", null, "Again without news ", repeat)),
  resolved.el, bySubject.el, fault,
  h("div.actions", null, h("button", { value: "no", formnovalidate: true }, "Cancel"), h("button.primary", { value: "yes" }, "Save")));
  const dialog = h("dialog.route-form", { "aria-label": "A route", onclose: () => dialog.remove() }, form);
  document.body.append(dialog);
  dialog.showModal();
}

// notices shows what waits to be delivered and what was given up. The function that it returns draws what is there now.
export function notices(place) {
  const sum = h("p.note");
  const rows = h("ul.alert-list.routes");
  place.append(sum, rows);
  const show = list(rows, (j) => j.id, (first) => {
    const state = h("p.alert-detail");
    const when = since(first.made);
    const again = h("button", { type: "button", onclick: async () => {
      again.disabled = true;
      await post(`notices/${encodeURIComponent(first.id)}/again`).catch(() => {});
      refresh();
    } }, "Try now");
    return {
      el: h("li.alert", null, h("div.alert-top", null, h("b", null, first.to.address), when), h("p.note", null, first.notice.firing?.[0]?.summary ?? first.notice.plugin), state, h("div.actions", null, again)),
      update(j) {
        setSince(when, j.made);
        put(state, `${j.dead ? "Given up" : j.attempts ? `Tried ${plural(j.attempts, "time")}, again ${moment(j.next)}` : "Under way"}${j.error ? `: ${j.error}` : ""}`);
        again.disabled = false;
      },
    };
  });
  return async () => {
    let now;
    try {
      now = await get("notices");
    } catch (err) {
      if (err.status !== 503) throw err;
      put(sum, err.message);
      show([]);
      return;
    }
    const all = [...now.waiting.filter((j) => j.attempts > 0), ...now.dead.map((j) => ({ ...j, dead: true }))];
    show(all.slice(0, 20));
    put(sum, [now.sent || all.length ? `${plural(now.sent, "notice")} delivered` : "", now.waiting.length ? `${now.waiting.length} under way` : "", now.failed ? `${now.failed} given up` : "",
      now.dropped ? `${plural(now.dropped, "alert")} of which nobody was told for want of room` : ""].filter(Boolean).join(" · "));
  };
}

// Who is told of alerts: routes, a form for each, tests, and what could not be delivered.
import { byId, h, list, put } from "./dom.js";
import { del, get, pluginPage, post, putJSON } from "./api.js";
import { moment, plural, span } from "./format.js";
import { empty } from "./parts.js";
import { since, setSince } from "./times.js";
import { refresh } from "./live.js";
import { who } from "./incidents.js";

const WAITS = [[0, "at once"], [30, "30 seconds"], [60, "1 minute"], [300, "5 minutes"], [900, "15 minutes"], [3600, "1 hour"]];
const ESCALATE = [[0, "nobody"], [900, "after 15 minutes"], [1800, "after 30 minutes"], [3600, "after 1 hour"], [4 * 3600, "after 4 hours"]];
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

// named is an address for people.
function named(w) {
  const service = FORMS.find(([value]) => value === (w.form || "webhook"))?.[1] ?? w.form;
  if (!w.url) return service;
  const host = URL.canParse(w.url) ? new URL(w.url).host : w.url;
  return w.form && w.form !== "webhook" ? `${service} (${host})` : host;
}

function item(r, mails) {
  const said = h("p.note", { role: "status" });
  const to = [...(r.mail ?? []), ...r.webhooks.map(named)];
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
      h("div.alert-top", null, h("b", null, r.title), h("span.note", null, [r.by_subject ? "by subject" : "by plugin", ...(r.group_by ?? [])].join(", "))),
      h("p.alert-detail", null, to.join(", ")), h("code.note", null, [r.matcher, ...Object.entries(r.labels ?? {}).map(([k, v]) => `${k}=${v}`), r.owner ? `by ${r.owner}` : ""].filter(Boolean).join(", ")),
      h("p.note", null, `${r.wait ? `after ${span(1000 * r.wait)}` : "at once"}, news every ${span(1000 * r.interval)}${r.repeat ? `, again every ${span(1000 * r.repeat)}` : ""}${r.resolved ? ", and when it is over" : ""}${r.quiet ? `, not from ${r.quiet.from} to ${r.quiet.to}` : ""}${r.unless ? `, not while ${r.unless}` : ""}${r.escalate ? `, after ${span(1000 * r.escalate.after)} also ${[...(r.escalate.mail ?? []), ...r.escalate.webhooks.map(named)].join(", ")}` : ""} · by ${who(r.author)}`),
      h("div.actions", null, test, h("button.quiet", { type: "button", onclick: () => edit(r, mails()) }, "Edit"),
        h("button.quiet", { type: "button", onclick: async () => {
          if (!confirm(`Remove the route “${r.title}”? Nobody is told by it any more.`)) return;
          await del("routes/" + encodeURIComponent(r.id)).catch((err) => put(said, err.message));
          refresh();
        } }, "Remove")), said),
  };
}

const FORMS = [["webhook", "Webhook (JSON)"], ["slack", "Slack"], ["teams", "Microsoft Teams"], ["pagerduty", "PagerDuty"], ["opsgenie", "Opsgenie"], ["alertmanager", "Alertmanager"], ["irc", "IRC"]];
const HINTS = {
  webhook: ["https://example.com/hook", "secret, to sign what is sent"], slack: ["https://hooks.slack.com/services/…", ""], teams: ["https://….logic.azure.com/…", ""],
  pagerduty: ["empty, or an address of your region", "integration key"], opsgenie: ["empty, or https://api.eu.opsgenie.com", "API key"],
  alertmanager: ["https://alertmanager.example.com", "bearer token, if it wants one"], irc: ["ircs://irc.example.com/channel", "server password, if it wants one"],
};

// addresses is a list of services to tell, with a button for one more; value gives them.
function addresses(hooks) {
  const rows = h("div.hooks");
  const add = (w = { form: "webhook", url: "" }) => {
    const form = h("select", { "aria-label": "Service" }, ...FORMS.map(([value, name]) => h("option", { value }, name)));
    form.value = w.form || "webhook";
    const url = h("input", { type: "text", value: w.url, "aria-label": "Address", spellcheck: "false" });
    const secret = h("input", { type: "text", autocomplete: "off", "aria-label": "Secret" });
    const template = h("textarea.mono", { rows: 3, value: w.template ?? "", "aria-label": "Template of the body", placeholder: "Template of the body, or nothing: {\"text\": {{json (title .)}}}", spellcheck: "false" });
    const hint = () => {
      [url.placeholder, secret.placeholder] = HINTS[form.value];
      if (w.signed) secret.placeholder = "kept as it is";
      secret.hidden = !HINTS[form.value][1];
      template.hidden = form.value !== "webhook";
    };
    form.addEventListener("change", hint);
    hint();
    const row = h("div.hook", null, form, url, h("button.quiet", { type: "button", onclick: () => row.remove() }, "Remove"), secret, template);
    row.value = () => ({ form: form.value === "webhook" ? "" : form.value, url: url.value.trim(), secret: secret.value, template: form.value === "webhook" ? template.value.trim() : "" });
    rows.append(row);
  };
  for (const w of hooks) add(w);
  return {
    el: h("div.field", null, rows, h("button", { type: "button", onclick: () => add() }, "Add a service")),
    value: () => [...rows.children].map((row) => row.value()).filter((w) => w.url || w.form === "pagerduty" || w.form === "opsgenie"),
  };
}

// wouldGet says beside a matcher which of the newest alerts it takes.
function wouldGet(matcher, chosen) {
  const said = h("span.hint", { role: "status" });
  let timer = 0, asked = "";
  const ask = async () => {
    const what = { matcher: matcher.value.trim(), ...chosen() };
    const text = JSON.stringify(what);
    if (!what.matcher || text === asked) return;
    asked = text;
    try {
      const { of, matched, newest } = await post("routes/who", what);
      if (asked !== text) return;
      const some = [...new Set(newest.map((a) => `${a.logger.replace("analysis.", "")}: ${a.summary}`))].slice(0, 3);
      put(said, of ? `It would have told of ${matched} of the newest ${plural(of, "alert")}${some.length ? `: ${some.join(" · ")}${matched > some.length ? " …" : ""}` : ""}` : "There are no alerts yet to try it on.");
    } catch (err) {
      if (asked === text) put(said, err.message);
    }
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 300);
  };
  matcher.addEventListener("input", soon);
  ask();
  return { el: said, soon };
}

// pairs are labels as one writes them: team=web country=DE.
const pairs = (el) => Object.fromEntries(words(el).map((s) => [s.split("=")[0], s.split("=").slice(1).join("=")]));
const words = (el) => el.value.split(/[,;\s]+/).filter(Boolean);
const mailboxes = (el) => el.value.split(/[,;\s]+/).filter(Boolean);

// edit opens the form of a route, or of a new one.
function edit(r, mails) {
  const input = (value, more = {}) => h("input", { type: "text", value, ...more });
  const select = (choices, value) => {
    const all = choices.some(([s]) => s === value) ? choices : [...choices, [value, span(1000 * value)]];
    const el = h("select", null, ...all.map(([s, name]) => h("option", { value: s }, name)));
    el.value = value;
    return el;
  };
  const mailbox = (value) => input((value ?? []).join(", "), { placeholder: mails ? "ann@example.com, bob@example.com" : "this host has no mail server", disabled: !mails });
  const title = input(r?.title ?? "", { required: true, maxlength: 120 });
  const matcher = input(r?.matcher ?? "TRUE", { class: "mono", required: true, spellcheck: "false" });
  const mail = mailbox(r?.mail);
  const services = addresses(r?.webhooks ?? [{ url: "" }]);
  const wait = select(WAITS, r?.wait ?? 30);
  const interval = select(WAITS, r?.interval ?? 300);
  const repeat = select(REPEATS, r?.repeat ?? 4 * 3600);
  const check = (label, on) => {
    const box = h("input", { type: "checkbox", checked: on });
    return { box, el: h("label.check", null, box, " " + label) };
  };
  const resolved = check("Also when it is over", r?.resolved ?? true);
  const bySubject = check("For each subject, not for each plugin", r?.by_subject ?? false);
  const unless = input(r?.unless ?? "", { class: "mono", spellcheck: "false", placeholder: "Logger == 'host.plugins'" });
  const from = h("input", { type: "time", value: r?.quiet?.from ?? "" });
  const to = h("input", { type: "time", value: r?.quiet?.to ?? "" });
  const zone = input(r?.quiet?.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone);
  const late = select(ESCALATE, r?.escalate?.after ?? 0);
  const lateMail = mailbox(r?.escalate?.mail);
  const lateServices = addresses(r?.escalate?.webhooks ?? []);
  const owner = input(r?.owner ?? "", { placeholder: "anybody", maxlength: 120 });
  const labels = input(Object.entries(r?.labels ?? {}).map(([k, v]) => `${k}=${v}`).join(" "), { placeholder: "team=web", spellcheck: "false" });
  const groupBy = input((r?.group_by ?? []).join(" "), { placeholder: "country", spellcheck: "false" });
  const chosen = () => ({ owner: owner.value.trim(), labels: pairs(labels) });
  const would = wouldGet(matcher, chosen);
  for (const el of [owner, labels]) el.addEventListener("input", would.soon);
  const fault = h("p.note.bad-text", { role: "alert" });
  const save = async () => {
    const body = {
      title: title.value.trim(), matcher: matcher.value.trim(), ...chosen(), group_by: words(groupBy), mail: mailboxes(mail), webhooks: services.value(),
      wait: Number(wait.value), interval: Number(interval.value), repeat: Number(repeat.value), resolved: resolved.box.checked, by_subject: bySubject.box.checked,
      unless: unless.value.trim() || undefined,
      quiet: from.value && to.value ? { from: from.value, to: to.value, zone: zone.value.trim(), days: r?.quiet?.days } : undefined,
      escalate: Number(late.value) ? { after: Number(late.value), mail: mailboxes(lateMail), webhooks: lateServices.value() } : undefined,
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
  h("div.fields", null, h("label.field", null, "With labels ", labels), h("label.field", null, "Of plugins by ", owner)), would.el,
  h("label.field", null, "Mail to ", mail), services.el,
  h("div.fields", null, h("label.field", null, "After the first alert ", wait), h("label.field", null, "Between news ", interval), h("label.field", null, "Again without news ", repeat)),
  resolved.el, bySubject.el, h("label.field", null, "For each value of the labels ", groupBy),
  h("details", { open: Boolean(r?.unless || r?.quiet || r?.escalate) }, h("summary", null, "Quiet hours, escalation, exceptions"),
    h("div.fields", null, h("label.field", null, "Quiet from ", from), h("label.field", null, "to ", to), h("label.field", null, "Time zone ", zone)),
    h("label.field", null, "Not while an alert fires that matches ", unless),
    h("label.field", null, "When nobody acknowledges, also tell ", late), h("label.field", null, "by mail to ", lateMail), lateServices.el),
  fault, h("div.actions", null, h("button", { value: "no", formnovalidate: true }, "Cancel"), h("button.primary", { value: "yes" }, "Save")));
  const dialog = h("dialog.route-form", { "aria-label": "A route", onclose: () => dialog.remove() }, form);
  document.body.append(dialog);
  dialog.showModal();
}

// notices shows what waits to be delivered and what was given up. The function that it returns draws what is there now.
export function notices(place) {
  const sum = h("p.note");
  const digests = h("div");
  const rows = h("ul.alert-list.routes");
  place.append(sum, digests, rows);
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
    digests.replaceChildren(...now.digests.map((d) => h("p.note.bad-text", null, h("a", { href: pluginPage(d.plugin) }, d.plugin), ` raises more alerts than its budget of ${plural(d.budget, "incident")} an hour: news of it are told once an hour`)));
    put(sum, [now.sent || all.length ? `${plural(now.sent, "notice")} delivered` : "", now.waiting.length ? `${now.waiting.length} under way` : "", now.failed ? `${now.failed} given up` : "",
      now.dropped ? `${plural(now.dropped, "alert")} of which nobody was told for want of room` : ""].filter(Boolean).join(" · "));
  };
}

// The messages that a plugin failed on: what it said, how often, and the way to try one again.
import { byId, h, list, put } from "./dom.js";
import { get, post, pluginPath, waitTrial } from "./api.js";
import { exact, plural } from "./format.js";
import { since, setSince } from "./times.js";
import { messageTable } from "./message.js";
import { problem } from "./parts.js";
import { keepGiven } from "./try.js";

// letters draws them into the page of a plugin; current() is the plugin as the API has it. Returns the function that draws anew.
export function letters(name, current) {
  const part = byId("letters-part");
  const rows = h("ul.failures");
  byId("letters").append(rows);
  const show = list(rows, (l) => l.text, (l) => row(l, current));
  return async () => {
    const all = await get(pluginPath(name, "/letters"));
    part.hidden = all.length === 0;
    put(byId("letters-sum"), plural(all.reduce((n, l) => n + l.count, 0), "message"));
    show(all);
  };
}

function row(l, current) {
  const count = h("span.cause");
  const when = since(l.last);
  const body = h("div.failure-body");
  const details = h("details", null, h("summary", null, count, h("span.failure-doc", { title: l.text }, l.text || "no reason was told"), when), body);
  let message = l.message;
  details.addEventListener("toggle", () => details.open && !body.firstChild && body.append(...inside()));
  const inside = () => {
    if (!message) return [h("p.note", null, "The message is too large to be kept.")];
    const said = h("div", { role: "status" });
    return [
      h("div.actions.start", null,
        h("button", { type: "button", title: "Whether the version that runs now still fails on it; nothing is published", onclick: (e) => again(e.target, message, current(), said) }, "Try again"),
        h("button", { type: "button", title: "Change the plugin and see what it does with this message", onclick: () => {
          keepGiven([message]);
          location.assign("/deploy?plugin=" + encodeURIComponent(current().name) + "#try");
        } }, "Open in Try")),
      said, messageTable(message)];
  };
  return {
    el: h("li", null, details),
    update(now) {
      put(count, `${exact(now.count)} ×`);
      setSince(when, now.last);
      if (!body.firstChild) message = now.message;
    },
  };
}

// again runs the plugin as it is now on one message.
async function again(button, message, p, said) {
  button.disabled = true;
  put(said, "…");
  try {
    const [kind, ...rest] = p.name.split(".");
    const { id } = await post("try", { kind, name: rest.join("."), config: p.config, source: p.source, messages: [message] });
    const { tried: t } = await waitTrial(id, () => true);
    said.replaceChildren(t.ended ? problem(`It would be terminated: ${t.ended.outcome.replaceAll("_", " ")}`, t.ended.text)
      : t.failures.length ? h("p", null, `It still returns −1: ${t.failures[0].text || "no reason"}`)
      : t.matched === 0 ? h("p", null, "Its message_matcher does not take this message any more.")
      : h("p", null, "It takes the message now, without its earlier state."));
  } catch (err) {
    put(said, err.message);
  }
  button.disabled = false;
}

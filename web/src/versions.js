// The versions of a plugin: who submitted each, when and why, and the way back to one.
import { h, list, put } from "./dom.js";
import { get, post, pluginPath } from "./api.js";
import { since } from "./times.js";
import { diff } from "./diff.js";
import { page } from "./range.js";

// versions fills place; now is the number of the version that is there, 0 when the plugin was removed. failed hears of errors, done when
// one was brought back. Returns the function that draws.
export function versions(place, name, failed, done) {
  const rows = h("ul.alert-list");
  place.append(rows);
  let now = 0;
  let known = []; // numbers, the newest first
  const back = async (v, withState) => {
    for (const b of rows.querySelectorAll("button")) b.disabled = true;
    try {
      await post(pluginPath(name, "/rollback"), { version: v.version, with_state: withState });
      done();
    } catch (err) {
      failed(err);
    }
    for (const b of rows.querySelectorAll("button")) b.disabled = false;
  };
  const show = list(rows, (v) => v.version, (v) => {
    const what = h("b");
    const again = h("button", { type: "button", onclick: () => back(v, false) });
    const then = h("button", { type: "button", title: "With what it had counted when it was replaced or removed", onclick: () => back(v, true) }, "With its state");
    const changes = h("div");
    const before = (n) => known.find((k) => k < n) ?? 0;
    const compare = h("button.quiet", { type: "button", "aria-expanded": "false", onclick: async () => {
      const open = changes.hasChildNodes();
      compare.setAttribute("aria-expanded", !open);
      if (open) {
        changes.replaceChildren();
        return;
      }
      try {
        changes.replaceChildren(diff(await post(pluginPath(name, "/diff"), { from: before(v.version), to: v.version })));
      } catch (err) {
        failed(err);
      }
    } }, "Changes");
    const actions = h("div.actions", null, again, then, compare);
    return {
      el: h("li.alert.version", null,
        h("div.alert-top", null, what, since(v.updated)),
        v.note ? h("p.alert-detail", { title: v.note }, v.note) : null,
        h("p.note", null, v.shipped ? "shipped with Sandbar" : v.author ? `by ${v.author}` : "by somebody"),
        actions, changes),
      update: (v) => {
        put(what, `Version ${v.version}${v.version === now ? ", now" : ""}`);
        put(again, now ? "Run again" : "Restore");
        again.hidden = v.version === now;
        then.hidden = v.version === now || !v.state;
        compare.hidden = before(v.version) === 0;
      },
    };
  });
  return async (version) => {
    now = version;
    const all = await get(pluginPath(name, "/versions"));
    known = all.map((v) => v.version);
    page.setDeploys(all.map((v) => ({ at: Date.parse(v.updated) / 1000, text: `Version ${v.version}${v.author ? ` of ${v.author}` : ""}${v.note ? `: ${v.note}` : ""}` })));
    show(all);
  };
}

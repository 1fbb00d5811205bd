// The versions of a plugin: who submitted each, when and why, and the way back to one.
import { h, list, put } from "./dom.js";
import { get, post, pluginPath } from "./api.js";
import { since } from "./times.js";

// versions fills place; now is the number of the version that is there, 0 when the plugin was removed. failed hears of errors, done when
// one was brought back. Returns the function that draws.
export function versions(place, name, failed, done) {
  const rows = h("ul.alert-list");
  place.append(rows);
  let now = 0;
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
    const actions = h("div.actions", null, again, then);
    return {
      el: h("li.alert.version", null,
        h("div.alert-top", null, what, since(v.updated)),
        v.note ? h("p.alert-detail", { title: v.note }, v.note) : null,
        h("p.note", null, v.shipped ? "shipped with Sandbar" : v.author ? `by ${v.author}` : "by somebody"),
        actions),
      update: (v) => {
        put(what, `Version ${v.version}${v.version === now ? ", now" : ""}`);
        put(again, now ? "Run again" : "Restore");
        actions.hidden = v.version === now;
        then.hidden = !v.state;
      },
    };
  });
  return async (version) => {
    now = version;
    show(await get(pluginPath(name, "/versions")));
  };
}

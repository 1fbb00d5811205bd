// What somebody types into an editor is kept in the browser until it is deployed: over a reload, a click elsewhere, a crash.
import { h } from "./dom.js";
import { problem } from "./parts.js";

const PREFIX = "draft:";
const WAIT = 300; // after a key before the draft is kept

// draft keeps the work on one plugin; "" is a new one.
export function draft(name) {
  const key = PREFIX + name;
  let dirty = false;
  let timer = 0;
  let typed = () => null;
  const keep = () => {
    clearTimeout(timer);
    timer = 0;
    try {
      localStorage.setItem(key, JSON.stringify({ ...typed(), at: Date.now() }));
    } catch {
      // without room for it the question before leaving is all there is
    }
  };
  const drop = () => {
    clearTimeout(timer);
    dirty = false;
    try {
      localStorage.removeItem(key);
    } catch {
      // there was none
    }
  };
  addEventListener("beforeunload", (e) => {
    if (!dirty) return;
    keep();
    e.preventDefault();
  });
  return {
    drop,
    unsaved: () => dirty,
    follow(fields, now) {
      typed = now;
      for (const f of fields) {
        f.addEventListener("input", () => {
          dirty = true;
          clearTimeout(timer);
          timer = setTimeout(keep, WAIT);
        });
      }
    },
    // offer shows that there is a draft, which use puts into the editors.
    offer(place, use) {
      let d = null;
      try {
        d = JSON.parse(localStorage.getItem(key));
      } catch {
        d = null;
      }
      if (!d || typeof d.source !== "string" || typeof d.config !== "string") return;
      const box = problem("There is a draft that was not deployed", `It was typed at ${new Date(d.at).toLocaleString("en-GB")}.`,
        h("p", null,
          h("button", { type: "button", onclick: () => (use(d), (dirty = true), box.remove()) }, "Go on with it"), " ",
          h("button", { type: "button", onclick: () => (drop(), box.remove()) }, "Discard it")));
      box.id = "draft";
      place.replaceChildren(box);
    },
  };
}

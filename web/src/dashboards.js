// The page of all dashboards.
import { byId, h, list, put } from "./dom.js";
import { get, putJSON } from "./api.js";
import { on } from "./live.js";
import { plural } from "./format.js";
import { empty } from "./parts.js";
import { since, setSince } from "./times.js";
import { who } from "./incidents.js";

export const boardPage = (id) => "/dashboards/" + encodeURIComponent(id);

export function dashboards() {
  const rows = h("ul.alert-list");
  const nothing = empty("No dashboards yet", "A dashboard shows series of any plugins in one graph, what they print, and text. Everybody who reaches this host sees it.");
  byId("list").append(rows, nothing);
  const show = list(rows, (d) => d.id, (first) => {
    const title = h("a", { href: boardPage(first.id) });
    const when = since(first.updated);
    const note = h("p.note");
    return {
      el: h("li.alert.version", null, h("div.alert-top", null, h("b", null, title), when), note),
      update(d) {
        put(title, d.title);
        setSince(when, d.updated);
        put(note, `${plural(d.panels, "panel")} · version ${d.version} by ${who(d.author)}`);
      },
    };
  });
  on("saved", async () => {
    const { dashboards: all } = await get("dashboards");
    show([...all].sort((a, b) => a.title.localeCompare(b.title)));
    rows.hidden = all.length === 0;
    nothing.hidden = all.length > 0;
    put(byId("sum"), all.length ? plural(all.length, "dashboard") : "");
  });
  const form = byId("new");
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    const title = form.elements.title.value.trim();
    if (!title) return;
    try {
      const id = idOf(title);
      await putJSON("dashboards/" + id, { title, panels: [] });
      location.assign(boardPage(id) + "?edit");
    } catch (err) {
      put(byId("fault"), err.status === 409 ? "There is a dashboard of this name already." : err.message);
    }
  });
}

// idOf makes a name for the address of a title.
function idOf(title) {
  const id = title.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60);
  return id || `dashboard-${Date.now().toString(36)}`;
}

// The page of document types: what their schemas declare.
import { byId, h, put, attr } from "./dom.js";
import { get } from "./api.js";
import { plural } from "./format.js";
import { empty, problem } from "./parts.js";
import { quoted } from "./message.js";

const MOST = 500; // document types that are listed at once

export async function schemas() {
  const search = byId("search");
  const place = byId("types");
  let all = [];
  let chosen = new URLSearchParams(location.search).get("schema") ?? "";
  const name = (s) => `${s.namespace}/${s.doc_type}/${s.version}`;

  const draw = () => {
    const text = search.value.trim().toLowerCase();
    const fit = all.filter((s) => name(s).toLowerCase().includes(text));
    const groups = Map.groupBy(fit.slice(0, MOST), (s) => s.namespace);
    place.replaceChildren(...[...groups].map(([namespace, list]) => h("section.types", null,
      h("h3", null, namespace),
      h("ul", null, ...list.map((s) => {
        const button = h("button.quiet", { type: "button", onclick: () => show(name(s)) }, h("span.mono", null, s.doc_type), h("span.note", null, `version ${s.version}`));
        attr(button, "aria-pressed", name(s) === chosen ? "true" : "false");
        return h("li", null, button);
      })))));
    if (fit.length === 0) place.append(empty(all.length ? "None fits" : "No schemas", "A schema is a file NAMESPACE/DOCTYPE/DOCTYPE.VERSION.schema.json in the folder that the config names."));
    if (fit.length > MOST) place.append(h("p.note.more", null, `and ${plural(fit.length - MOST, "more")}: search for them`));
  };
  const show = async (which) => {
    chosen = which;
    const url = new URL(location.href);
    url.searchParams.set("schema", which);
    history.replaceState(null, "", url);
    draw();
    const at = byId("schema");
    try {
      const d = await get("schemas/" + which.split("/").map(encodeURIComponent).join("/"));
      if (chosen === which) at.replaceChildren(...describe(d));
    } catch (err) {
      at.replaceChildren(empty("There is nothing to show", err.message));
    }
  };
  search.addEventListener("input", draw);
  try {
    const answer = await get("schemas");
    all = answer.schemas;
    const types = new Set(all.map((s) => `${s.namespace}/${s.doc_type}`)).size;
    put(byId("sum"), `${plural(types, "document type")} in ${plural(new Set(all.map((s) => s.namespace)).size, "namespace")}`);
    byId("problems").replaceChildren(...answer.problems.slice(0, 20).map((p) => problem(p.path, p.text)));
    draw();
    if (!chosen && all.length) chosen = name(all[0]);
    if (chosen) show(chosen);
  } catch (err) {
    place.replaceChildren(empty("The host could not be asked", err.message));
  }
}

// describe is a schema with all that it declares.
function describe(d) {
  const wanted = `Logger == ${quoted(d.namespace)} && Fields[docType] == ${quoted(d.doc_type)}`;
  put(byId("schema-head"), `${d.doc_type}, version ${d.version}`);
  put(byId("schema-note"), plural(d.fields.length, "field") + (d.more ? ", and more that are not listed" : ""));
  return [
    h("div.schema-head", null,
      h("p", null, d.title || "It has no title."), d.text ? h("p.note", null, d.text) : null,
      h("p", null, h("a", { href: "/messages?" + new URLSearchParams({ stream: "valid", matcher: wanted }) }, "Messages of this type"))),
    h("table.schema-table", null,
      h("thead", null, h("tr", null, ...["Field", "Type", "What it is"].map((t) => h("th", { scope: "col" }, t)))),
      h("tbody", null, ...d.fields.map((f) => h("tr", null,
        h("td.mono", { "data-label": "Field" }, f.path, f.personal ? h("span.tag", { title: "The schema marks it as personal" }, "personal") : null),
        h("td", { "data-label": "Type" }, f.types.join(" or ") || "any", f.required ? h("span.note", null, " required") : null),
        h("td", { "data-label": "What it is" }, f.description ? h("span", null, f.description) : null,
          f.values ? h("span.note.mono", null, f.values.length === 1 ? `always ${f.values[0]}` : f.values.join(", ")) : null,
          f.format ? h("span.note.mono", null, f.format) : null))))),
    h("details.schema-source", null, h("summary", null, "The file"), h("pre.payload", { tabindex: "0" }, d.source)),
  ];
}

// The page of the lake: its datasets, a look into each, and SQL where DuckDB is installed.
import { byId, h, list, put, attr } from "./dom.js";
import { get, post } from "./api.js";
import { every } from "./live.js";
import { bytes, exact, moment, plural } from "./format.js";
import { empty, problem } from "./parts.js";
import { messageLine, text } from "./message.js";

const LOOK = 30_000; // milliseconds between two listings
const SHOWN = 200; // partitions or columns

export function lake() {
  const rows = h("ul.causes");
  const nothing = empty("Nothing in the lake yet", "Output plugins write Heka and Parquet files; the first appear when they are full or old enough (lake.roll_size, lake.roll_age).");
  byId("sets").append(rows, nothing);
  let chosen = new URLSearchParams(location.search).get("dataset") ?? "";
  const show = list(rows, (d) => d.name, (first) => {
    const note = h("span.note");
    const view = h("code.note");
    const size = h("b");
    const button = h("button", { type: "button", onclick: () => choose(first.name) }, h("span", null, h("span.cause", null, first.name.replace(/^\w+\//, "")), note, view), size);
    return {
      el: h("li", null, button),
      update(d) {
        put(note, `${d.format} · ${plural(d.files, "file")} in ${plural(d.partitions, "partition")}`);
        put(view, d.view ?? "");
        put(size, bytes(d.bytes));
        attr(button, "aria-pressed", d.name === chosen);
      },
    };
  });
  let sets = [];
  const draw = () => show(sets);
  const choose = (name) => {
    chosen = name;
    history.replaceState(null, "", "?" + new URLSearchParams({ dataset: name }));
    draw();
    detail(name, () => chosen === name, true);
  };
  every(async () => {
    const answer = await get("lake");
    sets = answer.datasets;
    draw();
    rows.hidden = sets.length === 0;
    nothing.hidden = sets.length > 0;
    put(byId("sum"), sets.length ? `${plural(sets.length, "dataset")}, ${bytes(sets.reduce((n, d) => n + d.bytes, 0))}${answer.cut ? "; there are more files than were looked at" : ""}` : "");
    sql(answer);
  }, LOOK);
  if (chosen) detail(chosen, () => true, true);
  query();
}

// detail shows a dataset, and asks again while rows are counted.
async function detail(name, wanted, first) {
  const part = byId("one");
  try {
    const d = await get("lake/dataset?" + new URLSearchParams({ name }));
    if (!wanted()) return;
    part.hidden = false;
    byId("trouble").replaceChildren();
    put(byId("one-head"), d.name);
    const counting = d.counted < d.files;
    put(byId("one-sum"), `${exact(d.rows)} ${d.format === "heka" ? "messages" : "rows"}${counting ? ` in ${d.counted} of ${d.files} files, counting` : ` in ${plural(d.files, "file")}`}, ${bytes(d.bytes)}`);
    byId("broken").replaceChildren(...(d.broken_count ? [problem(`${plural(d.broken_count, "file")} cannot be read`, d.broken.join("\n"))] : []));
    byId("parts").replaceChildren(table(["Partition", "Files", "Size", "Rows", "Newest"], d.parts.slice(0, SHOWN).map((p) => [
      h("button.quiet", { type: "button", title: "Look into this partition", onclick: () => preview(name, p.name, wanted) }, p.name || "(none)"),
      exact(p.files), bytes(p.bytes), p.counted < p.files ? `${exact(p.rows)} …` : exact(p.rows), moment(p.newest)]), d.parts.length));
    byId("columns").replaceChildren(d.columns.length ? table(["Column", "Type", "Files"], d.columns.slice(0, SHOWN * 5).map((c) => [c.name, c.type, exact(c.files)]), d.columns.length) : empty("Messages", "Heka files hold whole messages; the page Schemas has their fields."));
    if (first) preview(name, null, wanted);
    if (counting) setTimeout(() => wanted() && detail(name, wanted, false), 500);
  } catch (err) {
    if (!wanted()) return;
    part.hidden = true;
    byId("trouble").replaceChildren(problem("This dataset cannot be shown", err.message));
  }
}

async function preview(name, partition, wanted) {
  const place = byId("preview");
  try {
    const q = new URLSearchParams({ name, n: 8 });
    if (partition !== null) q.set("partition", partition);
    const p = await get("lake/preview?" + q);
    if (!wanted()) return;
    const head = h("p.note", null, `The first of ${p.file}`);
    place.replaceChildren(head, p.messages ? messages(p.messages) : h("div.panel.table-scroll", { tabindex: "0", role: "region", "aria-label": "First rows" }, values(p.columns.map((c) => c.name), p.rows)));
  } catch (err) {
    if (wanted()) place.replaceChildren(problem("It cannot be looked into", err.message));
  }
}

const messages = (list) => h("ul.failures.panel", null, ...list.map((m) => h("li", null, messageLine(m, text(m.Type) || "?", text(m.Logger)))));

// table has as many rows as are given, and says how many more there are.
function table(heads, rows, all) {
  return h("div", null, h("table", null,
    h("thead", null, h("tr", null, ...heads.map((t, i) => h(i ? "th.num" : "th", { scope: "col" }, t)))),
    h("tbody", null, ...rows.map((r) => h("tr", null, ...r.map((v, i) => h(i ? "td.num" : "td", { "data-label": heads[i] }, v)))))),
    all > rows.length ? h("p.note", null, `and ${exact(all - rows.length)} more`) : null);
}

// values is a table of what was read; null is shown as such.
function values(names, rows) {
  return h("table.values", null,
    h("thead", null, h("tr", null, ...names.map((n, i) => h(typeof rows[0]?.[i] === "number" ? "th.num" : "th", { scope: "col" }, n)))),
    h("tbody", null, ...rows.map((r) => h("tr", null, ...r.map((v, i) => h(typeof v === "number" ? "td.num" : "td", { "data-label": names[i], "data-null": v === null || null }, v === null ? "null" : Array.isArray(v) ? JSON.stringify(v) : String(v)))))));
}

// sql shows whether queries are answered.
function sql(answer) {
  put(byId("query-note"), answer.sql ? "One SELECT over the Parquet datasets, by the names on the left" : answer.no_sql);
  byId("query").hidden = !answer.sql;
}

function query() {
  const form = byId("query");
  const box = form.elements.sql;
  const said = byId("query-said");
  const button = form.querySelector("button");
  box.addEventListener("keydown", (e) => {
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) form.requestSubmit();
  });
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    button.disabled = true;
    put(said, "…");
    try {
      const r = await post("lake/query", { sql: box.value });
      put(said, `${plural(r.rows.length, "row")}${r.cut ? ", the first of more" : ""} in ${r.ms} ms`);
      byId("result").replaceChildren(r.rows.length ? h("div.panel.table-scroll", { tabindex: "0", role: "region", "aria-label": "Result" }, values(r.columns, r.rows)) : empty("No rows", ""));
    } catch (err) {
      put(said, "");
      byId("result").replaceChildren(problem("The query was not answered", err.message));
    }
    button.disabled = false;
  });
}

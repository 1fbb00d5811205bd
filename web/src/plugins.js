// The page of all plugins: found, filtered and sorted by the host, since there may be thousands.
import { byId, put } from "./dom.js";
import { get } from "./api.js";
import { every } from "./live.js";
import { exact, plural } from "./format.js";
import { pluginTable } from "./plugintable.js";
import { choices } from "./choices.js";

const STEP = 100;
const MOST = 200; // of one answer
const WAIT = 250; // after a key

export function plugins() {
  const form = byId("filter");
  const fields = form.elements;
  const more = byId("more");
  const table = pluginTable(byId("rows"));
  const query = new URLSearchParams(location.search);
  for (const name of ["text", "state", "kind", "cost", "sort"]) if (query.get(name)) fields[name].value = query.get(name);
  if (query.get("owner")) fields.owner.append(new Option(query.get("owner"), query.get("owner"), true, true));
  let shown = STEP;
  let turn = 0;
  const asked = () => {
    const q = new URLSearchParams();
    for (const name of ["text", "state", "kind", "owner", "cost", "sort"]) {
      const v = fields[name].value.trim();
      if (v && !(name === "sort" && v === "name")) q.set(name, v);
    }
    return q;
  };

  async function load() {
    const mine = ++turn;
    const q = asked();
    const pages = [];
    let total = Infinity;
    for (let from = 0; from < Math.min(shown, total); from += MOST) {
      const answer = await get(`find?${q}&n=${Math.min(MOST, shown - from)}&from=${from}`);
      if (mine !== turn) return;
      pages.push(answer);
      total = answer.total;
    }
    const [first] = pages;
    table(pages.flatMap((p) => p.plugins), total === 0 && q.size > 0 ? "No plugin fits" : "");
    choices(fields.owner, first.owners);
    const counts = Object.entries(first.counts).sort().map(([s, n]) => `${exact(n)} ${s.replaceAll("_", " ")}`);
    put(byId("sum"), `${q.size ? `${exact(total)} of ` : ""}${plural(Object.values(first.counts).reduce((a, b) => a + b, 0), "plugin")}${counts.length ? `: ${counts.join(", ")}` : ""}`);
    more.hidden = total <= shown;
    put(more, `Show ${exact(Math.min(STEP, total - shown))} more`);
  }
  const again = () => {
    shown = STEP;
    const q = asked();
    history.replaceState(null, "", q.size ? "?" + q : location.pathname);
    load().catch(() => {});
  };
  let timer = 0;
  fields.text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(again, WAIT);
  });
  form.addEventListener("change", (e) => e.target !== fields.text && again());
  form.addEventListener("submit", (e) => (e.preventDefault(), again()));
  more.addEventListener("click", () => ((shown += STEP), load().catch(() => {})));
  every(load, 3000);
}

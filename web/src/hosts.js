// The table of the hosts that share topics, on the overview. One host alone has none.
import { h, put, list, attr } from "./dom.js";
import { span } from "./format.js";

const COLUMNS = ["Host", "Partitions", "Up", "Not working"];

export function hostTable(section) {
  const body = h("tbody");
  const head = COLUMNS.map((c) => h("th", { scope: "col" }, c));
  section.querySelector(".panel").append(h("table.hosts", null, h("thead", null, h("tr", null, ...head)), body));
  const show = list(body, (one) => `${one.host} ${one.started}`, row);
  return (now) => {
    section.hidden = now.partitions.of < 2 && now.hosts.length < 2;
    show(now.hosts.map((one) => ({ ...one, now: Date.parse(now.now) })));
    const held = now.hosts.reduce((n, one) => n + one.partitions.here.length, 0);
    put(section.querySelector(".note"), `${held} of ${now.partitions.of} partitions served`);
    attr(section.querySelector(".note"), "data-level", held < now.partitions.of ? "high" : null);
  };
}

function row() {
  const cells = COLUMNS.map((c) => h("td", { "data-label": c }));
  const [name, share, up, trouble] = cells;
  const label = h("span.host-name");
  const tag = h("span.tag", null, "this one");
  name.append(label, tag);
  return {
    el: h("tr", null, ...cells),
    update(one) {
      put(label, one.host);
      tag.hidden = !one.this;
      put(share, one.partitions.here.length ? one.partitions.here.join(", ") : "none");
      put(up, span(one.now - Date.parse(one.started)));
      put(trouble, one.troubles.map((t) => t.part).join(", ") || "–").title = one.troubles.map((t) => `${t.part}: ${t.text}`).join("\n");
    },
  };
}

// The page that shows what the host does now.
import { byId, h, put, list } from "./dom.js";
import { get } from "./api.js";
import { on, every } from "./live.js";
import { exact, plural } from "./format.js";
import { empty } from "./parts.js";
import { streamTiles } from "./streams.js";
import { hostTable } from "./hosts.js";
import { pluginTable } from "./plugintable.js";
import { payloads } from "./payloads.js";
import { picker } from "./range.js";
import { alertItem } from "./alertitem.js";

const ALERTS = 8;
const PLUGINS = 20; // in the table; the page Plugins has all

export function overview() {
  counters();
  graphs();
  newest();
}

function counters() {
  const tiles = streamTiles(byId("streams"));
  const table = pluginTable(byId("plugins"));
  const hosts = hostTable(byId("hosts"));
  every(async () => {
    const [now, found] = await Promise.all([get("overview"), get(`find?n=${PLUGINS}&sort=cost`)]);
    tiles(now);
    hosts(now);
    table(found.plugins);
    const { running = 0 } = found.counts;
    const rest = found.total - running;
    put(byId("plugins-sum"), `${exact(running)} running` + (rest ? `, ${exact(rest)} not` : "") + (found.total > PLUGINS ? "; what is broken and what costs most" : ""));
  });
}

// graphs shows those of shipped analysis plugins; others have them on their own page.
function graphs() {
  const place = byId("graphs");
  byId("range").append(picker());
  const nothing = empty("No graphs yet", "Once documents arrive, the shipped analysis plugins draw here: documents by type, their sizes, refused submissions and unusual rates.");
  place.append(nothing);
  const shown = new Map(); // plugin → its payloads
  on(["series", "plugins", "alerts"], async () => {
    const [infos, shipped] = await Promise.all([get("series"), get("find?n=100&kind=analysis&owner=Sandbar")]);
    const names = shipped.plugins.map((p) => p.name).sort();
    for (const name of names) {
      if (!shown.has(name)) shown.set(name, payloads(place, name, { graphsOnly: true, link: true }));
    }
    let count = 0;
    for (const [name, part] of shown) {
      count += await part(fresh(infos.filter((i) => i.logger === name && names.includes(name))));
    }
    nothing.hidden = count > 0;
  });
}

const STALE = 600_000; // milliseconds

// fresh leaves out graphs that their plugin has stopped to send, such as those of an alert that is over.
function fresh(infos) {
  const newest = Math.max(...infos.map((i) => Date.parse(i.updated)));
  return infos.filter((i) => newest - Date.parse(i.updated) < STALE);
}

function newest() {
  const place = byId("newest");
  const nothing = empty("No alerts", "An analysis plugin raises one when something leaves its usual course.");
  const rows = h("ul.alert-list");
  place.append(rows, nothing);
  const show = list(rows, (a) => a.version, alertItem);
  on("alerts", async () => {
    const { alerts, total } = await get(`alerts?n=${ALERTS}`);
    show(alerts);
    rows.hidden = alerts.length === 0;
    nothing.hidden = alerts.length > 0;
    put(document.querySelector("#newest-head"), total > ALERTS ? `Newest of ${plural(total, "alert")}` : "Newest alerts");
  });
}

// The tiles on top of the overview: streams in the order data flows, then the edge.
import { h, put, list } from "./dom.js";
import { bytes, count, exact, rate, span } from "./format.js";
import { spark } from "./parts.js";
import { history } from "./history.js";

const ABOUT = {
  raw: "As submitted",
  valid: "Decoded documents",
  errors: "Could not be decoded",
  derived: "Made by analysis plugins",
};

export function streamTiles(place) {
  const past = history();
  const streams = h("div.tiles-in");
  const edge = edgeTile();
  place.append(streams, edge.el);
  const show = list(streams, (s) => s.name, (s) => tile(s.name, past));
  return (now) => {
    const at = Date.parse(now.now);
    past.add(now.started, at, Object.fromEntries(now.streams.map((s) => [s.name, s.messages_per_second])));
    show(now.streams.map((s) => ({ ...s, at, landfill: s.name === "raw" ? now.landfill : null })));
    edge.update(now);
  };
}

function tile(name, past) {
  const speed = h("span.tile-big");
  const flow = h("span.tile-sub");
  const total = h("dd");
  const size = h("dd");
  const stored = h("dd");
  const damaged = h("p.tile-bad", { hidden: true });
  const waiting = h("p.tile-sub", { hidden: name !== "raw" });
  const line = spark(`Messages a second on ${name}, last three minutes`);
  const el = h("article.tile", { "data-stream": name },
    h("header", null, h("h2", null, name), h("span.note", null, ABOUT[name] ?? "")),
    h("div.tile-main", null, h("div", null, speed, flow), line.el),
    h("dl", null, h("div", null, h("dt", null, "messages"), total), h("div", null, h("dt", null, "bytes"), size), h("div", null, h("dt", null, "on disk"), stored)),
    damaged,
    waiting,
  );
  return {
    el,
    update(s) {
      put(speed, rate(s.messages_per_second));
      put(flow, bytes(s.bytes_per_second) + "/s");
      put(total, count(s.messages)).title = `${exact(s.messages)} since the host started`;
      put(size, bytes(s.bytes));
      put(stored, bytes(s.stored_bytes)).title = `from ${s.first} to ${s.end}, written through ${exact(s.syncs)} times`;
      damaged.hidden = !s.skipped_bytes;
      put(damaged, `${bytes(s.skipped_bytes)} damaged and skipped`);
      if (s.landfill) {
        put(waiting, s.landfill.waiting_bytes ? `${bytes(s.landfill.waiting_bytes)} not in landfill yet` + (s.landfill.waiting_since ? `, the oldest for ${span(s.at - Date.parse(s.landfill.waiting_since))}` : "") : "All in landfill");
      }
      line.set(past.points(name), s.at, past.span);
    },
  };
}

const CLASS = { 2: "taken", 4: "refused", 5: "failed" };

function edgeTile() {
  const taken = h("span.tile-big");
  const sub = h("span.tile-sub");
  const codes = h("dl.codes");
  const up = h("span.note");
  const el = h("article.tile.edge", null,
    h("header", null, h("h2", null, "edge"), up),
    h("div.tile-main", null, h("div", null, taken, sub)),
    codes,
  );
  const show = list(codes, (c) => c.code, (c) => {
    const n = h("dd");
    return { el: h("div", { "data-class": CLASS[c.code[0]] }, h("dt", null, c.code), n), update: (now) => put(n, count(now.n)) };
  });
  return {
    el,
    update(now) {
      const answers = Object.entries(now.edge.answers ?? {}).map(([code, n]) => ({ code, n })).filter((a) => a.n > 0 || a.code === "200");
      put(taken, count(answers.reduce((sum, a) => sum + a.n, 0)) + " answers");
      put(sub, `${bytes(now.edge.bytes)} taken` + (now.edge.in_flight_bytes ? `, ${bytes(now.edge.in_flight_bytes)} on the way` : ""));
      put(up, now.hosts.length > 1 ? `${now.hosts.length} hosts` : `Up ${span(Date.parse(now.now) - Date.parse(now.started))}`);
      show(answers);
    },
  };
}

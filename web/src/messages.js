// The page that looks into the streams: what a matcher wants, live, and which fields there are.
import { byId, h, put, list, attr } from "./dom.js";
import { get } from "./api.js";
import { bytes, exact, moment, plural, rate, digits } from "./format.js";
import { empty } from "./parts.js";
import { complete } from "./complete.js";
import { brief, fieldOf, messageTable, test, text } from "./message.js";

const SHOWN = 100; // rows
const WAIT = 350; // after the last key
const WINDOW = 10_000; // over which a rate is taken

export function messages() {
  const stream = byId("stream");
  const matcher = byId("matcher");
  const query = new URLSearchParams(location.search);
  stream.value = query.get("stream") || "valid";
  if (!stream.value) stream.value = "valid";
  matcher.value = query.get("matcher") || "";

  const view = rows();
  const known = fields((text) => {
    matcher.value = narrow(matcher.value, text);
    again();
    matcher.focus();
  });
  let asked = 0;
  let timer = 0;
  let search = null; // what is asked for
  let looked = 0; // when the fields were counted

  // count asks which fields there are.
  async function count() {
    looked = performance.now();
    const turn = asked;
    const found = await get(`fields?n=2000&${search}`);
    if (turn === asked) known.show(found);
  }
  const tap = live((e) => {
    view.add(e);
    // A stream that has just begun has fields only now, and others may come.
    const old = performance.now() - looked;
    if (e.matched && (known.all().length === 0 ? old > 2000 : old > 60_000 && !known.open())) count().catch(() => {});
  });

  // again asks anew, for what is in the box now.
  async function again() {
    const turn = ++asked;
    clearTimeout(timer);
    search = new URLSearchParams({ stream: stream.value, matcher: matcher.value.trim() || "TRUE" });
    remember(stream.value, matcher.value.trim());
    tap.end();
    try {
      const answer = await get(`messages?n=${SHOWN}&${search}`);
      if (turn !== asked) return;
      fault(null);
      view.begin(answer);
      tap.begin(search);
      await count();
    } catch (err) {
      if (turn !== asked) return;
      view.clear();
      fault(err, matcher.value);
    }
  }
  stream.addEventListener("change", again);
  matcher.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(again, WAIT);
  });
  complete(matcher, byId("complete"), known.all, again);
  const pause = byId("pause");
  pause.addEventListener("click", () => {
    const on = pause.getAttribute("aria-pressed") !== "true";
    attr(pause, "aria-pressed", on);
    put(pause, on ? "Go on" : "Pause");
    tap.pause(on);
  });
  if (query.get("position")) one(stream.value, query.get("position"));
  again();
}

// remember keeps what is asked for in the address, to be sent to others.
function remember(stream, matcher) {
  const url = new URL(location.href);
  url.searchParams.set("stream", stream);
  if (matcher) url.searchParams.set("matcher", matcher);
  else url.searchParams.delete("matcher");
  history.replaceState(null, "", url);
}

// narrow adds a test to a matcher.
export function narrow(text, test) {
  const now = text.trim();
  if (!now || now === "TRUE") return test;
  return /\|\|/.test(now) ? `(${now}) && ${test}` : `${now} && ${test}`;
}

// fault shows what is wrong, with a mark under the place.
function fault(err, text = "") {
  const el = byId("matcher-fault");
  el.hidden = !err;
  attr(byId("matcher"), "aria-invalid", err?.field === "matcher" ? "true" : null);
  if (!err) return;
  if (err.field !== "matcher" || !err.column) {
    put(el, err.message);
    return;
  }
  // The column counts bytes; what is before it may be other letters.
  const at = new TextDecoder().decode(new TextEncoder().encode(text.trim()).subarray(0, err.column - 1)).length;
  const from = Math.max(0, at - 60);
  const lead = from > 0 ? "…" : "";
  el.replaceChildren(h("code", null, `${lead}${text.trim().slice(from, at + 60)}\n${" ".repeat(lead.length + at - from)}^`), h("span", null, err.message));
}

// rows is the list of messages and the line above that counts them.
function rows() {
  const ul = h("ul.failures.messages");
  const nothing = empty("No messages", "…");
  byId("list").append(ul, nothing);
  const draw = list(ul, (m) => m.position, row);
  let shown = [];
  let looked = null; // back in the stream
  let came = []; // [time, messages, matched] of the last seconds
  let sampled = false;

  const say = () => {
    const now = performance.now();
    came = came.filter(([t]) => now - t < WINDOW);
    const total = came.reduce((n, c) => n + c[1], 0);
    const matched = came.reduce((n, c) => n + c[2], 0);
    const part = looked && looked.messages ? `${exact(looked.matched)} of the newest ${exact(looked.messages)} match (${digits((100 * looked.matched) / looked.messages)}%)` : "";
    const speed = came.length ? `now ${rate(matched / (WINDOW / 1000))} of ${rate(total / (WINDOW / 1000))}` : "";
    put(byId("sum"), [part, speed].filter(Boolean).join(" · "));
    put(byId("list-note"), sampled ? "More come than are shown: the newest of each half second" : "");
    put(nothing.firstChild, looked?.messages ? "None matches" : "No messages");
    if (!looked) put(nothing.lastChild, "The host could not be asked for them, see above.");
    else put(nothing.lastChild, looked.messages ? `None of the newest ${plural(looked.messages, "message")}` + (looked.all ? ", which are all there are." : `, back to ${moment(looked.since)}.`) : "Nothing is on this stream yet. What comes appears here at once.");
    ul.hidden = shown.length === 0;
    nothing.hidden = shown.length > 0;
  };
  const show = (all) => {
    shown = all.slice(0, SHOWN);
    draw(shown);
    say();
  };
  return {
    begin(answer) {
      looked = answer;
      came = [];
      sampled = false;
      show(answer.list);
    },
    clear() {
      looked = null;
      came = [];
      show([]);
    },
    add(e) {
      came.push([performance.now(), e.messages, e.matched]);
      sampled = e.matched > e.list.length || e.skipped > 0;
      // Who has opened one, or has scrolled, reads: it stays where it is.
      const reading = ul.querySelector("details[open]") !== null || ul.getBoundingClientRect().top < 0;
      if (e.list.length === 0 || reading) {
        if (reading && e.list.length) put(byId("list-note"), "Held while you read; close it or scroll up to go on");
        return;
      }
      show([...e.list, ...shown]);
    },
    tick: say,
  };
}

// live listens to what comes.
function live(take) {
  let source = null;
  let search = null;
  let paused = false;
  const end = () => {
    source?.close();
    source = null;
  };
  const begin = () => {
    end();
    if (paused || !search || document.hidden) return;
    source = new EventSource("/api/v1/messages/live?rate=20&" + search);
    source.addEventListener("messages", (e) => take(JSON.parse(e.data)));
    source.onerror = () => {
      // A browser tries again by itself after an answer that has ended, and gives up after one that refuses.
      if (source?.readyState === EventSource.CLOSED) {
        end();
        setTimeout(begin, 5000);
      }
    };
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? end() : begin()));
  return {
    begin(s) {
      search = s;
      begin();
    },
    end() {
      search = null;
      end();
    },
    pause(on) {
      paused = on;
      if (on) end();
      else begin();
    },
  };
}

// row is a message of the list.
function row(m) {
  const v = m.message;
  const body = h("div.failure-body");
  const details = h("details", null,
    h("summary", null,
      h("span.cause", null, text(v.Type) || "no type"),
      h("span.failure-doc", null, [v.Logger, fieldOf(v, "docType") ?? fieldOf(v, "payload_name")].filter((p) => p !== undefined).map(text).join(" / ") || "–"),
      h("time", { datetime: new Date(v.Timestamp / 1e6).toISOString() }, moment(v.Timestamp / 1e6)),
      h("span.failure-error", null, brief(v))),
    body);
  details.addEventListener("toggle", async () => {
    if (!details.open || body.firstChild) return;
    body.append(...inside(m));
  });
  return { el: h("li", null, details) };
}

// inside is all of a message.
function inside(m) {
  const v = m.message;
  const link = `/messages?${new URLSearchParams({ stream: byId("stream").value, position: m.position })}`;
  return [
    h("p.note.message-facts", null, `${moment(v.Timestamp / 1e6)} · ${bytes(m.bytes)}${m.cut ? ", of which the beginning is shown" : ""} · `, h("a", { href: link }, `link to this message, ${m.position}`)),
    messageTable(v, { choose }),
  ];
}

// choose narrows the matcher as a click in the list of fields does.
function choose(wanted) {
  const box = byId("matcher");
  box.value = narrow(box.value, wanted);
  box.dispatchEvent(new Event("input"));
  box.focus();
}

// one shows the message that the address names.
async function one(stream, position) {
  const place = byId("one");
  place.hidden = false;
  try {
    const m = await get(`messages/${encodeURIComponent(stream)}/${encodeURIComponent(position)}`);
    place.replaceChildren(h("div.failure-body.alone", null, h("h3", null, `The message at ${position} of stream ${stream}`), ...inside(m)));
  } catch (err) {
    place.replaceChildren(empty("This message is not here", err.message));
  }
}

// fields is the list of what messages have.
function fields(narrowTo) {
  const ul = h("ul.known");
  const nothing = empty("No fields", "Fields of the messages that match are listed here, with their values.");
  byId("fields").append(ul, nothing);
  let all = [];
  return {
    all: () => all,
    open: () => ul.querySelector("details[open]") !== null,
    show(answer) {
      all = answer.fields;
      put(byId("fields-note"), answer.matched ? `of ${plural(answer.matched, "message")}` : "");
      const open = new Set([...ul.querySelectorAll("details[open]")].map((d) => d.dataset.name));
      ul.replaceChildren(...all.map((f) => field(f, answer.matched, open.has(f.name), narrowTo)));
      ul.hidden = all.length === 0;
      nothing.hidden = all.length > 0;
    },
  };
}

function field(f, total, open, narrowTo) {
  const share = total ? f.present / total : 0;
  const facts = [
    f.types.join(", "), f.representation && `unit ${f.representation}`, share < 1 ? `in ${digits(100 * share)}% of them` : "in all of them",
    f.many ? `more than ${f.distinct} values` : plural(f.distinct, "value"),
    f.lowest !== undefined && `from ${digits(f.lowest)} to ${digits(f.highest)}`,
    `${bytes(f.bytes / Math.max(1, f.values))} each, ${bytes(f.largest)} at most`,
  ].filter(Boolean);
  const type = f.types[0];
  const typed = (value) => (type === "bool" ? value === "true" : value);
  return h("li", null, h("details", { "data-name": f.name, open },
    h("summary", null, h("span.mono", null, f.name.replace(/^Fields\[(.*)\]$/, "$1")), f.personal ? h("span.tag", { title: "Personal: analysis plugins do not get it" }, "personal") : null, h("span.note", null, `${digits(100 * share)}%`)),
    h("div.field-body", null,
      h("p.note", null, facts.join(" · "), " · ", h("a", { href: `/messages?${new URLSearchParams({ stream: byId("stream").value, position: f.example })}` }, "an example")),
      h("ul.top-values", null, ...f.top.map((t) => {
        const wanted = t.value.length < 100 ? test(f.name, type, typed(t.value)) : null;
        return h("li", null,
          wanted ? h("button.quiet", { type: "button", title: wanted, onclick: () => narrowTo(wanted) }, t.value === "" ? "(empty)" : t.value) : h("span", null, t.value),
          h("span.note", null, `${digits((100 * t.count) / Math.max(1, f.values))}%`));
      })))));
}

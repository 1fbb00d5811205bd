// Keeping a page up to date: the host tells which parts changed, counters are polled.
//
// A hidden page listens to nothing: a browser allows few connections to one host, and many tabs would use them up.

const POLL = 2000; // between two looks at counters
const LEAST = 1000; // between two fetches of the same part
const RETRY = 5000;

const parts = []; // {key, run, seen, busy, again, at}
let started; // of the host; another value means that it was restarted
let versions = null;
let source = null;
let told = () => {};
let unsaved = () => false;

// keepsWork names the function that says whether the page holds work that a reload would lose.
export function keepsWork(f) {
  unsaved = f;
}

// onStatus is told "live", "waiting" or "lost".
export function onStatus(f) {
  told = f;
}

// on runs f now, and again when one of the keys ("plugins", "series", "alerts", "errors", "saved", "calling") changed.
export function on(keys, f) {
  const part = { keys: [keys].flat(), run: f, seen: null, busy: false, again: false, at: 0 };
  parts.push(part);
  fetchPart(part);
}

// every runs f now and every two seconds while the page is seen.
export function every(f, ms = POLL) {
  on([], f);
  const part = parts.at(-1);
  setInterval(() => document.hidden || fetchPart(part), ms);
}

// refresh runs everything once more, after the reader changed something.
export function refresh() {
  for (const part of parts) fetchPart(part);
}

async function fetchPart(part) {
  if (part.busy) {
    part.again = true;
    return;
  }
  part.busy = true;
  const wait = part.at + LEAST - performance.now();
  if (part.at && wait > 0) await new Promise((done) => setTimeout(done, wait));
  part.again = false;
  part.at = performance.now();
  try {
    await part.run();
    if (source === null) told("waiting");
  } catch (err) {
    if (err.status === 0 || err.status === undefined) told("lost");
    if (err.status === undefined) console.error(err);
    part.again ||= part.keys.length > 0 && err.status !== 401 && err.status !== 404;
    if (part.again) await new Promise((done) => setTimeout(done, RETRY));
  }
  part.busy = false;
  if (part.again && !document.hidden) fetchPart(part);
}

function changed(now) {
  if (started !== undefined && started !== now.started) {
    if (!unsaved()) {
      location.reload(); // another program may have other pages
      return;
    }
    started = now.started;
    versions = null;
    restarted();
  }
  started = now.started;
  asks(now);
  troubled(now.troubles ?? []);
  const before = versions;
  versions = now;
  for (const part of parts) { // at the first time all: something may have changed since they were fetched as the page opened
    if (part.keys.some((k) => !before || before[k] !== now[k])) fetchPart(part);
  }
}

// asks shows in the navigation, and in the title of the tab, how much wants attention: plugins that have ended by themselves, and incidents that nobody has
// acknowledged or silenced.
function asks({ ended = 0, calling = 0 }) {
  badge("/plugins", ended, ended === 1 ? "One plugin has ended by itself" : `${ended} plugins have ended by themselves`);
  badge("/alerts", calling, calling === 1 ? "One incident that nobody looks after" : `${calling} incidents that nobody looks after`);
  const n = ended + calling;
  document.title = document.title.replace(/^\(\d+\) /, "");
  if (n > 0) document.title = `(${n}) ${document.title}`;
}

function badge(page, n, title) {
  const link = document.querySelector(`nav a[href="${page}"]`);
  if (!link) return;
  let el = link.querySelector(".badge");
  if (!el && n > 0) link.append((el = Object.assign(document.createElement("span"), { className: "badge" })));
  if (!el) return;
  el.hidden = n === 0;
  el.textContent = n;
  el.title = title;
}

// troubled says, on top of every page, what is wrong with the host.
function troubled(troubles) {
  let bar = document.getElementById("troubles");
  if (!bar && troubles.length === 0) return;
  if (!bar) {
    bar = document.createElement("section");
    bar.id = "troubles";
    bar.className = "bar-notice bad";
    bar.setAttribute("role", "status");
    document.querySelector("main").prepend(bar);
  }
  bar.hidden = troubles.length === 0;
  bar.replaceChildren(...troubles.map((t) => {
    const line = document.createElement("p");
    const since = new Date(t.since).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    line.append(Object.assign(document.createElement("strong"), { textContent: t.part }), `, not working since ${since}: ${t.text}`);
    return line;
  }));
}

// restarted says that the host was, and leaves the reload to who has work on the page.
function restarted() {
  if (document.getElementById("restarted")) return;
  const bar = document.createElement("p");
  bar.id = "restarted";
  bar.className = "bar-notice";
  bar.setAttribute("role", "status");
  bar.textContent = "The host was restarted. What you typed is kept; reload the page when you are done.";
  document.querySelector("main").prepend(bar);
}

function listen() {
  if (source || document.hidden) return;
  source = new EventSource("/api/v1/events");
  source.addEventListener("change", (e) => {
    told("live");
    changed(JSON.parse(e.data));
  });
  source.onopen = () => told("live");
  source.onerror = () => {
    told("lost");
    if (source?.readyState !== EventSource.CLOSED) return; // it tries again by itself
    source = null;
    setTimeout(listen, RETRY);
  };
}

function rest() {
  source?.close();
  source = null;
}

export function start() {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      rest();
    } else {
      listen();
      refresh();
    }
  });
  addEventListener("pagehide", rest);
  addEventListener("pageshow", (e) => e.persisted && (listen(), refresh()));
  listen();
}

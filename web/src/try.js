// Trying a plugin as it stands in the editor over what the streams have kept.
import { byId, put, attr } from "./dom.js";
import { del, post, waitTrial } from "./api.js";
import { look } from "./look.js";
import { problem } from "./parts.js";
import { range, trial } from "./trial.js";

const STATES = { waiting: "Waiting for other trials …", searching: "Looking for where to begin …", running: "", cancelled: "Ended early. ", done: "" };

const GIVEN = "given"; // in the storage of the tab

// keepGiven lets the next page that tries offer messages of its own to try on.
export function keepGiven(messages) {
  try {
    sessionStorage.setItem(GIVEN, JSON.stringify(messages));
  } catch {
    // then it offers none
  }
}

function given() {
  try {
    return JSON.parse(sessionStorage.getItem(GIVEN)) ?? [];
  } catch {
    return [];
  }
}

// tries makes the panel work. submission is what to try; failed hears of what the host refuses, marked is called with a report that ended.
export function tries(submission, failed, marked) {
  const begin = byId("try-begin");
  const end = byId("try-end");
  const bar = byId("try-progress");
  const said = byId("try-said");
  const place = byId("try-result");
  let turn = 0; // of the newest trial
  let id = "";
  let shown = null;

  const mine = given();
  if (mine.length) byId("try-range").prepend(new Option(mine.length === 1 ? "the message that it failed on" : `the ${mine.length} messages that it failed on`, "given", true, true));

  const clear = () => {
    shown?.remove();
    shown = null;
    place.replaceChildren();
  };
  const busy = (on) => {
    begin.disabled = on;
    end.hidden = bar.hidden = !on;
    attr(place, "aria-busy", on ? "true" : null);
  };
  const tell = (r) => {
    bar.value = r.state === "running" ? r.progress : 0;
    if (r.state !== "running") bar.removeAttribute("value");
    put(said, STATES[r.state] || `${range(r)}, ${r.seconds.toFixed(1)} s`);
  };
  const show = (r, source) => {
    clear();
    if (r.state === "failed") {
      place.replaceChildren(problem("The trial did not work", r.problem));
      return;
    }
    put(said, `${STATES[r.state]}${range(r)}, in ${r.seconds.toFixed(1)} s. ${r.problem ?? ""}`);
    shown = trial(r, r.state === "done" ? (call) => look(r.id, call, source) : null);
    place.replaceChildren(shown.el);
    marked(r);
  };

  async function start() {
    const now = ++turn;
    const [key, value] = byId("try-range").value.split(" ");
    busy(true);
    bar.removeAttribute("value");
    put(said, "Begins …");
    failed(null);
    try {
      const what = submission();
      ({ id } = await post("try", { ...what, ...(key === "given" ? { messages: mine } : { [key]: key === "last" ? Number(value) : value }) }));
      const r = await waitTrial(id, (r) => now === turn && (tell(r), r));
      if (!r) return;
      show(r, what.source ?? "");
    } catch (err) {
      put(said, "");
      clear();
      failed(err);
    }
    busy(false);
  }
  begin.addEventListener("click", start);
  end.addEventListener("click", () => del("try/" + id).catch(failed));
  addEventListener("pagehide", () => begin.disabled && id && fetch("/api/v1/try/" + id, { method: "DELETE", keepalive: true }));
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" || !(e.ctrlKey || e.metaKey) || e.shiftKey || begin.disabled) return;
    e.preventDefault();
    start();
  });
}

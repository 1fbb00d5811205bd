// Checking while somebody types: the host compiles and loads what stands there, and the editors mark what it says.
import { post } from "./api.js";

const WAIT = 700; // milliseconds after the last key

// lints calls done with {error} or {findings} for what submission returns, some time after each change of the fields.
export function lints(fields, submission, done) {
  let timer = 0;
  let turn = 0;
  let matcher = null; // that was looked for in the streams
  const run = async () => {
    const mine = ++turn;
    const what = submission();
    if (!what.config.trim() || !(what.source_base64 || what.source.trim())) return;
    delete what.expected;
    what.name ||= "draft"; // it may get its name last
    const now = /^\s*message_matcher\s*=.*$/m.exec(what.config)?.[0] ?? "";
    try {
      const answer = await post("check" + (now === matcher ? "?streams=false" : ""), what);
      const about = (f) => f.text.includes("takes none of the newest");
      // What was said of the matcher stays true for a while.
      if (now === matcher) answer.findings = [...(answer.findings ?? []), ...kept];
      else kept = (answer.findings ?? []).filter(about);
      matcher = now;
      if (mine === turn) done({ findings: answer.findings ?? [] });
    } catch (err) {
      if (mine === turn && err.status === 422) done({ error: err });
    }
  };
  let kept = [];
  for (const f of fields) {
    f.addEventListener("input", () => {
      clearTimeout(timer);
      turn++;
      timer = setTimeout(run, WAIT);
    });
  }
  return {
    // now checks at once.
    now() {
      clearTimeout(timer);
      return run();
    },
  };
}

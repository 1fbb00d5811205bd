// The page where a plugin is written, checked and deployed.
import { byId, h, put, attr } from "./dom.js";
import { get, getBytes, post, pluginPath, pluginPage } from "./api.js";
import { problem, splitName } from "./parts.js";
import { bytes, exact } from "./format.js";
import { keepsWork } from "./live.js";
import { draft } from "./draft.js";
import { editor } from "./editor.js";
import { starters } from "./starters.js";
import { chooser } from "./module.js";
import { tries } from "./try.js";
import { diff } from "./diff.js";
import { lints } from "./lint.js";
import { read, settings } from "./settings.js";

export function submit(main) {
  const form = byId("form").elements;
  const source = editor("source", "Source", 26);
  const config = editor("config", "Config", 26);
  byId("source-box").append(source.el);
  byId("config-box").append(config.el);
  const page = { form, source, config, busy: false, expected: null, draft: draft(main.dataset.name || "") };
  page.module = chooser((file) => {
    config.set(naming(config.value, file));
    check(page);
  });
  const typed = () => ({ kind: form.kind.value, name: form.name.value, source: source.value, config: config.value, expected: page.expected });
  page.draft.follow([source.el, config.el, form.name, form.kind], typed);
  keepsWork(() => page.draft.unsaved());
  if (main.dataset.name) change(page, main.dataset.name);
  else startFrom(page);
  writing(page);
  byId("form").addEventListener("submit", (e) => {
    e.preventDefault();
    send(page, "plugins", "Deploying", (p) => {
      page.draft.drop();
      location.assign(pluginPage(p.name));
    });
  });
  byId("check").addEventListener("click", () => check(page));
  keys(page);
  shadows(page);
  tries(() => submission(page), (err) => (err ? tell(page, err) : unmark(page)), (r) => {
    if (r.tried.ended?.line && !page.module.base64) source.mark(r.tried.ended.line, r.tried.ended.text);
  });
}

const check = (page) =>
  send(page, "check", "Checking", ({ warning, module, findings }) => {
    if (module) page.module.tell(module);
    found(page, findings ?? []);
    say(warning ? `It loads. ${warning}` : "It loads.", "good");
  });

// found marks what a check found.
function found({ source, config }, findings) {
  const of = (field) => findings.filter((f) => f.field === field).map((f) => ({ ...f, severity: "warning" }));
  source.diagnose(of("source"));
  config.diagnose(of("config"));
}

// writing helps while somebody writes: what is wrong is marked, fields complete, and the config is a form too.
function writing(page) {
  const { form, source, config } = page;
  let fields = [];
  let asked = null;
  const know = async () => {
    const matcher = String(read(config.value, "message_matcher") ?? "TRUE");
    const stream = form.kind.value === "decoder" ? "raw" : "valid";
    if (asked === stream + matcher) return;
    asked = stream + matcher;
    // A matcher that is being written takes nothing yet: then the fields of all are known.
    for (const m of [matcher, "TRUE"]) {
      const answer = await get(`fields?${new URLSearchParams({ n: 2000, stream, matcher: m })}`).catch(() => null);
      if (answer?.fields.length) {
        fields = answer.fields;
        return;
      }
    }
  };
  source.know(() => fields);
  config.know(() => fields);
  const ceilings = allowed(form.kind, () => show());
  const show = settings(byId("settings-box"), () => config.value, (text) => {
    config.el.value = text;
    config.el.dispatchEvent(new Event("input", { bubbles: true }));
  }, ceilings);
  config.el.addEventListener("input", show);
  show();
  page.lint = lints([source.el, config.el, form.kind], () => submission(page), ({ error, findings }) => {
    know();
    if (findings) return found(page, findings);
    const at = { source, config }[error.field];
    source.diagnose([]);
    config.diagnose([]);
    at?.diagnose([{ ...place(error, config.value), text: error.message }]);
  });
  know();
}

// place is where an error stands: its line, or that of the matcher.
function place(err, config) {
  if (err.line) return { line: err.line, column: err.column };
  if (!err.message.startsWith("message_matcher")) return { line: 1 };
  return { line: config.split("\n").findIndex((l) => /^\s*message_matcher\s*=/.test(l)) + 1 };
}

// shadows offers, for a change of a plugin, what is different, and to run it beside the version that runs.
function shadows(page) {
  const changes = byId("changes");
  changes.addEventListener("toggle", async () => {
    changes.querySelector(".diffs, .note")?.remove();
    if (!changes.open) return;
    const { config, source, source_base64 } = submission(page);
    try {
      changes.append(diff(await post(pluginPath(page.plugin, "/diff"), { config, source, source_base64 })));
    } catch (err) {
      tell(page, err);
    }
  });
  byId("shadow-run").addEventListener("click", () => send(page, "plugins", "Starting", (p) => {
    page.draft.drop();
    location.assign(pluginPage(p.shadow_of) + "#shadow-part");
  }, { shadow: true, with_state: page.form.with_state.checked, expected: undefined }));
}

// keys are those that work everywhere on the page; Ctrl and Enter tries.
function keys(page) {
  document.addEventListener("keydown", (e) => {
    if (!(e.ctrlKey || e.metaKey) || e.altKey) return;
    if (e.key.toLowerCase() === "s" && !e.shiftKey) {
      e.preventDefault();
      check(page);
    } else if (e.key === "Enter" && e.shiftKey) {
      e.preventDefault();
      byId("form").requestSubmit();
    }
  });
}

// naming makes a config name a file as its source.
function naming(config, file) {
  const line = `filename = ${JSON.stringify(file)}`;
  const old = /^[ \t]*filename[ \t]*=.*$/m;
  return old.test(config) ? config.replace(old, () => line) : `${line}\n${config}`;
}

// allowed says what this host allows a plugin of the chosen kind, and returns the function that tells these limits; changed is called when
// they are others.
function allowed(kind, changed) {
  let all = {};
  const show = () => {
    changed();
    const l = all[kind.value];
    put(byId("allowed"), l ? `Allowed here: ${exact(l.instruction_limit)} instructions, ${bytes(l.memory_limit)} of memory, ${bytes(l.output_limit)} a message, `
      + `${exact(l.timer_event_inject_limit)} messages a timer event, a ticker of ${exact(l.ticker_interval)} s, a module of ${bytes(l.module_size)}. 0 stands for these.` : "");
  };
  kind.addEventListener("change", show);
  get("limits").then((answer) => ((all = answer), show())).catch(() => {});
  return () => all[kind.value] ?? {};
}

function say(text, tone) {
  const said = byId("said");
  put(said, text);
  attr(said, "data-tone", tone);
}

// change loads a plugin that is there. It keeps its kind and name.
async function change(page, name) {
  const [kind, rest] = splitName(name);
  const { form } = page;
  form.kind.value = kind;
  form.name.value = rest;
  form.replace.checked = true;
  for (const field of [form.kind, form.name, form.replace]) field.disabled = true;
  try {
    const p = await get(pluginPath(name));
    if (p.module) page.module.set(`${rest}.wasm`, await getBytes(pluginPath(name, "/source")));
    else page.source.set(p.source);
    page.config.set(p.config);
    page.expected = p.updated;
    page.plugin = p.name;
    byId("changes").hidden = false;
    byId("as-shadow").hidden = p.kind !== "analysis";
    page.draft.offer(byId("fault"), (d) => {
      page.source.set(d.source);
      page.config.set(d.config);
      page.expected = d.expected ?? p.updated;
    });
    if (p.state !== "running" && p.line) page.source.mark(p.line, p.reason);
    else page.lint?.now();
  } catch (err) {
    byId("fault").replaceChildren(problem("It could not be loaded", err.message));
  }
}

// startFrom offers the starters. What somebody wrote is not overwritten without asking.
function startFrom(page) {
  const { form } = page;
  let current = null;
  let made = { source: "", config: "", name: "" }; // as the starter made it
  const values = () => ({
    name: form.name.value || "plugin",
    ...Object.fromEntries([...byId("template-fields").querySelectorAll("input")].map((i) => [i.name, i.value])),
  });
  const untouched = () => page.source.value === made.source && page.config.value === made.config;
  const write = () => {
    made = { ...made, source: current.source, config: current.config(values()) };
    if (page.source.value !== made.source) page.source.set(made.source);
    page.config.set(made.config);
  };
  // A changed name or field changes the config as long as nobody wrote in it.
  const follow = () => current && untouched() && write();
  const choose = (s) => {
    if (current && !untouched() && !confirm("Replace what you wrote?")) return;
    current = s;
    for (const b of byId("templates").children) attr(b, "aria-pressed", b.dataset.id === s.id);
    if (form.name.value === made.name) form.name.value = made.name = s.name;
    byId("template-fields").replaceChildren(...s.fields.map((f) =>
      h("label.field" + (f.wide ? ".wide" : ""), null, f.label, h("input.mono", { name: f.name, type: "text", value: f.value, spellcheck: "false", oninput: follow }))));
    form.kind.value = "analysis";
    write();
  };
  byId("templates").replaceChildren(...starters.map((s) =>
    h("button.choice", { type: "button", "data-id": s.id, onclick: () => choose(s) }, h("b", null, s.title), h("span", null, s.about))));
  form.name.addEventListener("input", follow);
  choose(starters[0]);
  page.draft.offer(byId("fault"), (d) => {
    form.kind.value = d.kind;
    form.name.value = d.name;
    page.source.set(d.source);
    page.config.set(d.config);
  });
}

// submission is what stands in the form.
function submission({ form, source, config, module, expected }) {
  const body = { kind: form.kind.value, name: form.name.value.trim(), config: config.value, replace: form.replace.checked, note: form.note.value.trim() };
  if (module.base64) body.source_base64 = module.base64;
  else body.source = source.value;
  if (expected) body.expected = expected;
  return body;
}

// unmark takes away what was said of a fault.
function unmark({ form, source, config }) {
  byId("fault").replaceChildren();
  source.mark(0);
  config.mark(0);
  for (const f of [form.kind, form.name]) f.removeAttribute("aria-invalid");
}

async function send(page, path, doing, done, more = {}) {
  if (page.busy) return;
  page.busy = true;
  unmark(page);
  say(doing + " …");
  try {
    const answer = await post(path, { ...submission(page), ...more });
    say("");
    done(answer);
  } catch (err) {
    say("");
    tell(page, err);
  }
  page.busy = false;
}

const TITLES = { config: "The config is at fault", source: "The source is at fault", name: "The name cannot be taken", kind: "The kind cannot be taken" };

function tell({ form, source, config }, err) {
  const title = TITLES[err.field] ?? "This did not work";
  if (err.field === "expected") {
    byId("fault").replaceChildren(problem("Somebody was quicker", err.message, h("p", null, "What you typed is kept here as a draft. ",
      h("a", { href: location.href, target: "_blank" }, "Look at the version that is there now"), ", and put yours into it.")));
    return;
  }
  byId("fault").replaceChildren(problem(err.line ? `${title}, line ${err.line}` : title, err.message));
  byId("fault").scrollIntoView({ block: "nearest" });
  const at = { source, config }[err.field];
  const where = place(err, config.value);
  if (at) at.diagnose([{ ...where, text: err.message }]);
  if (at) at.el.go?.(where.line);
  else if (err.field === "name" || err.field === "kind") {
    form[err.field].setAttribute("aria-invalid", "true");
    form[err.field].focus();
  }
}

// Completion and explanation: the plugin API and its modules in a source, the host's keys in a config, and the fields that messages have.
import { hoverTooltip } from "@codemirror/view";
import { snippetCompletion } from "@codemirror/autocomplete";
import docs from "./docs.json";
import { proposals } from "../proposals.js";

const HEADERS = ["Type", "Logger", "Hostname", "EnvVersion", "Payload", "Uuid", "Timestamp", "Severity", "Pid", "raw", "framed", "size"];
const KEYWORDS = "and break do else elseif end false for function if in local nil not or repeat return then true until while".split(" ");

const option = (name, [signature, text], boost = 0) => ({ label: name, detail: signature, info: text, type: "function", boost });

const options = (all, boost) => Object.entries(all).map(([name, doc]) => option(name, doc, boost));

const top = [
  ...options(docs.functions, 1).filter((o) => !["process_message", "timer_event"].includes(o.label)),
  ...KEYWORDS.map((k) => ({ label: k, type: "keyword" })),
  snippetCompletion("function process_message()\n    ${}\n    return 0\nend", { label: "process_message", detail: "()", info: docs.functions.process_message[1] }),
  snippetCompletion("function timer_event(ns, shutdown)\n    ${}\nend", { label: "timer_event", detail: "(ns, shutdown)", info: docs.functions.timer_event[1] }),
];

const keys = Object.entries(docs.config).map(([name, [type, text]]) => ({
  label: name, detail: type, info: text, type: "property", apply: `${name} = ${{ text: '""', number: "0", boolean: "true", table: "{}" }[type]}`,
}));

// completions is the source of completion of an editor.
export const completions = (config, editor) => (config ? (c) => forConfig(c, editor) : (c) => forSource(c, editor));

function forSource(c, editor) {
  const line = c.state.doc.lineAt(c.pos);
  const before = line.text.slice(0, c.pos - line.from);
  let m = /read_message\(\s*(["'])([^"']*)$/.exec(before) ?? /parse_message\(\s*(["'])([^"']*)$/.exec(before);
  if (m) return { from: c.pos - m[2].length, options: fieldOptions(editor.known.fields()), validFor: /^[^"']*$/ };
  m = /require\s*\(?\s*(["'])([\w.]*)$/.exec(before);
  if (m) return { from: c.pos - m[2].length, options: Object.keys(docs.modules).map((name) => ({ label: name, type: "module" })), validFor: /^[\w.]*$/ };
  m = /([\w.]+)([.:])(\w*)$/.exec(before);
  if (m) {
    const found = members(c.state.doc.toString(), m[1], m[2]);
    return found ? { from: c.pos - m[3].length, options: found, validFor: /^\w*$/ } : null;
  }
  const word = c.matchBefore(/\w+/);
  if (!word && !c.explicit || inside(before)) return null;
  const from = word ? word.from : c.pos;
  return { from, options: [...top, ...Object.keys(docs.modules).filter((n) => !n.includes(".")).map((n) => ({ label: n, type: "module" })), ...own(c.state.doc.toString(), word?.text)], validFor: /^\w*$/ };
}

// members are the functions of a module, which a local may name, or the methods of what a module makes.
function members(source, name, mark) {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  if (mark === ".") {
    const local = new RegExp(`\\b${escaped}\\s*=\\s*require\\s*\\(?\\s*["']([\\w.]+)["']\\)?\\s*(?:$|[^.\\s])`, "m").exec(source);
    const all = docs.modules[name] ?? docs.modules[local?.[1]];
    return all && options(all);
  }
  const made = new RegExp(`\\b${escaped}\\s*=.*?\\b(circular_buffer|cuckoo_filter_expire|json)\\b`).exec(source);
  const kinds = made ? [made[1]] : Object.keys(docs.methods);
  return kinds.flatMap((k) => options(docs.methods[k]).map((o) => (made ? o : { ...o, detail: `${o.detail} ${k}` })));
}

// own are the words of the text itself.
function own(source, word) {
  const seen = new Set(source.match(/[A-Za-z_]\w{2,}/g) ?? []);
  seen.delete(word);
  for (const k of [...KEYWORDS, ...Object.keys(docs.functions), ...Object.keys(docs.modules)]) seen.delete(k);
  return [...seen].slice(0, 500).map((label) => ({ label, type: "variable", boost: -1 }));
}

function fieldOptions(fields) {
  const known = new Map(fields.map((f) => [f.name, f]));
  for (const h of HEADERS) if (!known.has(h)) known.set(h, { name: h, top: [] });
  return [...known.values()].map((f) => ({
    label: f.name, type: "property", detail: f.types?.join(", ") ?? "header", boost: f.present ? 1 : 0,
    info: f.top?.length ? `Such as ${f.top.slice(0, 3).map((t) => t.value).join(", ")}` : undefined,
  }));
}

function forConfig(c, editor) {
  const line = c.state.doc.lineAt(c.pos);
  const before = line.text.slice(0, c.pos - line.from);
  const matcher = /^\s*message_matcher\s*=\s*(["']|\[\[)(.*)$/.exec(before);
  if (matcher) {
    const found = proposals(matcher[2], matcher[2].length, editor.known.fields());
    const quote = matcher[1] === '"' ? "'" : null; // a value within stands in the other marks
    if (!found.options.length) return null;
    return { from: c.pos - (matcher[2].length - found.from), options: found.options.map((o) => ({ label: quote ? o.text.replace(/"$/, quote) : o.text, detail: o.note })), filter: false };
  }
  const word = c.matchBefore(/^[ \t]*\w*/);
  if (!word || (word.from === word.to && !c.explicit)) return null;
  const indent = /^\s*/.exec(word.text)[0].length;
  const there = new Set([...c.state.doc.toString().matchAll(/^\s*(\w+)\s*=/gm)].map((m) => m[1]));
  return { from: word.from + indent, options: keys.filter((k) => !there.has(k.label)), validFor: /^\w*$/ };
}

// inside says whether a text or comment is open.
function inside(before) {
  let mark = "";
  for (let i = 0; i < before.length; i++) {
    const ch = before[i];
    if (mark && ch === "\\") i++;
    else if (mark) mark = ch === mark ? "" : mark;
    else if (ch === '"' || ch === "'") mark = ch;
    else if (ch === "-" && before[i + 1] === "-") return true;
  }
  return mark !== "";
}

// explain shows what the word under the pointer means.
export const explain = (config) =>
  hoverTooltip((view, pos) => {
    const line = view.state.doc.lineAt(pos);
    let from = pos - line.from;
    let to = from;
    while (from > 0 && /[\w.:]/.test(line.text[from - 1])) from--;
    while (to < line.text.length && /\w/.test(line.text[to])) to++;
    const word = line.text.slice(from, to);
    const doc = config ? docs.config[word] : lookup(view.state.doc.toString(), word);
    if (!doc) return null;
    return {
      pos: line.from + from,
      end: line.from + to,
      create: () => {
        const dom = document.createElement("div");
        dom.className = "cm-explain";
        const code = document.createElement("code");
        code.textContent = config ? `${word}: ${doc[0]}` : word + doc[0];
        dom.append(code, doc[1]);
        return { dom };
      },
    };
  });

function lookup(source, word) {
  const found = /^(.*)([.:])(\w+)$/.exec(word);
  if (!found) return docs.functions[word];
  const all = members(source, found[1], found[2]);
  const o = all?.find((o) => o.label === found[3]);
  return o && [o.detail, o.info];
}

// Lua with line numbers and a little colour. A config is Lua too.
import { h } from "./dom.js";

const TOKEN = /--\[(=*)\[[\s\S]*?(?:\]\1\]|$)|--[^\n]*|\[(=*)\[[\s\S]*?(?:\]\2\]|$)|"(?:[^"\\\n]|\\[\s\S])*"?|'(?:[^'\\\n]|\\[\s\S])*'?|[A-Za-z_][A-Za-z0-9_]*|0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|[^A-Za-z0-9_"'[\-]+|./g;
const WORDS = new Set("and break do else elseif end false for function if in local nil not or repeat return then true until while".split(" "));
const PLAIN_FROM = 60_000; // characters; a longer text is not coloured

function kindOf(token) {
  if (token.startsWith("--")) return "c";
  if (/^(["']|\[=*\[)/.test(token)) return "s";
  if (/^\d/.test(token)) return "n";
  return WORDS.has(token) ? "k" : "";
}

// lines returns one li for each line. The line marked is shown as faulty, with the reason under it.
export function lines(text, marked = 0, reason = "") {
  const out = [h("li")];
  const add = (part, kind) => {
    part.split("\n").forEach((piece, i) => {
      if (i > 0) out.push(h("li"));
      if (piece) out.at(-1).append(kind ? h("span." + kind, null, piece) : piece);
    });
  };
  if (text.length > PLAIN_FROM) add(text, "");
  else for (const [token] of text.matchAll(TOKEN)) add(token, kindOf(token));
  for (const li of out) if (!li.hasChildNodes()) li.append("\u200b");
  const bad = out[marked - 1];
  if (bad) {
    bad.classList.add("bad");
    if (reason) bad.append(h("span.line-reason", null, reason));
  }
  return out;
}

// viewer is a text to read.
export function viewer(text, marked, reason) {
  const all = lines(text.replace(/\n$/, ""), marked, reason);
  const el = h("ol.code", null, ...all);
  el.style.setProperty("--digits", String(all.length).length);
  return el;
}

// Unified diffs, coloured.
import { h } from "./dom.js";

// diff shows the parts {config, source} of what the host says is different.
export function diff(d) {
  const part = (name, text) => text ? h("section", null, h("h3", null, name), h("pre.diff", { tabindex: "0" }, ...rows(text))) : null;
  if (!d.config && !d.source) return h("p.note", null, "Nothing is different.");
  return h("div.diffs", null, part("Config", d.config), part("Source", d.source));
}

function rows(text) {
  return text.replace(/\n$/, "").split("\n").slice(0, 5000).map((line, i) => {
    const kind = i < 2 && /^(---|\+\+\+) /.test(line) ? "place" : { "+": "new", "-": "old", "@": "place" }[line[0]];
    return h("span" + (kind ? "." + kind : ""), null, line + "\n");
  });
}

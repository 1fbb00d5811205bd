// The options of a filter, kept in step with what there is.
import { h } from "./dom.js";

// choices sets the options after the first ("all") to values, and keeps the one that is chosen.
export function choices(select, values, chosen = select.value) {
  const all = [...new Set([...values, chosen])].filter(Boolean).sort();
  const now = [...select.options].slice(1).map((o) => o.value);
  if (all.join("\n") !== now.join("\n")) {
    select.replaceChildren(select.options[0], ...all.map((v) => h("option", { value: v }, v)));
  }
  select.value = chosen;
}

// The editor of a source or a config: the element of the bundle editor.js, or a plain field where that could not be loaded.
import { h } from "./dom.js";

// editor returns {el, value, set(text), diagnose(all), mark(line, text), focus()}.
export function editor(id, label, rows) {
  const whole = customElements.get("code-editor") !== undefined;
  const el = whole ? h("code-editor.editor.panel", { id, kind: id, label })
    : h("textarea.editor.panel", { id, rows, "aria-label": label, spellcheck: "false", wrap: "off", autocapitalize: "off" });
  let told = []; // what a check found, that is shown
  const diagnose = (all) => {
    told = all;
    el.diagnose?.(all);
  };
  return {
    el,
    get value() {
      return el.value;
    },
    set(text) {
      el.value = text;
      told = [];
    },
    // diagnose marks what a check found: {line, column, text, severity}.
    diagnose,
    // mark shows a line as faulty and brings it into sight; 0 takes the mark away.
    mark(line, text = "This line is at fault.") {
      diagnose(line ? [{ line, text }] : []);
      if (line) el.go?.(line);
    },
    told: () => told,
    focus: () => el.focus(),
    // known is asked for the fields that messages have.
    know(fields) {
      if (whole) el.known = { fields };
    },
  };
}

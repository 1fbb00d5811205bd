// A textarea with line numbers and coloured Lua behind it.
import { h, put } from "./dom.js";
import { lines } from "./code.js";

const INDENT = "    ";

// editor returns {el, value, set(text), mark(line), focus}. The id is the textarea's, for its label.
export function editor(id, rows) {
  const area = h("textarea", { id, rows, spellcheck: "false", wrap: "off", autocapitalize: "off", autocomplete: "off", autocorrect: "off" });
  const numbers = h("pre.editor-numbers", { "aria-hidden": "true" });
  const back = h("ol.code", { "aria-hidden": "true" });
  const el = h("div.editor.panel", null, h("div.editor-side", null, numbers), h("div.editor-main", null, h("div.editor-back", null, back), area));
  let marked = 0;
  let leaving = false; // Esc was pressed: Tab goes to the next field

  const scroll = () => {
    back.style.transform = `translate(${-area.scrollLeft}px, ${-area.scrollTop}px)`;
    numbers.style.transform = `translateY(${-area.scrollTop}px)`;
  };
  const draw = () => {
    const all = lines(area.value, marked);
    back.replaceChildren(...all);
    put(numbers, all.map((_, i) => i + 1).join("\n"));
    scroll();
  };
  const unmark = () => {
    marked = 0;
    area.removeAttribute("aria-invalid");
  };
  area.addEventListener("input", () => (unmark(), draw()));
  area.addEventListener("scroll", scroll);
  area.addEventListener("blur", () => (leaving = false));
  area.addEventListener("keydown", (e) => {
    if (e.key === "Escape") leaving = true;
    else if (e.key !== "Tab" || e.ctrlKey || e.altKey || e.metaKey) leaving = leaving && e.key === "Shift";
    else if (!leaving) {
      e.preventDefault();
      if (e.shiftKey) outdent(area);
      else insert(area, INDENT.slice((area.selectionStart - lineStart(area)) % INDENT.length));
    }
  });
  draw();

  return {
    el,
    area,
    get value() {
      return area.value;
    },
    set(text) {
      area.value = text;
      unmark();
      draw();
      area.scrollTop = 0;
    },
    // mark shows a line as faulty and brings it into sight; 0 takes the mark away.
    mark(line) {
      unmark();
      marked = line;
      draw();
      if (!line) return;
      area.setAttribute("aria-invalid", "true");
      const height = parseFloat(getComputedStyle(area).lineHeight);
      area.scrollTop = Math.max(0, (line - 1) * height - area.clientHeight / 2);
      const before = area.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
      area.focus({ preventScroll: true });
      area.setSelectionRange(before, before);
      el.scrollIntoView({ block: "nearest" });
    },
  };
}

const lineStart = (area) => area.value.lastIndexOf("\n", area.selectionStart - 1) + 1;

// insert goes through the browser's editing, so that undo knows it.
function insert(area, text) {
  if (document.execCommand("insertText", false, text)) return;
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input"));
}

function outdent(area) {
  const start = lineStart(area);
  const spaces = /^( {1,4}|\t)/.exec(area.value.slice(start))?.[0].length ?? 0;
  if (!spaces) return;
  const at = Math.max(start, area.selectionStart - spaces);
  area.setSelectionRange(start, start + spaces);
  if (!document.execCommand("delete")) {
    area.setRangeText("");
    area.dispatchEvent(new Event("input"));
  }
  area.setSelectionRange(at, at);
}

// Completion of a matcher in a field of a form.
import { h, attr } from "./dom.js";
import { proposals } from "./proposals.js";

// complete offers proposals under an input: arrows choose, Enter or Tab take, Escape closes.
export function complete(input, box, fields, changed) {
  let now = { from: 0, options: [] };
  let at = -1;
  const close = () => {
    now = { from: 0, options: [] };
    at = -1;
    box.hidden = true;
    attr(input, "aria-expanded", "false");
    attr(input, "aria-activedescendant", null);
  };
  const mark = () => {
    [...box.children].forEach((li, i) => attr(li, "aria-selected", i === at ? "true" : "false"));
    attr(input, "aria-activedescendant", at >= 0 ? `complete-${at}` : null);
    box.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const take = (i) => {
    const { from, options } = now;
    const caret = input.selectionStart;
    const rest = input.value.slice(caret);
    // What a taken name or value ends with may be there already.
    const tail = options[i].text.at(-1) === rest[0] && /[\]'"]/.test(rest[0] ?? "") ? rest.slice(1) : rest;
    input.value = input.value.slice(0, from) + options[i].text + tail;
    const end = from + options[i].text.length;
    input.setSelectionRange(end, end);
    close();
    if (options[i].text.endsWith("[")) open();
    changed();
  };
  const open = () => {
    now = proposals(input.value, input.selectionStart ?? 0, fields());
    at = -1;
    box.replaceChildren(...now.options.map((o, i) => h("li", { id: `complete-${i}`, role: "option", "aria-selected": "false", onmousedown: (e) => { e.preventDefault(); take(i); } }, h("span", null, o.text), h("span.note", null, o.note))));
    box.hidden = now.options.length === 0;
    attr(input, "aria-expanded", now.options.length ? "true" : "false");
    mark();
  };
  input.addEventListener("input", open);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && !box.hidden) {
      close();
      e.preventDefault();
    } else if (e.key === "Enter" && at < 0) {
      close();
      changed();
    } else if (now.options.length === 0) {
      if (e.key === " " && e.ctrlKey) {
        open();
        e.preventDefault();
      }
    } else if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      const n = now.options.length;
      at = (at + (e.key === "ArrowDown" ? 1 : at < 0 ? 0 : -1) + n) % n;
      mark();
      e.preventDefault();
    } else if ((e.key === "Enter" || e.key === "Tab") && at >= 0) {
      take(at);
      e.preventDefault();
    }
  });
}

// The editor of Lua and of configs, as an element: <code-editor kind="source" label="Source">. It is a bundle of its own, since only one
// page needs it. Its styles live in a shadow root, where the page's Content-Security-Policy lets them be.
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { bracketMatching, indentOnInput, indentUnit } from "@codemirror/language";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { language, theme } from "./lua.js";
import { completions, explain } from "./complete.js";

class CodeEditor extends HTMLElement {
  #view = null;
  #quiet = false; // the text is set, not typed
  #text = "";
  #readOnly = new Compartment();

  // known is what completion asks: fields() of messages, as the API has them.
  known = { fields: () => [] };

  connectedCallback() {
    if (this.#view) return;
    const root = this.attachShadow({ mode: "open" });
    const label = this.getAttribute("label") ?? "";
    const config = this.getAttribute("kind") === "config";
    this.#view = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: this.#text,
        extensions: [
          lineNumbers(), lintGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(), highlightActiveLine(), highlightActiveLineGutter(),
          highlightSelectionMatches(), EditorState.tabSize.of(4), indentUnit.of("    "), language, theme,
          autocompletion({ override: [completions(config, this)], icons: false }), explain(config),
          // Escape, then Tab leaves the field, as CodeMirror does by itself with Escape and Tab in its keymap.
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...searchKeymap, ...historyKeymap, ...lintKeymap, indentWithTab,
            ...defaultKeymap.filter((k) => k.key !== "Mod-Enter")]),
          EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", spellcheck: "false", autocapitalize: "off", autocorrect: "off" }),
          this.#readOnly.of([]),
          EditorView.updateListener.of((u) => {
            if (u.docChanged && !this.#quiet) this.dispatchEvent(new Event("input", { bubbles: true }));
          }),
        ],
      }),
    });
  }

  get value() {
    return this.#view ? this.#view.state.doc.toString() : this.#text;
  }

  // value replaces the text; what was marked is marked no more.
  set value(text) {
    this.#text = text;
    this.removeAttribute("aria-invalid");
    if (!this.#view) return;
    this.#quiet = true;
    this.#view.dispatch({ changes: { from: 0, to: this.#view.state.doc.length, insert: text } });
    this.diagnose([]);
    this.#quiet = false;
  }

  focus() {
    this.#view?.focus();
  }

  // diagnose marks lines: {line, column, text, severity}; a line of 0 is the first. Columns count bytes from 1.
  diagnose(all) {
    if (!this.#view) return;
    const doc = this.#view.state.doc;
    this.#view.dispatch(setDiagnostics(this.#view.state, all.map((d) => {
      const line = doc.line(Math.min(Math.max(1, d.line || 1), doc.lines));
      const indent = /^\s*/.exec(line.text)[0].length;
      const from = d.column ? Math.min(line.from + d.column - 1, line.to) : Math.min(line.from + indent, line.to);
      return { from, to: line.to, severity: d.severity ?? "error", message: d.text };
    })));
    if (all.some((d) => (d.severity ?? "error") === "error")) this.setAttribute("aria-invalid", "true");
    else this.removeAttribute("aria-invalid");
  }

  // go shows a line, with the cursor at its beginning.
  go(line) {
    if (!this.#view) return;
    const at = this.#view.state.doc.line(Math.min(Math.max(1, line), this.#view.state.doc.lines)).from;
    this.#view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    this.#view.focus();
  }
}

customElements.define("code-editor", CodeEditor);

// A WebAssembly module: choosing one, and what is shown of it.
import { byId, h, put } from "./dom.js";
import { bytes, exact } from "./format.js";

// facts draws what a module asks for and offers.
export function facts(m) {
  const row = (label, value) => h("div", null, h("dt", null, label), h("dd.mono", null, value));
  const names = (label, all) => h("details", null, h("summary", null, `${exact(all.length)} ${label}`), h("ul.names", null, ...all.map((n) => h("li", null, n))));
  return h("div.module", null,
    h("dl.facts", null, row("Size", bytes(m.size)), row("Functions", exact(m.functions)), row("Memory at the start", bytes(m.memory))),
    h("p.bar-label", null, "SHA-256"), h("code.hash", null, m.sha256),
    names("imports", m.imports), names("exports", m.exports));
}

// base64 of bytes, in pieces that fit into a call.
function base64(b) {
  let text = "";
  for (let i = 0; i < b.length; i += 0x8000) text += String.fromCharCode(...b.subarray(i, i + 0x8000));
  return btoa(text);
}

// chooser shows a module in place of the editor, once there is one. chosen is called with every new one.
export function chooser(chosen) {
  const file = byId("module-file");
  const title = h("b");
  const about = h("div");
  const box = h("div.panel.pad", { id: "module-box", hidden: "" },
    title, about, h("p", null, h("button", { type: "button", onclick: () => show(null) }, "Write Lua instead")));
  byId("source-box").after(box);
  let module = null;
  const show = (m) => {
    module = m;
    box.hidden = !m;
    byId("source-box").hidden = !!m;
    about.replaceChildren();
    if (m) put(title, `${m.name}, ${bytes(m.size)}`);
    else file.value = "";
  };
  const set = (name, b) => show({ name, size: b.length, text: base64(b) });
  file.addEventListener("change", async () => {
    const f = file.files[0];
    if (!f) return;
    set(f.name, new Uint8Array(await f.arrayBuffer()));
    chosen(f.name);
  });
  return {
    set,
    clear: () => show(null),
    // base64 is the module, "" when Lua is written.
    get base64() {
      return module?.text ?? "";
    },
    tell(m) {
      about.replaceChildren(facts(m));
    },
  };
}

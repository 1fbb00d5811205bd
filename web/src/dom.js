// Making and changing elements. Data becomes text nodes only, never markup.

const SVG = "http://www.w3.org/2000/svg";

// h makes an element: h("a.link", {href: url, onclick: f}, "text", other). Attributes that are null, undefined
// or false are left out.
export function h(tag, attrs, ...children) {
  const [name, ...classes] = tag.split(".");
  return finish(document.createElement(name || "div"), classes, attrs, children);
}

// svg is h for drawings.
export function svg(tag, attrs, ...children) {
  const [name, ...classes] = tag.split(".");
  return finish(document.createElementNS(SVG, name), classes, attrs, children);
}

function finish(el, classes, attrs, children) {
  if (classes.length) el.classList.add(...classes);
  for (const [key, value] of Object.entries(attrs ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) el.addEventListener(key.slice(2), value);
    else el.setAttribute(key, value === true ? "" : value);
  }
  el.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return el;
}

// put sets an element's text, and leaves it alone when it is that already: a selection survives.
export function put(el, text) {
  const s = String(text ?? "");
  if (el.textContent !== s) el.textContent = s;
  return el;
}

// attr sets or removes an attribute when that is a change.
export function attr(el, name, value) {
  if (value === null || value === undefined || value === false) el.removeAttribute(name);
  else if (el.getAttribute(name) !== String(value)) el.setAttribute(name, value);
}

// list keeps a parent's children in step with items. make(item) returns {el, update(item)}; an item of a known
// key keeps its element, so that focus and open details stay. Returns the function to call with new items.
export function list(parent, key, make) {
  const known = new Map();
  return (items) => {
    const seen = new Set();
    let next = parent.firstElementChild;
    for (const item of items) {
      const k = key(item);
      if (seen.has(k)) continue;
      seen.add(k);
      let child = known.get(k);
      if (!child) known.set(k, (child = make(item)));
      child.update?.(item);
      if (child.el === next) next = next.nextElementSibling;
      else parent.insertBefore(child.el, next);
    }
    for (const [k, child] of known) {
      if (seen.has(k)) continue;
      child.remove?.();
      child.el.remove();
      known.delete(k);
    }
  };
}

export const byId = (id) => document.getElementById(id);

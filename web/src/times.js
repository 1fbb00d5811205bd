// <time> elements that say how long ago something was, and go on saying it.
import { h, put, attr } from "./dom.js";
import { ago } from "./format.js";

// since makes such an element; setSince changes its time.
export function since(t) {
  return setSince(h("time", { "data-ago": true }), t);
}

export function setSince(el, t) {
  attr(el, "datetime", t);
  attr(el, "title", `${new Date(t).toLocaleString(undefined, { timeZoneName: "short" })}, ${t}`);
  put(el, ago(t));
  return el;
}

export function keepTimes() {
  setInterval(() => {
    for (const el of document.querySelectorAll("time[data-ago]")) put(el, ago(el.dateTime));
  }, 1000);
}

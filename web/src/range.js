// The time range of a page: what all its graphs show, whether somebody chose it or dragged over one of them. It stands in the address.
import { h, attr } from "./dom.js";
import { moment } from "./format.js";

const LAST = [[0, "all there is"], [300, "the last 5 minutes"], [900, "the last 15 minutes"], [3600, "the last hour"], [21_600, "the last 6 hours"], [86_400, "the last day"], [604_800, "the last week"], [2_592_000, "the last 30 days"], [31_536_000, "the last year"]];

// BEFORE are what one may compare with.
export const BEFORE = [[0, "nothing"], [86_400, "a day before"], [604_800, "a week before"]];

// group makes a range of its own: {part(newest), set, last, choose, follow, cursor, deploys}. Times are in seconds.
export function group() {
  const all = new Set();
  const g = {
    cursor: `graphs-${Math.random()}`, // graphs of one group share the line under the pointer
    fixed: null, // {min, max}
    compare: 0, // how long before it is what is shown beside; 0 for nothing
    last: 0, // seconds before the newest value; 0 for all
    deploys: [], // {at, text}: when the plugin was changed
    alert: "", // key of the alert that the page is about
    // part is what is to be seen of a graph whose newest value is of that time; null for all of it.
    part: (newest) => g.fixed ?? (g.last && newest ? { min: newest - g.last, max: newest } : null),
    set(part) {
      g.fixed = part;
      tell();
    },
    choose(seconds) {
      g.fixed = null;
      g.last = seconds;
      tell();
    },
    setCompare(seconds) {
      g.compare = seconds;
      tell();
    },
    setDeploys(list) {
      g.deploys = list;
      tell();
    },
    // follow is told of changes until the function that it returns is called.
    follow(f) {
      all.add(f);
      return () => all.delete(f);
    },
  };
  const tell = () => all.forEach((f) => f());
  return g;
}

// page is the range of the page.
export const page = group();

// picker chooses the range of the page, and remembers it in the address.
export function picker() {
  const query = new URLSearchParams(location.search);
  const from = Number(query.get("from"));
  const to = Number(query.get("to"));
  if (from && to > from) page.fixed = { min: from, max: to };
  else page.last = Number(query.get("last")) || 0;
  const select = h("select", { "aria-label": "Time range", onchange: () => select.value !== "own" && page.choose(Number(select.value)) },
    ...LAST.map(([s, name]) => h("option", { value: s }, name)));
  const own = h("option", { value: "own" });
  const show = () => {
    if (page.fixed) {
      own.textContent = `${moment(page.fixed.min * 1000)} to ${moment(page.fixed.max * 1000)}`;
      if (!own.parentElement) select.prepend(own);
      select.value = "own";
    } else {
      own.remove();
      select.value = page.last;
      if (select.selectedIndex < 0) select.value = 0;
    }
    attr(whole, "hidden", !page.fixed);
  };
  const whole = h("button.quiet", { type: "button", onclick: () => page.set(null) }, "Back");
  page.follow(() => {
    show();
    const q = new URLSearchParams(location.search);
    for (const k of ["from", "to", "last"]) q.delete(k);
    if (page.fixed) {
      q.set("from", Math.round(page.fixed.min));
      q.set("to", Math.round(page.fixed.max));
    } else if (page.last) q.set("last", page.last);
    history.replaceState(null, "", (q.size ? "?" + q : location.pathname) + location.hash);
  });
  const compare = h("select", { "aria-label": "Compare with", onchange: () => page.setCompare(Number(compare.value)) }, ...BEFORE.map(([s, name]) => h("option", { value: s }, name)));
  show();
  return h("span.range", null, h("label", null, "Show ", select), whole, h("label", null, "beside ", compare));
}

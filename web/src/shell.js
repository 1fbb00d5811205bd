// What every page has around it: the theme and the word whether it is live.
import { byId, put } from "./dom.js";
import { me, setMe } from "./api.js";
import { onStatus } from "./live.js";
import { clock } from "./format.js";

const WORDS = { live: "Live", waiting: "Connecting", lost: "No connection" };

export function shell() {
  const button = byId("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const current = () => document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light");
  const name = () => button.setAttribute("aria-label", current() === "dark" ? "Use the light theme" : "Use the dark theme");
  name();
  system.addEventListener("change", () => (name(), announce()));
  button.addEventListener("click", () => {
    const next = current() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("theme", next);
    } catch {
      // it holds for this page
    }
    name();
    announce();
  });
  const who = byId("me");
  if (who) {
    const show = () => put(who, me() || "Your name");
    show();
    who.addEventListener("click", () => {
      const name = prompt("Your name, for the history of plugins. Nobody checks it.", me());
      if (name === null) return;
      setMe(name.replace(/\p{C}/gu, "").trim().slice(0, 20)); // at most 64 bytes go with a request
      show();
    });
  }
  document.querySelector("nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" }); // on a phone not all have room
  const live = byId("live");
  if (live) {
    onStatus((s) => {
      live.dataset.state = s;
      if (s === "lost" && document.documentElement.dataset.host !== "away") {
        document.documentElement.dataset.host = "away"; // what is shown is grey from now on
        put(live.lastElementChild, `${WORDS.lost} since ${clock(Date.now())}`);
      }
      if (s === "lost") return;
      delete document.documentElement.dataset.host;
      put(live.lastElementChild, WORDS[s]);
    });
  }
}

function announce() {
  document.dispatchEvent(new Event("theme"));
}

// colors resolves custom properties for drawing on a canvas, where CSS does not reach.
export function colors(names) {
  const probe = document.createElement("i");
  document.body.append(probe);
  const found = names.map((n) => {
    probe.style.color = `var(--${n})`;
    return getComputedStyle(probe).color;
  });
  probe.remove();
  return found;
}

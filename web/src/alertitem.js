// One alert in a narrow list.
import { h } from "./dom.js";
import { pluginPage } from "./api.js";
import { pluginName } from "./parts.js";
import { since } from "./times.js";

export function alertItem(a) {
  return {
    el: h("li.alert", null,
      h("div.alert-top", null, h("b", null, a.key ? h("a", { href: "/alerts/" + encodeURIComponent(a.key) }, a.summary || a.id || "Alert") : a.summary || a.id || "Alert"), since(a.time)),
      a.detail ? h("p.alert-detail", { title: a.detail }, a.detail) : null,
      h("a.alert-from", { href: pluginPage(a.logger) }, ...pluginName(a.logger)),
    ),
  };
}

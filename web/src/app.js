// Starts the page that the template named.
import { shell } from "./shell.js";
import { start } from "./live.js";
import { keepTimes } from "./times.js";
import { overview } from "./overview.js";
import { plugin } from "./plugin.js";
import { plugins } from "./plugins.js";
import { submit } from "./submit.js";
import { alerts } from "./alerts.js";
import { alert } from "./alert.js";
import { dashboards } from "./dashboards.js";
import { dashboard } from "./dashboard.js";
import { errors } from "./errors.js";
import { messages } from "./messages.js";
import { schemas } from "./schemas.js";
import { lake } from "./lake.js";

const pages = { overview, plugins, plugin, submit, alerts, alert, dashboards, dashboard, errors, messages, schemas, lake, help: () => {}, missing: () => {} };
const main = document.querySelector("main");

shell();
const page = pages[main.id];
if (page) {
  keepTimes();
  page(main);
  start();
}

// Starts the page that the template named.
import { shell } from "./shell.js";
import { start } from "./live.js";
import { keepTimes } from "./times.js";
import { overview } from "./overview.js";
import { plugin } from "./plugin.js";
import { plugins } from "./plugins.js";
import { submit } from "./submit.js";
import { alerts } from "./alerts.js";
import { errors } from "./errors.js";
import { messages } from "./messages.js";
import { schemas } from "./schemas.js";

const pages = { overview, plugins, plugin, submit, alerts, errors, messages, schemas, help: () => {} };
const main = document.querySelector("main");

shell();
const page = pages[main.id];
if (page) {
  keepTimes();
  page(main);
  start();
}

// Asking the host.

// Fault is an error that the host told, with what it knows about where the mistake is.
export class Fault extends Error {
  constructor(status, body) {
    super(body?.error || `the host answered ${status}`);
    this.status = status;
    this.line = body?.line || 0;
    this.column = body?.column || 0;
    this.field = body?.field || "";
    this.outcome = body?.outcome || "";
  }
}

const NAME = "name"; // in the browser's storage

// me is the name that somebody gives himself, for the history of plugins. Nobody checks it.
export function me() {
  try {
    return localStorage.getItem(NAME) ?? "";
  } catch {
    return "";
  }
}

export function setMe(name) {
  try {
    localStorage.setItem(NAME, name);
  } catch {
    // then it is not remembered
  }
}

// A header holds bytes: the name's UTF-8, one letter a byte.
const as = () => (me() ? { "Sandbar-As": String.fromCharCode(...new TextEncoder().encode(me())) } : {});

// What was answered lately, by path: what has not changed is not sent again. Who gets an answer leaves it as it is.
const answers = new Map();
const ANSWERS = 60;
const LARGE = 100_000; // characters of an answer that is not kept

function remember(path, tag, json) {
  answers.delete(path);
  answers.set(path, { tag, json });
  if (answers.size > ANSWERS) answers.delete(answers.keys().next().value);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function ask(method, path, body, headers = {}) {
  const known = method === "GET" ? answers.get(path) : null;
  const init = { method, headers: method === "GET" ? {} : { ...as(), ...headers }, signal: AbortSignal.timeout(90_000) };
  if (known) init.headers["If-None-Match"] = known.tag;
  if (body !== undefined) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch("/api/v1/" + path, init);
  } catch {
    throw new Fault(0, { error: "the host does not answer" });
  }
  if (answer.status === 401) {
    location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
    throw new Fault(401, { error: "you are logged out" });
  }
  if (answer.status === 304 && known) return known.json;
  const text = await answer.text().catch(() => "");
  const json = parse(text);
  if (!answer.ok) throw new Fault(answer.status, json);
  const tag = answer.headers.get("ETag");
  if (method === "GET" && tag?.startsWith("W/") && text.length < LARGE) remember(path, tag, json);
  return json;
}

// getBytes is an answer that is no JSON.
export async function getBytes(path) {
  const answer = await fetch("/api/v1/" + path, { signal: AbortSignal.timeout(90_000) });
  if (!answer.ok) throw new Fault(answer.status, await answer.json().catch(() => null));
  return new Uint8Array(await answer.arrayBuffer());
}

export const get = (path) => ask("GET", path);
export const post = (path, body) => ask("POST", path, body);
// putJSON replaces the version of something that there is, or makes it.
export const putJSON = (path, body, version) => ask("PUT", path, body, version ? { "If-Match": `"${version}"` } : {});
export const del = (path) => ask("DELETE", path);

// waitTrial asks for a trial until it ends, and returns it; or until going, which is told of it meanwhile, returns nothing.
export async function waitTrial(id, going) {
  for (;;) {
    const r = await get("try/" + id);
    if (!going(r)) return null;
    if (["done", "cancelled", "failed"].includes(r.state)) return r;
    await new Promise((go) => setTimeout(go, 400));
  }
}

// pluginPath is where the API has one plugin.
export const pluginPath = (name, rest = "") => "plugins/" + encodeURIComponent(name) + rest;
export const pluginPage = (name) => "/plugins/" + encodeURIComponent(name);

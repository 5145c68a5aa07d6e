// Serves the page with a made-up stage behind it: `npm run serve -- --port 7600 --actors 2000 [--read-only]`.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { FakeStage } from "./fake-stage.mjs";
import { FakeRequests } from "./fake-requests.mjs";
import { FakeRegisters } from "./fake-registers.mjs";
import { services } from "./fake-services.mjs";
import * as traffic from "./fake-traffic.mjs";

const ASSETS = fileURLToPath(new URL("../assets/", import.meta.url));
const TYPES = /** @type {Record<string, string>} */ ({ ".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml" });
const CSP = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** @param {{ fillers?: number, canAct?: boolean }} options */
export function serve(options) {
  const stage = new FakeStage(options);
  const requests = new FakeRequests();
  const registers = new FakeRegisters();
  /** @type {Set<import("node:http").ServerResponse>} */
  const clients = new Set();
  /** @param {string} event @param {{ seq?: number }} body */
  const tell = (event, body) => {
    const text = `id: ${stage.seq}\nevent: ${event}\ndata: ${JSON.stringify(body)}\n\n`;
    for (const client of clients) client.write(text);
  };
  let ticks = 0;
  const timer = setInterval(() => {
    tell("delta", stage.tick());
    ticks += 1;
    if (ticks % 2 === 0) for (const load of stage.loads.values()) if (load.running || ticks % 8 === 0) tell("load", load);
    if (ticks % 24 === 0) {
      stage.flaky.restarts += 1;
      tell("log", stage.note("restarted", stage.flaky, "panicked: index out of bounds: the len is 3 but the index is 3"));
    }
  }, 250);
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    response.setHeader("content-security-policy", CSP);
    /** @param {unknown} body @param {number} [status] */
    const json = (body, status = 200) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    let text = "";
    for await (const piece of request) text += piece;
    const [, api, what, id, action] = url.pathname.split("/");
    if (api !== "api") return file(url.pathname, response);
    if (request.method !== "GET" && !stage.stage.can_act) return json({ error: "the token is missing", hint: "open the page with ?token=…" }, 401);
    if (what === "events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`event: snapshot\ndata: ${JSON.stringify(stage.snapshot())}\n\n`);
      clients.add(response);
      request.on("close", () => clients.delete(response));
      response.on("close", () => clients.delete(response));
      return undefined;
    }
    if (what === "snapshot") return json(stage.snapshot());
    if (what === "waits") return json(traffic.waits(stage));
    if (what === "flow") return json(traffic.flow(stage));
    if (what === "servers") return json({ servers: stage.servers });
    if (what === "reports") return json({ reports: stage.reports() });
    if (what === "requests" && id === "act") return setTimeout(() => json(requests.act(JSON.parse(text))), 300);
    if (what === "requests") return json(requests.list());
    if (what === "registers" && request.method === "GET") return json(id === "keys" ? registers.keys(url.searchParams) : registers.seen(Date.now()));
    if (what === "registers") {
      const { status, body } = registers.act([id, action, url.pathname.split("/")[5]], JSON.parse(text || "{}"));
      return setTimeout(() => json(body, status), 120);
    }
    if (what === "services" && id === "reload") return json({ added: ["gopher"], changed: [], removed: [] });
    if (what === "services") return json(services(Date.now(), stage.instances));
    if (what === "capture") {
      const window_ms = Number(url.searchParams.get("window_ms") ?? 1000);
      setTimeout(() => json(traffic.capture(stage, window_ms)), window_ms);
      return undefined;
    }
    if (what === "load" && request.method === "POST") return json(stage.startLoad(JSON.parse(text)));
    if (what === "load" && request.method === "DELETE") {
      Object.assign(stage.loads.get(decodeURIComponent(id ?? "")) ?? {}, { running: false, in_flight: 0 });
      return json({});
    }
    if (what === "load") return json({ loads: [...stage.loads.values()] });
    if (what === "actors" && id) {
      const actor = stage.actors.get(Number(id));
      if (!actor) return json({ error: `there is no actor #${id}`, hint: "it may have ended long ago" }, 404);
      if (!action) return json(traffic.page(stage, Number(id)));
      if (action === "step") return json({ error: "only a suspended actor can step", hint: "suspend it first" }, 409);
      const { entry, answer } = stage.act(actor, action);
      tell("log", entry);
      tell("delta", { ...stage.tick(), changed: [stage.view(actor)], seq: (stage.seq += 1) });
      return setTimeout(() => json(answer), answer.effect.effect === "pending" ? 1000 : 5);
    }
    return json({ error: "no such route", hint: "see /api/openapi.json" }, 404);
  });
  server.on("close", () => clearInterval(timer));
  return { server, stage };
}

/** @param {string} path @param {import("node:http").ServerResponse} response */
async function file(path, response) {
  const name = path === "/" ? "index.html" : normalize(path.replace(/^\/assets\//, "")).replace(/^(\.\.[/\\])+/, "");
  try {
    const body = await readFile(ASSETS + name);
    response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream" });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { port: { type: "string", default: "7600" }, actors: { type: "string", default: "40" }, "read-only": { type: "boolean", default: false } } });
  const { server } = serve({ fillers: Number(values.actors), canAct: !values["read-only"] });
  server.listen(Number(values.port), "127.0.0.1", () => console.log(`http://127.0.0.1:${values.port}/`));
}

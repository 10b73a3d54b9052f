// A world whose dwclean reaches both halves through proxies that do harm (proxy.mjs); who looks and controls goes past them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { World } from "./world.mjs";
import { Proxy } from "./proxy.mjs";

export class WireWorld extends World {
  proxies = { tds: new Proxy("tds"), http: new Proxy("http") };

  async start(seed) {
    const port = await this.proxies.http.listen();
    this.tdsPort = await this.proxies.tds.listen();
    await super.start(seed, ["--dataverse-proxy", String(port)]);
    const pem = (kind) => readFileSync(join(this.directory, "sandbox", "pki", `good.${kind}`));
    this.proxies.http.setTarget(Number(this.values.SANDBOX_DATAVERSE_PORT), pem("pem"), pem("key"));
    this.proxies.tds.setTarget(Number(this.values.SANDBOX_TDS_PORT), pem("pem"), pem("key"));
    for (const proxy of Object.values(this.proxies))
      proxy.onRestart = () => {
        this.restarting = Promise.all(Object.values(this.proxies).map((one) => one.restart()));
      };
  }

  stop() {
    for (const proxy of Object.values(this.proxies)) proxy.stop();
    super.stop();
  }

  // What the harm left behind is over.
  async calm() {
    await this.restarting;
    this.restarting = null;
    for (const proxy of Object.values(this.proxies)) {
      proxy.cutAll();
      proxy.arm(null);
    }
  }

  async reset() {
    await this.calm();
    return super.reset();
  }

  /**
   * A dry run in peace, then the clean with a fault of one half (proxy.mjs), or rules of the sandbox. {result, reached}
   */
  async harmed({ half, fault = null, rules = [], options = [], environment, timeout }) {
    const dry = await this.dwclean(["clean", "--dry-run", "--format", "json"]);
    if (dry.status !== 0) throw new Error(`the dry run: ${dry.status} ${dry.stderr}`);
    for (const rule of rules) await this.control("POST", "/faults", JSON.stringify(rule));
    for (const [name, proxy] of Object.entries(this.proxies)) proxy.arm(name === half ? fault : null);
    const result = await this.dwclean(["clean", ...options, "--maps-are-stopped", "--reason", "sweep", "--yes", "--plan-id",
      JSON.parse(dry.stdout).plan_id], environment, timeout);
    const reached = half ? this.proxies[half].reached : true;
    if (rules.length) await this.control("DELETE", "/faults");
    for (const proxy of Object.values(this.proxies)) proxy.arm(null);
    return { result, reached };
  }

  /**
   * What a run without harm sends: [{half, link, side, bytes, ends}]. layer "plain": the bytes below TLS; "raw": where records end.
   */
  async record(layer) {
    await this.reset();
    const dry = await this.dwclean(["clean", "--dry-run", "--format", "json"]);
    for (const proxy of Object.values(this.proxies)) proxy.arm(null, layer);
    const result = await this.dwclean(["clean", "--maps-are-stopped", "--reason", "sweep", "--yes", "--plan-id", JSON.parse(dry.stdout).plan_id]);
    if (result.status !== 0) throw new Error(`the run without a fault: ${result.status} ${result.stderr}`);
    await sleep(50);
    const streams = Object.entries(this.proxies).flatMap(([half, proxy]) => proxy.links.flatMap((link) => ["request", "answer"].map((side) =>
      ({ half, link: link.number, side, bytes: Buffer.concat(link.gates[side].recorded), ends: link.gates[side].ends ?? [] }))));
    await this.calm();
    return streams;
  }
}

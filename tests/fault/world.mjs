// A sandbox of one's own, the tables as independent clients see them, and dwclean as a process.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";

const PASSWORD = "Sandbox-Passw0rd!";
const RUN_TIMEOUT_MS = 60000;
const FIELD = "\u001f";

export const TABLES = {
  field: "DUALWRITEPROJECTFIELDCONFIGURATION",
  project: "DUALWRITEPROJECTCONFIGURATION",
  events: "BUSINESSEVENTSDEFINITION",
};
const NEIGHBOURS = { errors: "DUALWRITEERRORLOG", parameters: "DUALWRITEPARAMETERS" };

// A child process to its end: {status, signal, stdout, stderr}; status is null when a signal ended it.
export function run(command, args, { env, input = "", timeout = RUN_TIMEOUT_MS } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ["pipe", "pipe", "pipe"] });
    const out = [], err = [];
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      child.kill("SIGKILL");
    }, timeout);
    child.stdout.on("data", (part) => out.push(part));
    child.stderr.on("data", (part) => err.push(part));
    child.stdin.on("error", () => {});
    child.on("error", reject);
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, hung, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() });
    });
    child.stdin.end(input);
  });
}

export class World {
  constructor(directory, programs) {
    this.directory = directory;
    this.programs = programs; // dwclean, sandbox, library, source
    this.runs = join(directory, "runs");
    this.callLog = join(directory, "calls");
  }

  async start(seed, options = []) {
    const at = join(this.directory, "sandbox");
    rmSync(this.directory, { recursive: true, force: true });
    mkdirSync(at, { recursive: true });
    this.sandbox = spawn(this.programs.sandbox,
      ["--seed", seed, "--dir", at, "--fixtures", join(this.programs.source, "fixtures"), "--with-parent", ...options],
      { stdio: "ignore" });
    for (let waited = 0; !existsSync(join(at, "env")); waited++) {
      if (waited > 600 || this.sandbox.exitCode !== null) throw new Error("the sandbox did not start");
      await sleep(50);
    }
    this.values = Object.fromEntries(readFileSync(join(at, "env"), "utf8").split("\n").filter(Boolean)
      .map((line) => line.match(/^(\w+)='?(.*?)'?$/).slice(1)));
    writeFileSync(join(this.directory, "freetds.conf"),
      `[global]\ntds version = 7.4\ntext size = 4294967295\nclient charset = UTF-8\n` +
      `[box]\nhost = 127.0.0.1\nport = ${this.values.SANDBOX_TDS_PORT}\nencryption = off\n`);
  }

  stop() {
    this.sandbox?.kill("SIGTERM");
  }

  async control(method, path, body) {
    const answer = await fetch(this.values.SANDBOX_CONTROL + path, { method, body });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text;
  }

  // Back to the seed; no runs, no faults, an empty log. Returns what is in the tables.
  async reset() {
    rmSync(this.runs, { recursive: true, force: true });
    await this.control("DELETE", "/faults");
    await this.control("POST", "/reset");
    await this.control("DELETE", "/log");
    return this.look();
  }

  // All rows, by tsql and the sandbox's control interface. The locks make the look wait for whatever a session
  // that lost its client is still doing.
  async look() {
    const selects = Object.entries({ ...TABLES, ...NEIGHBOURS })
      .map(([key, table]) => `SELECT N'${key}' AS TABLE_KEY, * FROM dbo.${table} WITH (TABLOCKX, HOLDLOCK) ORDER BY PARTITION, RECID`);
    const answer = await run("tsql", ["-S", "box", "-U", "admin", "-P", PASSWORD, "-o", "qf", "-t", FIELD], {
      env: { PATH: process.env.PATH, FREETDSCONF: join(this.directory, "freetds.conf"), LC_ALL: "C.UTF-8" },
      input: `SET LOCK_TIMEOUT 20000\nBEGIN TRANSACTION\n${selects.join("\n")}\nCOMMIT\ngo\n`,
    });
    if (answer.status !== 0 || /Msg \d/.test(answer.stderr + answer.stdout))
      throw new Error(`could not look at AxDB: ${answer.stderr}${answer.stdout}`);
    const now = { field: new Map(), project: new Map(), events: new Map(), errors: new Map(), parameters: new Map() };
    let names = [];
    for (const line of answer.stdout.toString("utf8").split("\n").filter(Boolean)) {
      const values = line.split(FIELD);
      if (values[0] === "TABLE_KEY") {
        names = values;
        continue;
      }
      if (values.length !== names.length) throw new Error(`tsql: ${values.length} values for ${names.length} columns`);
      const row = Object.fromEntries(names.slice(1).map((name, i) => [name, values[i + 1]]));
      now[values[0]].set(`${row.PARTITION}:${row.RECID}`, row);
    }
    now.runtime = new Map(JSON.parse(await this.control("GET", "/dataverse/rows")).map((row) => [row.id, row]));
    return now;
  }

  async log() {
    return (await this.control("GET", "/log")).split("\n").filter(Boolean).map((line) => JSON.parse(line));
  }

  // The oldest first: names tell seconds only.
  runDirectories() {
    const born = (path) => statSync(path, { bigint: true }).birthtimeNs;
    return (existsSync(this.runs) ? readdirSync(this.runs) : []).filter((name) => /^\d{8}T/.test(name))
      .map((name) => join(this.runs, name)).sort((a, b) => (born(a) < born(b) ? -1 : 1));
  }

  // dwclean COMMAND against both halves; `fault`: variables for the preloaded library.
  dwclean(args, fault, timeout) {
    const v = this.values;
    const env = {
      PATH: process.env.PATH, HOME: this.directory, LC_ALL: "C", NO_COLOR: "1",
      DWCLEAN_PASSWORD: PASSWORD, DWCLEAN_CLIENT_SECRET: v.SANDBOX_CLIENT_SECRET,
      // the library comes before the sanitizer's, which is harmless: it calls the kernel itself
      ASAN_OPTIONS: [process.env.ASAN_OPTIONS, "verify_asan_link_order=0"].filter(Boolean).join(":"),
      UBSAN_OPTIONS: process.env.UBSAN_OPTIONS ?? "",
    };
    if (fault) Object.assign(env, { LD_PRELOAD: this.programs.library, FAULT_ROOT: this.runs, FAULT_LOG: this.callLog }, fault);
    rmSync(this.callLog, { force: true });
    const keeps = { verify: [], plan: [], check: ["--runs-dir", this.runs] }[args[0]] ?? ["--runs-dir", this.runs, "--volatile-runs-dir"];
    return run(this.programs.dwclean, [args[0], "--class", "sandbox", ...keeps,
      "-S", `localhost,${this.tdsPort ?? v.SANDBOX_TDS_PORT}`, "-d", "AxDB", "-U", "dwclean", "--cacert", v.SANDBOX_CA,
      "--dataverse-url", v.SANDBOX_DATAVERSE_URL, "--tenant-id", v.SANDBOX_TENANT, "--client-id", v.SANDBOX_CLIENT_ID,
      "--allow-host", "localhost", ...args.slice(1)], { env, timeout });
  }

  // The dry run's plan-id, then the change with it.
  async confirmed(args, fault) {
    const dry = await this.dwclean([...args, "--dry-run", "--format", "json"]);
    if (dry.status !== 0) return dry;
    const id = JSON.parse(dry.stdout).plan_id;
    return this.dwclean([...args, "--maps-are-stopped", "--reason", "sweep", "--yes", "--plan-id", id], fault);
  }

  resume(id, plan, fault) {
    return this.dwclean(["resume", id, "--maps-are-stopped", "--reason", "sweep", "--yes", "--plan-id", plan], fault);
  }

  // Lines of the preloaded library: {kind, path, hit}.
  calls() {
    if (!existsSync(this.callLog)) return [];
    return readFileSync(this.callLog, "utf8").split("\n").filter(Boolean).map((line) => {
      const [, hit, kind, path] = line.match(/^(HIT )?(\S+) (.*)$/);
      return { hit: Boolean(hit), kind, path };
    });
  }
}

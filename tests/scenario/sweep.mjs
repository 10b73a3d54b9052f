// node sweep.mjs --dataverse|--checker [--rows N] [--only TEXT]: see README.md. Needs DWCLEAN, SANDBOX_BINARY, SOURCE_DIR and
// CLIENT_CLOCK (ctest and run.sh set them).
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cases, onlyInFull } from "./cases.mjs";
import * as check from "./check.mjs";
import { checkTheChecker } from "./checker.mjs";

const argument = (name, fallback) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : fallback);
const rows = Number(argument("--rows", process.argv.includes("--checker") ? 200 : 1000));
const only = argument("--only", "");
const full = rows >= 10000;
const sanitized = existsSync(process.env.DWCLEAN ?? "") && readFileSync(process.env.DWCLEAN).includes("__asan_init");
const usualScale = full ? 20 : 40;
const scratch = mkdtempSync("/tmp/dwclean-scenario.");
// beside the build it may have a blank in its path, which the dynamic linker takes for its end
const clientClock = join(scratch, "client_clock.so");
copyFileSync(process.env.CLIENT_CLOCK, clientClock);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const tellFailure = (text) => console.log(`      ${text}`);

// ---- the sandbox

const sandbox = { env: {} };

async function startSandbox() {
    const dir = join(scratch, "sandbox");
    mkdirSync(dir, { recursive: true });
    sandbox.process = spawn(process.env.SANDBOX_BINARY, ["--seed", "large", "--rows", String(rows), "--without-tds", "--with-parent",
        "--dir", dir, "--fixtures", join(process.env.SOURCE_DIR, "fixtures"), "--time-scale", String(usualScale)], { stdio: ["ignore", "ignore", "inherit"] });
    for (let i = 0; i < 600 && !existsSync(join(dir, "env")); i++) await sleep(50);
    for (const line of readFileSync(join(dir, "env"), "utf8").split("\n")) {
        const [, name, value] = /^(\w+)='?(.*?)'?$/.exec(line) ?? [];
        if (name) sandbox.env[name] = value;
    }
}

async function control(method, path, body) {
    const answer = await fetch(sandbox.env.SANDBOX_CONTROL + path, { method, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text;
}

async function stopSandbox() {
    const ended = new Promise((resolve) => sandbox.process.on("exit", resolve));
    sandbox.process.kill("SIGTERM");
    const status = await ended;
    if (status !== 0) throw new Error(`the sandbox ended with ${status}`);
}

const readLog = async () => (await control("GET", "/log")).split("\n").filter(Boolean).map((line) => JSON.parse(line));

// id -> {etag, sha256, columns}; the bytes are those that a list of the service shows, without the etag.
async function readRows() {
    const result = new Map();
    for (const row of JSON.parse(await control("GET", "/dataverse/rows"))) {
        delete row.columns["@odata.etag"];
        result.set(row.id, { etag: row.etag, sha256: createHash("sha256").update(JSON.stringify(row.columns)).digest("hex"), columns: row.columns });
    }
    return result;
}

// ---- dwclean

const secretVariables = () => ({ DWCLEAN_CLIENT_SECRET: sandbox.env.SANDBOX_CLIENT_SECRET });
const target = () => ["--dataverse-only", "--dataverse-url", sandbox.env.SANDBOX_DATAVERSE_URL, "--tenant-id", sandbox.env.SANDBOX_TENANT,
    "--client-id", sandbox.env.SANDBOX_CLIENT_ID, "--allow-host", "localhost", "--cacert", sandbox.env.SANDBOX_CA, "--class", "sandbox",
    "--format", "json", "-l", "20m"]; // on a fast clock a busy machine is a slow one

// The peak of a process that still runs, in MB.
function peakMb(pid) {
    try {
        return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
    } catch {
        return 0;
    }
}

async function dwclean(run, args, { scale = usualScale, meanwhile, watch } = {}) {
    const record = join(run.dir, `record-${run.calls++}`);
    const env = { PATH: process.env.PATH, HOME: run.dir, ...secretVariables(), LD_PRELOAD: clientClock, SCENARIO_SCALE: String(scale),
        SCENARIO_RECORD: record, UBSAN_OPTIONS: process.env.UBSAN_OPTIONS ?? "",
        ASAN_OPTIONS: `verify_asan_link_order=0:${process.env.ASAN_OPTIONS ?? ""}` };
    const child = spawn(process.env.DWCLEAN, [...args, ...target(), "--runs-dir", join(run.dir, "runs")], { env, stdio: ["ignore", "pipe", "pipe"] });
    const result = { stdout: "", stderr: "", peakMb: 0, record };
    child.stdout.setEncoding("utf8").on("data", (text) => (result.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (result.stderr += text));
    const timer = watch && setInterval(() => (result.peakMb = Math.max(result.peakMb, peakMb(child.pid))), 5);
    const ended = new Promise((resolve) => child.on("close", (code, signal) => resolve(code ?? signal)));
    if (meanwhile) await meanwhile(record, () => child.exitCode !== null);
    result.status = await ended;
    if (timer) clearInterval(timer);
    result.report = parse(result.stdout);
    appendFileSync(join(run.dir, "output"), `$ ${args.join(" ")}\n${result.stdout}${result.stderr}status ${result.status}\n`);
    return result;
}

function parse(text) {
    try {
        return JSON.parse(text);
    } catch {
        return {};
    }
}

const confirmed = (id) => ["--maps-are-stopped", "--reason", "scenario", "--yes", "--plan-id", id ?? "none"];

// ---- one case

const actions = {
    // Every token is refused from now on, once the client has its first 429.
    async expire(record, over) {
        while (!over() && !(existsSync(record) && / 429 /.test(readFileSync(record, "utf8")))) await sleep(5);
        await control("DELETE", "/dataverse/tokens");
    },
};

// What a case may do to the rows between dry run and run.
function hand(state) {
    const ids = [...state.seed.keys()].sort();
    return {
        id: (i) => ids[i * 7 % ids.length],
        change: (id, columns) => control("PATCH", `/dataverse/rows?id=${id}`, columns),
        remove: (id) => control("DELETE", `/dataverse/rows?id=${id}`),
        insert: () => control("POST", "/dataverse/rows", { msdyn_name: "new", msdyn_unsecure: "{}" }),
    };
}

const allows = (wanted, is) => (Array.isArray(wanted) ? wanted.includes(is) : wanted === is);
const inRange = (wanted, is) => (Array.isArray(wanted) ? is >= wanted[0] && is <= wanted[1] : is === wanted);

function runDirectory(run) {
    const dir = join(run.dir, "runs");
    return existsSync(dir) ? readdirSync(dir).filter((n) => /^2/.test(n)).map((n) => join(dir, n)).sort()[0] ?? null : null;
}

// Everything that can be read from outside, now.
async function readWorld(state, faults) {
    const { run, one } = state;
    const dir = runDirectory(run);
    const records = dir ? check.readJournal(readFileSync(join(dir, "journal.ndjson"), "utf8"), faults) : [];
    const log = await readLog();
    return {
        log, dir, records, seed: state.seed, final: await readRows(), traces: log.filter((l) => l.kind === "row"),
        journal: check.rowsOfJournal(records, faults), copies: dir ? check.readBackups(dir, faults) : new Map(), lies: one.lies, unseen: one.comesBack || one.unseen,
    };
}

async function checkRun(state, result, faults) {
    const { one, scale } = state;
    const world = { ...(await readWorld(state, faults)), report: result.report };
    const left = [...world.final.keys()].filter((id) => state.seed.has(id)).length;
    const wall = Date.now() - performance.now(), uptime = process.hrtime.bigint();
    const utcOfUs = (us) => wall + performance.now() - (Number(uptime / 1000n) - us) / 1000;
    if (!allows(one.status, result.status)) faults.push(`status ${result.status} where ${one.status} was expected`);
    if (!one.word.split("|").includes(result.report.outcome)) faults.push(`outcome "${result.report.outcome}" where "${one.word}" was expected`);
    if (String(result.report.exit_status) !== String(result.status)) faults.push("the report has another status than the process");
    if (!inRange(one.left === "all" ? state.seed.size : one.left, left)) faults.push(`${left} rows are left`);
    if (one.says && !(result.stdout + result.stderr).includes(one.says)) faults.push(`nobody says "${one.says}"`);
    if (one.memoryMb && !sanitized && !(result.peakMb > 0 && result.peakMb < one.memoryMb)) faults.push(`${result.peakMb.toFixed(0)} MB of memory`);
    if ([0, 2, 3].includes(one.status)) check.checkRows(world, faults);
    else {
        for (const trace of world.traces) if (trace.what === "deleted") faults.push(`row ${trace.id}: deleted, and nothing should be`);
        for (const [id, seed] of state.seed)
            if (world.final.get(id)?.etag !== seed.etag) faults.push(`row ${id}: not as it was, and nothing should be changed`);
    }
    check.checkDeletes(world.log, faults);
    const figures = check.checkPauses(world.log, check.readRecord(readFileSync(result.record, "utf8")), { scale, utcOfUs }, faults);
    return { world, figures, left };
}

async function checkResume(state, first, faults) {
    const { run, one } = state;
    const id = first.result.report.run_id;
    const resume = () => dwclean(run, ["resume", id, ...confirmed(first.result.report.plan_id)]);
    const before = await readRows();
    const again = await resume();
    if (one.resume === null) {
        // nothing to resume: refused, and nothing is touched
        if (again.status !== 4) faults.push(`resume of an ended run: status ${again.status}`);
    } else {
        const world = { ...(await readWorld(state, faults)), report: again.report };
        const left = [...world.final.keys()].filter((key) => state.seed.has(key)).length;
        if (again.status !== one.resume) faults.push(`resume: status ${again.status} where ${one.resume} was expected (${again.report.verdict})`);
        if (one.resume === 0 && again.report.outcome !== "done") faults.push(`resume: outcome "${again.report.outcome}"`);
        if (left !== (one.leftAfter ?? 0)) faults.push(`resume: ${left} rows are left`);
        check.checkRows(world, faults);
    }
    const now = await readRows();
    if (one.resume === null && !sameRows(before, now)) faults.push("resume of an ended run touched rows");
    if (one.resume === null) return;
    const journal = readFileSync(join(first.world.dir, "journal.ndjson"));
    const second = await resume();
    const expected = one.resume || 4; // one that did not finish can be tried again
    if (second.status !== expected) faults.push(`second resume: status ${second.status} where ${expected} was expected`);
    if (!sameRows(now, await readRows())) faults.push("a second resume touched rows");
    if (expected === 4 && !journal.equals(readFileSync(join(first.world.dir, "journal.ndjson")))) faults.push("a refused resume wrote to the journal");
}

const sameRows = (a, b) => a.size === b.size && [...a].every(([id, row]) => b.get(id)?.etag === row.etag && b.get(id).sha256 === row.sha256);

async function clean(run, options = [], more = {}) {
    const dry = await dwclean(run, ["clean", "--dry-run"]);
    return dwclean(run, ["clean", ...options, ...confirmed(dry.report.plan_id)], more);
}

// Every row back, with every column that can be put back.
async function checkUndo(state, first, faults) {
    const { run } = state;
    const id = first.result.report.run_id;
    const dry = await dwclean(run, ["undo", id, "--dry-run"]);
    const undo = await dwclean(run, ["undo", id, ...confirmed(dry.report.plan_id)]);
    const lost = new Set((undo.report.columns_not_restored ?? []).flatMap((name) => [name, `_${name}_value`]));
    const now = await readRows();
    let differing = 0;
    if (undo.status !== 0) faults.push(`undo: status ${undo.status} (${undo.report.verdict})`);
    // the newest copy counts: a row that was stamped comes back as it was when it went
    for (const [key, copies] of first.world.copies) {
        const columns = now.get(key)?.columns ?? {};
        const copy = JSON.parse(copies.at(-1).document);
        if (Object.keys(copy).some((name) => !lost.has(name) && JSON.stringify(copy[name]) !== JSON.stringify(columns[name] ?? null))) differing++;
    }
    if (now.size !== state.seed.size) faults.push(`undo: ${now.size} of ${state.seed.size} rows are there`);
    if (differing) faults.push(`undo: ${differing} rows differ from the backup`);
}

async function sha256sums(run) {
    const faults = [];
    for (const line of readFileSync(join(run, "SHA256SUMS"), "utf8").split("\n").filter(Boolean)) {
        const [hash, name] = line.split(/ [ *]/);
        if (check.sha256(readFileSync(join(run, name))) !== hash) faults.push(`SHA256SUMS: ${name}`);
    }
    return faults;
}

async function runCase(one, number) {
    const faults = [];
    const run = { dir: join(scratch, `case-${number}`), calls: 0 };
    const scale = one.throttled && full ? 50 : one.scale ?? usualScale;
    mkdirSync(run.dir, { recursive: true });
    await control("DELETE", "/faults");
    await control("POST", "/reset");
    await control("PATCH", "/dataverse/settings", { time_scale: scale, scaled_waits: true, page_cap: 1000, ...one.settings });
    const state = { one, run, scale, seed: await readRows() };
    const dry = await dwclean(run, ["clean", "--dry-run"]);
    if (dry.status !== 0) faults.push(`dry run: status ${dry.status}`);
    if (one.before) {
        await one.before(hand(state));
        state.seed = await readRows();
    }
    // enough work to meet the limits, whatever the number of rows
    if (one.throttled) await control("PATCH", "/dataverse/settings", { throttling: true, row_seconds: Math.max(0.25, 1600 / rows) });
    await control("DELETE", "/log");
    for (const rule of typeof one.faults === "function" ? one.faults(hand(state)) : one.faults ?? []) await control("POST", "/faults", rule);
    const began = performance.now();
    const result = await dwclean(run, ["clean", ...(one.options ?? []), ...confirmed(dry.report.plan_id)],
        { scale, meanwhile: one.meanwhile && actions[one.meanwhile], watch: one.memoryMb !== undefined });
    const seconds = (performance.now() - began) / 1000;
    const first = { result, ...(await checkRun(state, result, faults)) };
    const changes = result.report.changed === true;
    if (one.comesBack) await untilBack();
    await control("DELETE", "/faults");
    await control("PATCH", "/dataverse/settings", { throttling: false, page_cap: 5000, body_cap: 0 });
    if (first.world.dir && changes) faults.push(...(await sha256sums(first.world.dir)));
    if (changes && (one.resume !== null || full || one.undo)) await checkResume(state, first, faults);
    if (one.undo) await checkUndo(state, first, faults);
    if (one.clean) {
        const last = await clean(run);
        if (last.status !== 0 || (await readRows()).size !== 0) faults.push(`a fresh clean: status ${last.status}`);
    }
    const http = first.world.log.filter((l) => l.kind === "http");
    if (one.perRow && http.length > one.perRow * rows) faults.push(`${http.length} requests`);
    return { faults, seconds, requests: http.length, ...first.figures, deleted: first.world.traces.filter((t) => t.what === "deleted").length,
        left: first.left, peakMb: result.peakMb, dir: run.dir };
}

async function untilBack() {
    for (let i = 0; i < 400; i++) {
        const answer = await new Promise((resolve) => {
            const probe = spawn("curl", ["-sk", "-o", "/dev/null", sandbox.env.SANDBOX_DATAVERSE_URL], { stdio: "ignore" });
            probe.on("close", resolve);
        });
        if (answer === 0) return;
        await sleep(50);
    }
    throw new Error("the sandbox did not come back");
}

// ---- all of them

const line = (...cells) => console.log(cells[0].padEnd(36) + cells.slice(1).map((c) => String(c).padStart(11)).join(""));

async function sweep() {
    let passed = 0, failed = 0;
    const began = performance.now();
    await startSandbox();
    line("case", "rows", "seconds", "requests", "429s", "blocked", "in flight", "deleted", "left", "violations");
    for (const [number, one] of cases.entries()) {
        if (!one.name.includes(only) || (!full && onlyInFull.has(one.name))) continue;
        const result = await runCase(one, number);
        line(one.name, rows, result.seconds.toFixed(1), result.requests, result.throttled, result.blocked, result.inFlight, result.deleted, result.left,
            result.faults.length);
        if (result.peakMb) tellFailure(`memory of dwclean at most ${result.peakMb.toFixed(0)} MB`);
        result.faults.slice(0, 8).forEach(tellFailure);
        if (result.faults.length) failed++;
        else passed++;
        if (!result.faults.length || !process.env.SCENARIO_KEEP) rmSync(result.dir, { recursive: true, force: true });
    }
    await stopSandbox();
    console.log(`\n${passed} passed, ${failed} failed (${((performance.now() - began) / 1000).toFixed(0)} s)`);
    return passed > 0 && failed === 0;
}

// A run with every kind of row in it, for checker.mjs to spoil.
async function checker() {
    const faults = [];
    const one = { lies: false, comesBack: false };
    const run = { dir: join(scratch, "checker"), calls: 0 };
    mkdirSync(run.dir);
    await startSandbox();
    const state = { one, run, seed: await readRows() };
    const dry = await dwclean(run, ["clean", "--dry-run"]);
    await control("DELETE", "/log");
    for (const rule of [{ at: "dv.delete", do: "other", text: "changed", skip: 13, times: 4 },
        { at: "dv.part", do: "error", arg: 500, text: "0x80044150 Generic SQL error.", skip: 50, times: 3 },
        { at: "dv.request", do: "error", arg: 429, text: "0x80072322 retry-after=3", match: "$batch", skip: 2, times: 2 }])
        await control("POST", "/faults", rule);
    const result = await dwclean(run, ["clean", ...confirmed(dry.report.plan_id)]);
    const world = { ...(await readWorld(state, faults)), report: result.report, scale: usualScale };
    world.text = readFileSync(join(world.dir, "journal.ndjson"), "utf8");
    world.requests = check.readRecord(readFileSync(result.record, "utf8"));
    await stopSandbox();
    return checkTheChecker(world) && faults.length === 0;
}

let ok = false;
try {
    ok = process.argv.includes("--checker") ? await checker() : await sweep();
} catch (failure) {
    console.error(failure);
    sandbox.process?.kill("SIGTERM");
}
if (process.env.SCENARIO_KEEP) console.log(scratch);
else rmSync(scratch, { recursive: true, force: true });
process.exit(ok ? 0 : 1);

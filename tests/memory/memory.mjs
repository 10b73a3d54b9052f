// What run.sh runs: valgrind over the commands, resident memory against the number of rows, many runs in a row, many
// environments at once. Options: --quick, --only PART.
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import { World } from "../fault/world.mjs";

const args = process.argv.slice(2);
const quick = args.includes("--quick");
const only = args.includes("--only") ? args[args.indexOf("--only") + 1] : null;
const work = process.env.MEMORY_WORK, real = process.env.DWCLEAN, here = join(process.env.SOURCE_DIR, "tests/memory");
const programs = { dwclean: real, sandbox: process.env.SANDBOX_BINARY, library: "", source: process.env.SOURCE_DIR };
const LONG_MS = 3600 * 1000;
const CONFIRMED = ["--maps-are-stopped", "--reason", "memory", "--yes", "--plan-id"];
const RESIDENT_MAX_KB = 64 * 1024, GROWTH_MAX_KB = 16 * 1024;
// undo knows every row by key and digest (include/core/row_index.h): two lists of 56 bytes a row, that double when they grow
const BYTES_A_ROW = { undo: 4 * 56 };

let violations = 0;
const say = (...cells) => console.log(`${cells[0].padEnd(12)}${cells[1].padEnd(34)}${cells.slice(2).map((cell) => String(cell).padStart(12)).join("")}`);
const fault = (text) => {
  violations++;
  console.log(`VIOLATION ${text}`);
};

// A program that stands before dwclean.
function wrapped(name, words) {
  const path = join(work, name);
  writeFileSync(path, `#!/bin/sh\nexec ${words} '${real}' "$@"\n`);
  chmodSync(path, 0o700);
  return path;
}

async function open(name, seed, options = []) {
  const world = new World(join(work, name), { ...programs });
  await world.start(seed, options);
  return world;
}

async function planId(world, line) {
  const program = world.programs.dwclean;
  world.programs.dwclean = real;
  const dry = await world.dwclean([...line, "--dry-run", "--format", "json"], null, LONG_MS);
  world.programs.dwclean = program;
  if (dry.status !== 0) throw new Error(`${line.join(" ")}: ${dry.status} ${dry.stderr}`);
  return JSON.parse(dry.stdout).plan_id;
}

// ---- valgrind ----

async function checkMemory() {
  const world = await open("valgrind", "small");
  const log = join(work, "valgrind", "log");
  const program = wrapped("under-valgrind", "valgrind --quiet --leak-check=full --show-leak-kinds=definite,indirect,possible " +
    `--errors-for-leak-kinds=definite,indirect,possible --error-exitcode=99 --trace-children=no --suppressions='${join(here, "suppressions")}' --log-file='${log}.%p'`);
  const under = async (line, wanted) => {
    const began = Date.now();
    for (const name of readdirSync(join(work, "valgrind")).filter((one) => one.startsWith("log."))) rmSync(join(work, "valgrind", name));
    world.programs.dwclean = program;
    const result = await world.dwclean(line, null, LONG_MS);
    world.programs.dwclean = real;
    // children (the other half of verify) have files of their own
    const told = readdirSync(join(work, "valgrind")).filter((one) => one.startsWith("log.")).map((one) => readFileSync(join(work, "valgrind", one), "utf8")).join("");
    const errors = told.split("\n").filter((one) => /^==\d+== \S/.test(one) && !/Warning: set address range/.test(one));
    if (result.status !== wanted) fault(`valgrind ${line[0]}: status ${result.status} instead of ${wanted}: ${result.stderr}`);
    if (errors.length) fault(`valgrind ${line[0]}:\n${told}`);
    say("valgrind", line[0], errors.length, ((Date.now() - began) / 1000).toFixed(1));
  };
  say("valgrind", "command", "errors", "seconds");
  try {
    await under(["verify"], 2);
    const plan = join(work, "valgrind", "plan.ndjson");
    if (!quick) {
      await under(["check"], 0);
      await under(["plan", "--out", plan], 0);
      await under(["clean", "--dry-run"], 0);
      await under(["apply", plan, ...CONFIRMED, await planId(world, ["clean"])], 0);
      await world.reset();
    }
    await under(["clean", ...CONFIRMED, await planId(world, ["clean"])], 0);
    if (quick) return;
    const under_local = async (line) => underLocal(world, program, line);
    await under_local(["show", "last"]);
    await under_local(["runs"]);
    await under_local(["export", "last", "--redact", "--out", join(work, "valgrind", "bundle.tar.zst")]);
    await under(["undo", "last", ...CONFIRMED, await planId(world, ["undo", "last"])], 0);
    await world.reset();
    await interrupted(world, under);
  } finally {
    world.stop();
  }
}

// Commands that work on the runs directory alone.
async function underLocal(world, program, line) {
  const began = Date.now();
  const { run } = await import("../fault/world.mjs");
  const result = await run(program, [...line, "--runs-dir", world.runs], { env: { PATH: process.env.PATH, HOME: world.directory, LC_ALL: "C" }, timeout: LONG_MS });
  if (result.status !== 0) fault(`valgrind ${line[0]}: status ${result.status}: ${result.stderr}`);
  say("valgrind", line[0], result.status === 99 ? "some" : 0, ((Date.now() - began) / 1000).toFixed(1));
}

// A COMMIT whose answer was lost; resume finishes the run.
async function interrupted(world, under) {
  const id = await planId(world, ["clean"]);
  await world.control("POST", "/faults", JSON.stringify({ at: "tds.commit.after", do: "cut" }));
  await under(["clean", ...CONFIRMED, id], 3);
  await world.control("DELETE", "/faults");
  await under(["resume", "last", ...CONFIRMED, id], 0);
}

// ---- resident memory ----

async function measured(world, line, wanted) {
  const file = join(work, "largest");
  world.programs.dwclean = wrapped("measured", `python3 '${join(here, "measure.py")}' '${file}'`);
  const began = Date.now();
  const result = await world.dwclean(line, null, LONG_MS);
  world.programs.dwclean = real;
  if (result.status !== wanted) fault(`resident ${line[0]}: status ${result.status} instead of ${wanted}: ${result.stderr}`);
  return { kb: Number(readFileSync(file, "utf8")), seconds: ((Date.now() - began) / 1000).toFixed(1) };
}

async function residentOf(half, rows) {
  const world = await open("resident", "large", ["--rows", String(rows)]);
  const times = ["--max-lock-time", "10m", "-t", "600"];
  // one half alone cannot ask whose rows these are
  if (half === "--axdb-only") times.push("--expect-dataverse-host", "contoso-uat.crm4.dynamics.com");
  const halfOfUndo = half === "--dataverse-only" ? [half] : [];
  try {
    const sizes = {};
    sizes.verify = await measured(world, ["verify", half, "-t", "600"], 2);
    sizes.clean = await measured(world, ["clean", half, ...times, ...CONFIRMED, await planId(world, ["clean", half, ...times])], 0);
    sizes.undo = await measured(world, ["undo", "last", ...halfOfUndo, ...times, ...CONFIRMED, await planId(world, ["undo", "last", ...halfOfUndo, ...times])], 0);
    for (const [name, { kb, seconds }] of Object.entries(sizes)) say("resident", `${name} ${half}`, rows, `${kb} KB`, seconds);
    return sizes;
  } finally {
    world.stop();
  }
}

async function resident() {
  const plan = quick ? { "--axdb-only": [1000, 10000] } : { "--axdb-only": [1000, 100000, 1000000], "--dataverse-only": [1000, 20000, 100000] };
  say("resident", "command", "rows", "largest", "seconds");
  for (const [half, counts] of Object.entries(plan)) {
    let first = null;
    for (const rows of counts) {
      const sizes = await residentOf(half, rows);
      first ??= sizes;
      for (const name of Object.keys(sizes)) {
        const known = Math.ceil((BYTES_A_ROW[name] ?? 0) * rows / 1024);
        if (sizes[name].kb > RESIDENT_MAX_KB + known) fault(`resident ${name} ${half}: ${sizes[name].kb} KB with ${rows} rows`);
        if (sizes[name].kb - first[name].kb > GROWTH_MAX_KB + known) fault(`resident ${name} ${half}: grew by ${sizes[name].kb - first[name].kb} KB to ${rows} rows`);
      }
    }
  }
}

// ---- many runs, one after the other ----

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
// but the sandbox's own, whose database comes and goes with files beside it
const filesOf = (directory) => readdirSync(directory, { recursive: true }).filter((name) => !name.startsWith("sandbox")).length;

async function many() {
  const world = await open("many", "small");
  const rounds = quick ? 20 : 1000, times = [];
  try {
    await world.dwclean(["verify"]);
    const before = filesOf(world.directory);
    for (let i = 0; i < rounds; i++) {
      const began = Date.now();
      const result = await world.dwclean(["verify"]);
      times.push(Date.now() - began);
      if (result.status !== 2) fault(`verify ${i + 1}: status ${result.status}: ${result.stderr}`);
    }
    const left = filesOf(world.directory) - before;
    const tenth = Math.max(5, Math.floor(rounds / 10));
    const early = median(times.slice(0, tenth)), late = median(times.slice(-tenth));
    say("many", `${rounds} verify runs`, `${early} ms`, `${late} ms`, `${left} files`);
    if (left) fault(`${left} files are left by verify`);
    if (late > 3 * early + 50) fault(`verify took ${early} ms in the beginning, ${late} ms in the end`);
  } finally {
    world.stop();
  }
}

// ---- many runs in one process ----

// Libraries keep things from the first rounds on: those are not looked at. Then nothing may grow: the most that the last
// tenth of the rounds holds, against the most of the first tenth.
const ROUNDS_WARM = 10, HEAP_MAX_BYTES = 0, ROUNDS_MAX_KB = 256;

async function roundsOf(world, half, rounds) {
  const began = Date.now();
  world.programs.dwclean = wrapped("many-rounds", `env GLIBC_TUNABLES=glibc.malloc.tcache_count=0 '${process.env.MEMORY_ROUNDS}' ${rounds} 2`);
  const result = await world.dwclean(["verify", ...half], null, LONG_MS);
  world.programs.dwclean = real;
  if (result.status !== 0) throw new Error(`memory_rounds: ${result.status} ${result.stderr}`);
  const looks = JSON.parse(result.stdout), name = `${rounds} verify ${half.join(" ")}`;
  const tenth = Math.max(5, Math.floor(rounds / 10));
  const most = (series) => [series.slice(ROUNDS_WARM, ROUNDS_WARM + tenth), series.slice(-tenth)].map((part) => Math.max(...part));
  const [fds, fdsLate] = most(looks.descriptors), [heap, heapLate] = most(looks.heap_bytes), [kb, kbLate] = most(looks.resident_kb);
  say("rounds", name, `${fds}, ${fdsLate} fds`, `${heap} B`, `${heapLate} B`, `${kb} KB`, `${kbLate} KB`, ((Date.now() - began) / 1000).toFixed(1));
  if (Math.min(fds, heap, kb) <= 0) fault(`${name}: what the process holds could not be seen`);
  if (new Set(looks.descriptors.slice(1)).size !== 1) fault(`${name}: descriptors ${[...new Set(looks.descriptors)]}`);
  if (heapLate > heap + HEAP_MAX_BYTES) fault(`${name}: the heap grew from ${heap} to ${heapLate} bytes`);
  if (kbLate > kb + ROUNDS_MAX_KB) fault(`${name}: resident memory grew from ${kb} to ${kbLate} KB`);
}

async function rounds() {
  const world = await open("rounds", "small"), count = quick ? 50 : 1000;
  try {
    for (const half of [["--axdb-only"], ["--dataverse-only"], []]) await roundsOf(world, half, count);
  } finally {
    world.stop();
  }
}

// ---- many environments at once ----

function childrenOf(pid) {
  const list = [];
  for (const name of readdirSync("/proc").filter((one) => /^\d+$/.test(one))) {
    let stat;
    try {
      stat = readFileSync(`/proc/${name}/stat`, "utf8");
    } catch {
      continue;
    }
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (Number(parent) === pid) list.push({ pid: Number(name), state });
  }
  return list;
}

async function fleet() {
  const world = await open("fleet", "small");
  const count = quick ? 12 : 50, jobs = 4;
  const config = join(work, "fleet", "config.ini"), v = world.values;
  writeFileSync(config, Array.from({ length: count }, (_, i) => `[env "e${i}"]\nclass = sandbox\nserver = localhost,${v.SANDBOX_TDS_PORT}\ndatabase = AxDB\n` +
    `user = dwclean\ncacert = ${v.SANDBOX_CA}\ndataverse_url = ${v.SANDBOX_DATAVERSE_URL}\ntenant_id = ${v.SANDBOX_TENANT}\nclient_id = ${v.SANDBOX_CLIENT_ID}\nallow_host = localhost\n`).join("\n"), { mode: 0o600 });
  try {
    const child = spawn(real, ["verify", "--all", "--jobs", String(jobs), "--config", config, "--format", "json"], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH, HOME: world.directory, LC_ALL: "C", DWCLEAN_PASSWORD: "Sandbox-Passw0rd!", DWCLEAN_CLIENT_SECRET: v.SANDBOX_CLIENT_SECRET },
    });
    const out = [], err = [];
    let descriptors = 0, children = 0, zombies = 0, samples = 0, ended = null, streak = 0;
    child.stdout.on("data", (part) => out.push(part));
    child.stderr.on("data", (part) => err.push(part));
    child.on("close", (status) => { ended = status; });
    while (ended === null) {
      try {
        descriptors = Math.max(descriptors, readdirSync(`/proc/${child.pid}/fd`).length);
        const list = childrenOf(child.pid);
        children = Math.max(children, list.length);
        // one that has just ended is a zombie until it is waited for: it must not stay
        streak = list.some((one) => one.state === "Z") ? streak + 1 : 0;
        zombies = Math.max(zombies, list.filter((one) => one.state === "Z").length);
        if (streak > 100) fault("a zombie stays");
        samples++;
      } catch { /* it has ended */ }
      await sleep(5);
    }
    say("fleet", `${count} environments, ${jobs} at once`, `${descriptors} fds`, `${children} children`, `${zombies} zombies`, `${samples} looks`);
    if (ended !== 2) fault(`verify --all: status ${ended}: ${Buffer.concat(err)}`);
    const members = JSON.parse(Buffer.concat(out)).environments?.length;
    if (members !== count) fault(`verify --all reports ${members} environments of ${count}`);
    if (children > jobs + 1) fault(`${children} children of ${jobs} jobs`);
    if (zombies > jobs) fault(`${zombies} zombies`);
    if (descriptors > 8 + 4 * jobs) fault(`${descriptors} descriptors`);
    if (samples < 5) fault("the run was too short to be looked at");
  } finally {
    world.stop();
  }
}

rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
for (const [name, part] of Object.entries({ fleet, many, rounds, resident, valgrind: checkMemory })) if (!only || only === name) await part();
console.log(`${violations} violations`);
process.exit(violations ? 1 : 0);

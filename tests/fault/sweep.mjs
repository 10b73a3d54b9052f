// The sweeps: dwclean is killed, or one of its system calls fails, at every point of a run; then the invariants, and
// what finishes the run. Run by run.sh; options: --quick, --part N, --every, --seed N, --jobs N, --only SUITE, --point KIND:N:HOW (of --only).
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { World } from "./world.mjs";
import { axdbState, checkClaims, checkRows, checkSums, progress, readRun, steps } from "./check.mjs";
import { checkEnd, finishClean, tail, undoAll } from "./finish.mjs";
import { selfTest } from "./self_test.mjs";
import { selfTestWire, suites as wireSuites } from "./wire.mjs";
import { WireWorld } from "./wire_world.mjs";
import { races } from "./races.mjs";
import { systemSuites } from "./system.mjs";

const KILLED_AT = ["write", "fsync", "fdatasync", "rename", "link", "mkdir", "send"];
const FAILING = {
  write: ["EIO", "ENOSPC", "EINTR", "short"], read: ["EIO", "EINTR", "short"], fsync: ["EIO", "ENOSPC", "EINTR"],
  fdatasync: ["EIO", "ENOSPC", "EINTR"], rename: ["EIO", "ENOSPC"], open: ["EIO", "ENOSPC", "EMFILE", "EINTR"],
  mkdir: ["EIO", "ENOSPC"], close: ["EIO", "EINTR"], ftruncate: ["EIO", "EINTR"], fallocate: ["EIO", "ENOSPC", "EINTR", "EOPNOTSUPP"],
  unlink: ["EIO"], link: ["EIO", "ENOSPC"],
};
const QUICK_POINTS = { "kill clean": 14, "kill resume": 4, "kill undo": 4, "failing calls": 12, "full disk": 4 };
const UNDO_EVERY = 5; // points

// ---- options ----

const options = { seed: 1, jobs: 2, quick: false, every: false, part: 1, only: null, point: null };
const args = process.argv.slice(2);
while (args.length) {
  const name = args.shift().replace(/^--/, "");
  if (!(name in options)) {
    console.error(`unknown option --${name}`);
    process.exit(64);
  }
  options[name] = name === "quick" || name === "every" ? true : ["seed", "jobs", "part"].includes(name) ? Number(args.shift()) : args.shift();
}
const need = (name) => process.env[name] ?? (console.error(`${name} is not set: start this by run.sh`), process.exit(64));
// The dynamic linker takes a blank in the path of a preloaded library for the end of it.
const preloaded = mkdtempSync("/tmp/dwclean-preload.");
process.on("exit", () => rmSync(preloaded, { recursive: true, force: true }));
function preloadable(library, name) {
  copyFileSync(library, join(preloaded, name));
  return join(preloaded, name);
}

const programs = { dwclean: need("DWCLEAN"), sandbox: need("SANDBOX_BINARY"), library: preloadable(need("FAULT_LIBRARY"), "fault.so"),
  clock: preloadable(need("CLIENT_CLOCK"), "clock.so"), source: need("SOURCE_DIR") };
const work = need("FAULT_WORK");

// ---- suites ----

const killFault = (point) => ({ FAULT_KIND: point.kind, FAULT_AT: String(point.at), FAULT_DO: point.how });
const reached = (world, result, point) => (point.how.startsWith("kill") ? result.signal === "SIGKILL" : world.calls().some((call) => call.hit));

async function prepareCommitted(world) {
  // COMMIT was carried out, and the process died before that was on record
  const died = await world.confirmed(["clean"], { FAULT_KIND: "write", FAULT_MATCH: '"step":"committed"', FAULT_AT: "1", FAULT_DO: "kill-before" });
  if (died.signal !== "SIGKILL") throw new Error(`the preparation: ${tail(died)}`);
}

async function prepareClean(world) {
  const done = await world.confirmed(["clean"]);
  if (done.status !== 0) throw new Error(`the preparation: ${tail(done)}`);
}

const resumeLast = async (world, fault) => {
  const run = readRun(world.runDirectories()[0]);
  return world.resume(run.id, steps(run, "plan").at(-1).facts.plan_id, fault);
};

const suites = {
  "kill clean": {
    command: (world, fault) => world.confirmed(["clean"], fault),
    points: (counts) => KILLED_AT.flatMap((kind) => each(counts[kind], (at) => ["kill-before", "kill-after"].map((how) => ({ kind, at, how })))),
    async judge(world, seed, result, point, faults, undo) {
      const now = await world.look();
      const runs = world.runDirectories().map(readRun);
      faults.push(...checkRows(seed, now, runs), ...runs.flatMap((run) => checkClaims(seed, now, run)));
      await finishClean(world, seed, faults);
      await checkEnd(world, seed, faults);
      if (undo) await undoAll(world, seed, faults);
    },
  },
  "kill resume": {
    prepare: prepareCommitted,
    command: resumeLast,
    points: (counts) => suites["kill clean"].points(counts),
    async judge(world, seed, result, point, faults, undo) {
      await suites["kill clean"].judge(world, seed, result, point, faults, undo);
    },
  },
  "kill undo": {
    prepare: prepareClean,
    command: (world, fault) => world.confirmed(["undo", "last"], fault),
    points: (counts) => suites["kill clean"].points(counts),
    async judge(world, seed, result, point, faults) {
      const cleaned = readRun(world.runDirectories().find((path) => readRun(path).command === "clean"));
      const runs = world.runDirectories().map(readRun);
      faults.push(...checkRows(seed, await world.look(), runs, { stampsMayDiffer: true }));
      const undo = await world.confirmed(["undo", cleaned.id, "--merge"]);
      if (undo.status !== 0) faults.push(`undo --merge: ${tail(undo)}`);
      await undoAll(world, seed, faults, ["--merge"]);
    },
  },
  "failing calls": {
    command: (world, fault) => world.confirmed(["clean"], fault),
    points: (counts) => Object.entries(FAILING).flatMap(([kind, errors]) =>
      each(counts[kind], (at) => errors.map((how) => ({ kind, at, how })))),
    judge: judgeFailure,
  },
  "full disk": {
    // from the n-th write or sync on, nothing can be written any more
    command: (world, fault) => world.confirmed(["clean"], fault),
    points: (counts) => each(counts.disk, (at) => [{ kind: "write,fsync,fdatasync,rename,mkdir,fallocate", at, how: "ENOSPC", times: 0 }]),
    judge: judgeFailure,
  },
  ...wireSuites,
  ...systemSuites,
  ...races,
};

async function judgeFailure(world, seed, result, point, faults, undo) {
  const now = await world.look();
  const runs = world.runDirectories().map(readRun);
  const run = runs.at(-1);
  const p = run ? progress(run) : { commitSent: false };
  const untouched = axdbState(seed, now) === "all" && now.runtime.size === seed.runtime.size;
  const status = result.signal ?? result.status;
  faults.push(...checkRows(seed, now, runs), ...runs.flatMap((one) => checkClaims(seed, now, one)));
  if (status === 0) {
    if (axdbState(seed, now) !== "none" || now.runtime.size) faults.push("status 0 with rows left");
    if (!p.closed) faults.push("status 0 and the journal is not closed");
    if (run) faults.push(...checkSums(run.path).map((fault) => `status 0: ${fault}`));
  } else if (untouched) {
    if (status !== 13 && !(p.commitSent && (status === 3 || status === 6))) faults.push(`nothing was changed: ${tail(result)} instead of 13`);
  } else if (status !== 3 && status !== 6) {
    faults.push(`something was changed: ${tail(result)} instead of 3 or 6`);
  }
  if (status !== 0 && !/error/i.test(result.stderr)) faults.push("a failure that is not on stderr");
  await finishClean(world, seed, faults);
  await checkEnd(world, seed, faults);
  if (undo) await undoAll(world, seed, faults);
}

function each(count, make) {
  return Array.from({ length: count ?? 0 }, (_, i) => make(i + 1)).flat();
}

// ---- running points ----

// Evenly over the list, from a place that the seed decides.
function choose(points, wanted, seed) {
  if (!wanted || wanted >= points.length) return points;
  const step = points.length / wanted;
  const start = ((seed * 7919) % 1000) / 1000 * step;
  return Array.from({ length: wanted }, (_, i) => points[Math.floor(start + i * step)]);
}

async function count(world, suite) {
  await world.reset();
  await suite.prepare?.(world);
  const all = (suite.kinds ?? [...new Set([...KILLED_AT, ...Object.keys(FAILING)])]).join(",");
  const result = await suite.command(world, { FAULT_KIND: all });
  if (result.status !== (suite.expected ?? 0)) throw new Error(`the run without a fault: ${tail(result)}`);
  const counts = { disk: 0 };
  for (const { kind } of world.calls()) {
    counts[kind] = (counts[kind] ?? 0) + 1;
    if (/^(write|fsync|fdatasync|rename|mkdir|fallocate)$/.test(kind)) counts.disk++;
  }
  return counts;
}

async function failingCall(world, point, suite) {
  const result = await suite.command(world, { ...killFault(point), ...(point.times === 0 ? { FAULT_TIMES: "0" } : {}) });
  return { result, reached: reached(world, result, point) };
}

async function runPoint(world, name, point, index) {
  const suite = suites[name], undo = index % UNDO_EVERY === 0;
  const faults = [];
  const outcome = { point, faults, reached: false, status: null };
  try {
    const seed = await world.reset();
    await suite.prepare?.(world);
    const { result, reached } = await (suite.harm ?? failingCall)(world, point, suite);
    outcome.reached = reached;
    outcome.status = result.signal ?? result.status;
    if (result.hung) faults.push("the run hung");
    if (result.signal && result.signal !== "SIGKILL") faults.push(`the run ended by ${result.signal}`);
    if (/Sanitizer|runtime error/.test(result.stderr)) faults.push(`a sanitizer: ${result.stderr}`);
    await suite.judge(world, seed, result, point, faults, undo, index);
  } catch (why) {
    faults.push(`the check could not be made: ${why.stack}`);
  }
  return outcome;
}

// Sandboxes, started when the first suite needs them.
const started = new Map();
async function worldsFor(suite) {
  const kind = suite.wire ? `wire-${suite.seed}` : (suite.seed ?? "scenario-a"), jobs = options.jobs * (suite.jobs ?? 1);
  const worlds = started.get(kind) ?? [];
  started.set(kind, worlds);
  const fresh = [];
  while (worlds.length < jobs) {
    fresh.push(new (suite.wire ? WireWorld : World)(join(work, `${kind}-${worlds.length}`), programs));
    worlds.push(fresh.at(-1));
  }
  await Promise.all(fresh.map((world) => world.start(suite.seed ?? "scenario-a")));
  return worlds.slice(0, jobs);
}

async function runSuite(name) {
  const suite = suites[name], worlds = await worldsFor(suite);
  const all = suite.points(suite.wire ? await worlds[0].record(suite.layer) : suite.harm ? null : await count(worlds[0], suite), options);
  const began = Date.now();
  let points = options.quick ? choose(all, suite.quick ?? QUICK_POINTS[name], options.seed) : choose(all, Math.ceil(all.length / options.part), options.seed);
  if (options.point) {
    const [kind, at, how] = options.point.split(":");
    points = [all.find((point) => point.kind === kind && point.at === Number(at) && point.how === how) ??
      { kind, at: Number(at), how, times: /^(full disk|no memory)/.test(name) ? 0 : undefined }];
  }
  const outcomes = [];
  let next = 0;
  await Promise.all(worlds.map(async (world) => {
    while (next < points.length) {
      const index = next++;
      const outcome = await runPoint(world, name, { ...points[index], suite: name }, index);
      outcomes.push(outcome);
      const { kind, at, how } = outcome.point;
      appendFileSync(join(work, "points.log"), `${name}\t${kind}:${at}:${how}\t${outcome.reached ? "" : "not reached, "}${outcome.status}\n`);
      for (const fault of outcome.faults.slice(0, 6)) console.log(`VIOLATION ${name} ${kind}:${at}:${how} (status ${outcome.status}): ${fault}`);
    }
  }));
  return { name, all: all.length, outcomes, seconds: (Date.now() - began) / 1000 };
}

// ---- the table ----

const row = (...cells) => console.log(`${cells[0].padEnd(16)}${cells[1].padEnd(27)}${cells.slice(2, 6).map((cell) => String(cell).padStart(11)).join("")}  ${cells[6] ?? ""}`);

function kindName({ suite, kind, how }) {
  if (suites[suite].wire) return kind === "server" ? how : `${kind.replace(/\d+/, "")} ${how}`;
  if (suites[suite].harm) return kind;
  return kind.includes(",") ? "from then on" : `${kind}${how.startsWith("kill") ? "" : ` ${how}`}`;
}

function tell({ name, outcomes, all, seconds }) {
  const kinds = new Map();
  for (const outcome of outcomes) {
    const kind = kindName(outcome.point);
    kinds.set(kind, [...(kinds.get(kind) ?? []), outcome]);
  }
  const violations = (list) => list.reduce((sum, outcome) => sum + outcome.faults.length, 0);
  for (const [kind, list] of kinds) {
    const statuses = {};
    for (const outcome of list) statuses[outcome.status] = (statuses[outcome.status] ?? 0) + 1;
    row(name, kind, list.length, list.filter((outcome) => outcome.reached).length, violations(list), "",
      Object.entries(statuses).map(([status, times]) => `${status}: ${times}`).join(", "));
  }
  const count = outcomes.filter((outcome) => outcome.reached).length;
  row(name, `of ${all} points`, outcomes.length, count, violations(outcomes), seconds.toFixed(1));
  return violations(outcomes);
}

const JUDGED_FROM = 20; // wire points: fewer say nothing about how many are reached
// Connections are numbered as they come, so that some faults find theirs too short; most must not.
function tooFewReached(outcomes) {
  const wire = outcomes.filter(({ point }) => suites[point.suite].wire), count = wire.filter(({ reached }) => reached).length;
  if (wire.length < JUDGED_FROM || 4 * count >= 3 * wire.length) return 0;
  console.log(`VIOLATION wire: only ${count} of ${wire.length} points were reached`);
  return 1;
}

mkdirSync(work, { recursive: true });
writeFileSync(join(work, "points.log"), "");
let violations = 0;
const done = [];
try {
  console.log(`seed ${options.seed}, ${options.jobs} at once${options.quick ? ", a part of the points" : options.part > 1 ? `, one point in ${options.part}` : ", every point"}`);
  const missed = options.point ? [] : [...await selfTest((await worldsFor(suites["kill clean"]))[0]), ...await selfTestWire((await worldsFor(wireSuites["wire cut"]))[0])];
  for (const text of missed) console.log(`VIOLATION self-test: ${text}`);
  violations += missed.length;
  row("suite", "call", "points", "reached", "violations", "seconds", "status of the run");
  for (const name of Object.keys(suites).filter((name) => !options.only || `${name} `.startsWith(`${options.only} `))) {
    const result = await runSuite(name);
    violations += tell(result);
    done.push(...result.outcomes);
  }
  violations += tooFewReached(done);
} finally {
  for (const world of [...started.values()].flat()) world.stop();
}
console.log(`${done.length} points, ${violations} violations`);
process.exit(violations || !done.length ? 1 : 0);

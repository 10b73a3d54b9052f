// Suites over the calls that `failing calls` does not reach: connections, memory, and the runs directory's calls of the
// other commands; each command on the seed `small`. Plugged into sweep.mjs.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { axdbState, checkClaims, checkRows, checkSums, progress, readRun, steps } from "./check.mjs";
import { checkEnd, finishClean, tail, undoAll } from "./finish.mjs";

const FAMILIES = {
  connections: {
    connect: ["ECONNREFUSED", "ETIMEDOUT", "EINTR"], send: ["ECONNRESET", "EPIPE", "EINTR", "short"],
    recv: ["ECONNRESET", "EINTR", "end", "short"], poll: ["EINTR", "ENOMEM"],
  },
  memory: { malloc: ["ENOMEM"] },
  "no memory": { malloc: ["ENOMEM"] }, // from then on
  calls: {
    write: ["EIO", "ENOSPC", "EINTR", "short"], read: ["EIO", "EINTR", "short"], fsync: ["EIO", "ENOSPC"], fdatasync: ["EIO", "ENOSPC"],
    rename: ["EIO", "ENOSPC"], open: ["EIO", "ENOSPC", "EMFILE", "EINTR"], mkdir: ["EIO", "ENOSPC"], close: ["EIO", "EINTR"],
    ftruncate: ["EIO"], fallocate: ["EIO", "ENOSPC"], unlink: ["EIO"], link: ["EIO", "ENOSPC"],
  },
  kills: Object.fromEntries(["write", "fsync", "fdatasync", "rename", "link", "mkdir", "send", "open", "close", "connect", "recv", "malloc"]
    .map((kind) => [kind, ["kill-before", "kill-after"]])),
};
FAMILIES.kills.malloc = ["kill-before"]; // the same as after the one before

// What says that nothing was changed, by the cause; EINTR and half of the bytes are no failures of a connection.
const UNCHANGED = { connections: [10, 11, 12, 13, 14], memory: [1, 10, 11, 12, 13, 14, 78], calls: [13] };
const HARMLESS = (family, point) => family === "connections" && point.how === "short";

// ---- commands: {prepare, command, judge} ----

async function mustEnd(result, status) {
  const ended = await result;
  if (ended.status !== status) throw new Error(`the preparation: ${tail(ended)}`);
  return ended;
}

const planFile = (world) => join(world.directory, "plan.ndjson");
const CONFIRMED = ["--maps-are-stopped", "--reason", "sweep", "--yes", "--plan-id"];

async function dryRun(world, args) {
  const dry = await mustEnd(world.dwclean([...args, "--dry-run", "--format", "json"]), 0);
  return JSON.parse(dry.stdout).plan_id;
}

// A report that came is whole, and says the status that the process ended with.
function checkReport(result, faults) {
  const text = result.stdout.toString().trim();
  if (!text) return;
  try {
    const report = JSON.parse(text);
    if (Number(report.exit_status) !== result.status) faults.push(`the report says ${report.exit_status}, the process ${result.status}`);
  } catch {
    faults.push(`a report that is no JSON: ${text.slice(0, 200)}`);
  }
}

// verify and check: they change nothing, and never say what they did not see.
async function judgeLook(world, seed, result, point, faults, truth, family) {
  const now = await world.look();
  faults.push(...checkRows(seed, now, world.runDirectories().map(readRun), { stampsMayDiffer: true }));
  const status = result.signal ?? result.status;
  const failed = [...UNCHANGED[family === "no memory" ? "memory" : family] ?? [], 137];
  if (status !== truth && (HARMLESS(family, point) || !failed.includes(status))) faults.push(`${tail(result)} instead of ${truth} or a failure`);
  if (status !== 0 && status !== 2 && !/error: ./.test(result.stderr)) faults.push("a failure that is told nowhere");
  checkReport(result, faults);
}

// clean, apply, resume: what was changed, by the tables; then what an operator does.
async function judgeChange(world, seed, before, result, point, faults, undo, family) {
  const now = await world.look();
  const runs = world.runDirectories().map(readRun);
  const p = runs.length ? progress(runs.at(-1)) : {};
  const untouched = axdbState(seed, now) === axdbState(seed, before) && now.runtime.size === before.runtime.size;
  const status = result.signal ?? result.status;
  faults.push(...checkRows(seed, now, runs), ...runs.flatMap((one) => checkClaims(seed, now, one)));
  if (family === "kills") {
    if (status !== "SIGKILL") faults.push(`not killed: ${tail(result)}`);
  } else if (status === 0) {
    if (axdbState(seed, now) !== "none" || now.runtime.size) faults.push("status 0 with rows left");
    if (!p.closed) faults.push("status 0 and the journal is not closed");
    if (runs.length) faults.push(...checkSums(runs.at(-1).path).map((fault) => `status 0: ${fault}`));
  } else {
    const begun = p.commitSent && (status === 3 || status === 6);
    const told = UNCHANGED[family === "no memory" ? "memory" : family];
    if (HARMLESS(family, point)) faults.push(`half of the bytes: ${tail(result)}`);
    else if (!untouched && status !== 3 && status !== 6) faults.push(`something was changed: ${tail(result)} instead of 3 or 6`);
    else if (untouched && !begun && !told.includes(status)) faults.push(`nothing was changed: ${tail(result)}`);
    if (!/error: ./.test(result.stderr)) faults.push("a failure that is told nowhere");
  }
  await finishClean(world, seed, faults);
  await checkEnd(world, seed, faults);
  if (undo) await undoAll(world, seed, faults);
}

async function judgeUndo(world, seed, result, faults, family, point) {
  const cleaned = world.runDirectories().map(readRun).find((run) => run.command === "clean");
  const now = await world.look();
  const status = result.signal ?? result.status;
  const whole = axdbState(seed, now) === "all" && now.runtime.size === seed.runtime.size;
  const untouched = axdbState(seed, now) === "none" && !now.runtime.size;
  faults.push(...checkRows(seed, now, world.runDirectories().map(readRun), { stampsMayDiffer: true }));
  if (axdbState(seed, now) === "some") faults.push("a part of AxDB's rows is back: the transaction was not one");
  if (family === "kills") {
    if (status !== "SIGKILL") faults.push(`not killed: ${tail(result)}`);
  } else if (status === 0) {
    if (!whole) faults.push("status 0 and rows are missing");
  } else if (HARMLESS(family, point)) {
    faults.push(`half of the bytes: ${tail(result)}`);
  } else if (!untouched && status !== 3 && status !== 6) {
    faults.push(`something was put back: ${tail(result)} instead of 3 or 6`);
  } else if (untouched && ![3, 6, ...UNCHANGED[family === "no memory" ? "memory" : family]].includes(status)) {
    faults.push(`nothing was put back: ${tail(result)}`);
  }
  const undone = await world.confirmed(["undo", cleaned.id, "--merge"]);
  if (undone.status !== 0) faults.push(`undo --merge: ${tail(undone)}`);
  await undoAll(world, seed, faults, ["--merge"]);
}

const COMMANDS = {
  verify: {
    expected: 2,
    command: (world, fault) => world.dwclean(["verify", "--format", "json"], fault),
    judge: (world, seed, result, point, faults, undo, family) => judgeLook(world, seed, result, point, faults, 2, family),
  },
  check: {
    expected: 0,
    command: (world, fault) => world.dwclean(["check", "--format", "json"], fault),
    judge: (world, seed, result, point, faults, undo, family) => judgeLook(world, seed, result, point, faults, 0, family),
  },
  clean: {
    prepare: async (world) => { world.planned = await dryRun(world, ["clean"]); },
    command: (world, fault) => world.dwclean(["clean", ...CONFIRMED, world.planned], fault),
    judge: (world, seed, result, point, faults, undo, family) => judgeChange(world, seed, seed, result, point, faults, undo, family),
  },
  apply: {
    async prepare(world) {
      rmSync(planFile(world), { force: true });
      const made = await mustEnd(world.dwclean(["plan", "--out", planFile(world), "--format", "json"]), 0);
      world.planned = JSON.parse(made.stdout).plan_id;
    },
    command: (world, fault) => world.dwclean(["apply", planFile(world), ...CONFIRMED, world.planned], fault),
    judge: (world, seed, result, point, faults, undo, family) => judgeChange(world, seed, seed, result, point, faults, undo, family),
  },
  resume: {
    // COMMIT was carried out, and the process died before that was on record
    async prepare(world) {
      await world.confirmed(["clean"], { FAULT_KIND: "write", FAULT_MATCH: '"step":"committed"', FAULT_AT: "1", FAULT_DO: "kill-before" });
      world.before = await world.look();
      if (world.before.events.size) throw new Error("the preparation did not commit");
    },
    command(world, fault) {
      const run = readRun(world.runDirectories()[0]);
      return world.resume(run.id, steps(run, "plan").at(-1).facts.plan_id, fault);
    },
    judge: (world, seed, result, point, faults, undo, family) => judgeChange(world, seed, world.before, result, point, faults, undo, family),
  },
  undo: {
    async prepare(world) {
      await mustEnd(world.confirmed(["clean"]), 0);
      world.planned = await dryRun(world, ["undo", "last"]);
    },
    command: (world, fault) => world.dwclean(["undo", "last", ...CONFIRMED, world.planned], fault),
    judge: (world, seed, result, point, faults, undo, family) => judgeUndo(world, seed, result, faults, family, point),
  },
};

const QUICK = { connections: 1, memory: 2, "no memory": 1, calls: 1, kills: 1 };

export const systemSuites = Object.fromEntries(Object.entries(FAMILIES).flatMap(([family, kinds]) =>
  Object.entries(COMMANDS).filter(([name]) => !["calls", "kills"].includes(family) || !["verify", "check"].includes(name)).map(([name, command]) => [`${family} ${name}`, {
    ...command,
    seed: "small",
    kinds: Object.keys(kinds),
    quick: QUICK[family],
    points: (counts) => Object.entries(kinds).flatMap(([kind, hows]) => Array.from({ length: counts[kind] ?? 0 }, (_, i) =>
      hows.map((how) => ({ kind, at: i + 1, how, ...(family === "no memory" ? { times: 0 } : {}) }))).flat()),
    judge: (world, seed, result, point, faults, undo) => command.judge(world, seed, result, point, faults, undo, family),
  }])));

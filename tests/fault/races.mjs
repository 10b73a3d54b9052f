// Two operators at once on one target, and rows that change between any two steps of a run. Plugged into sweep.mjs.
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TABLES } from "./world.mjs";
import { axdbState, checkClaims, checkDeletes, checkRows, progress, readRun, steps } from "./check.mjs";
import { tail } from "./finish.mjs";

const CONFIRMED = ["--maps-are-stopped", "--reason", "race", "--yes", "--plan-id"];

// ---- operators ----

// The same target from another machine: a runs directory of its own.
const machine = (world, name) => Object.assign(Object.create(world), { runs: join(world.directory, name), callLog: join(world.directory, `${name}.calls`) });

async function planned(world, args) {
  const dry = await world.dwclean([...args, "--dry-run", "--format", "json"]);
  if (dry.status !== 0) throw new Error(`the dry run: ${tail(dry)}`);
  return JSON.parse(dry.stdout).plan_id;
}

async function must(ended, wanted = 0) {
  const result = await ended;
  if ((result.signal ?? result.status) !== wanted) throw new Error(`the preparation: ${tail(result)}`);
  return result;
}

// What each operator is about to do, ready to go: a function that starts it.
const ACTIONS = {
  async clean(world) {
    const id = await planned(world, ["clean"]);
    return () => world.dwclean(["clean", ...CONFIRMED, id]);
  },
  async apply(world) {
    const file = `${world.runs}.plan.ndjson`;
    rmSync(file, { force: true });
    const made = await must(world.dwclean(["plan", "--out", file, "--format", "json"]));
    return () => world.dwclean(["apply", file, ...CONFIRMED, JSON.parse(made.stdout).plan_id]);
  },
  async undo(world) {
    const run = world.runDirectories().map(readRun).find((one) => one.command === "clean");
    const id = await planned(world, ["undo", run.id]);
    return () => world.dwclean(["undo", run.id, ...CONFIRMED, id]);
  },
  async resume(world) {
    const run = readRun(world.runDirectories()[0]);
    return () => world.dwclean(["resume", run.id, ...CONFIRMED, steps(run, "plan").at(-1).facts.plan_id]);
  },
};

const cleaned = (world) => must(world.confirmed(["clean"]));
const cutOff = (world) => must(world.confirmed(["clean"], { FAULT_KIND: "write", FAULT_MATCH: '"step":"committed"', FAULT_AT: "1", FAULT_DO: "kill-before" }), "SIGKILL");

/*
 * [first, second]; what was done before on the first machine; whether a second machine has that machine's runs;
 * how many may end with 0. A clean of empty tables is no change: it may end with 0 beside an undo.
 */
const PAIRS = {
  "clean+clean": { who: ["clean", "clean"], most: 1, least: 1 },
  "apply+clean": { who: ["apply", "clean"], most: 1, least: 1 },
  "clean+undo": { who: ["clean", "undo"], before: cleaned, most: 2, least: 1, copied: true },
  "undo+undo": { who: ["undo", "undo"], before: cleaned, most: 1, least: 1, copied: true },
  "clean+resume": { who: ["clean", "resume"], before: cutOff, most: 2, least: 1 },
};
const STATUSES = [0, 2, 3, 4, 5, 11];

// A number in [0, 1) for a seed and a round.
function drawn(seed, round) {
  let x = (seed * 2654435761 + round * 40503) >>> 0;
  for (let i = 0; i < 3; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x = (x ^ (x << 5)) >>> 0;
  }
  return x / 4294967296;
}

async function race(world, point) {
  const [, place, pair] = point.kind.match(/^(same|two) (.*)$/);
  const { who, before, copied } = PAIRS[pair];
  await before?.(world);
  // resume belongs to the machine that has the run
  const first = place === "two" && who[1] === "resume" ? machine(world, "runs-2") : world;
  const second = place === "two" && who[1] !== "resume" ? machine(world, "runs-2") : world;
  const elsewhere = [first, second].find((one) => one !== world);
  if (elsewhere) rmSync(elsewhere.runs, { recursive: true, force: true });
  if (elsewhere && copied) cpSync(world.runs, elsewhere.runs, { recursive: true });
  // a machine that has a run with an open end plans no other: a plan of nobody's stands for it
  const unplanned = pair === "clean+resume" && place === "same";
  const ready = [unplanned ? () => world.dwclean(["clean", ...CONFIRMED, "0".repeat(64)]) : await ACTIONS[who[0]](first), await ACTIONS[who[1]](second)];
  const offset = Number(point.how);
  const results = await Promise.all([
    sleep(Math.max(0, -offset)).then(ready[0]),
    sleep(Math.max(0, offset)).then(ready[1]),
  ]);
  point.raced = { results, runs: [first, second] };
  return { result: { ...results[0], stderr: results.map((one) => one.stderr).join(""), status: results.map((one) => one.signal ?? one.status).join("+") }, reached: true };
}

const changesRows = (run) => run.command === "clean" || run.command === "apply";

// What a journal claims may be the other's doing: only what holds for each by itself.
function judgeRun(run, faults) {
  const p = progress(run);
  faults.push(...run.faults.map((fault) => `${run.id}: ${fault}`));
  if (!changesRows(run)) return;
  if (p.purgeBegun && !p.committed) faults.push(`${run.id}: a purge before the COMMIT was known`);
  if (p.commitSent && !p.sealed) faults.push(`${run.id}: commit-sent without a sealed backup`);
}

async function judgeRace(world, seed, result, point, faults) {
  const pair = point.kind.replace(/^\w+ /, "");
  const { most, least, who } = PAIRS[pair];
  const { results, runs: places } = point.raced;
  const now = await world.look();
  const runs = [...new Set(places.map((one) => one.runs))].flatMap((path) => machineRuns(world, path)).map(readRun);
  const statuses = results.map((one) => one.signal ?? one.status);
  const won = statuses.filter((status) => status === 0).length;
  for (const one of results) if (one.hung || one.signal || !STATUSES.includes(one.status)) faults.push(`an operator: ${tail(one)}`);
  if (won > most) faults.push(`${won} of ${who.join(" and ")} ended with 0`);
  if (won < least && !statuses.includes(3)) faults.push(`nobody got through: ${results.map(tail).join(" | ")}`);
  faults.push(...checkRows(seed, now, runs, { stampsMayDiffer: who.includes("undo") }), ...checkDeletes(await world.log()));
  if (axdbState(seed, now) === "some") faults.push("a part of AxDB's rows is gone: a transaction was not one");
  for (const run of runs) judgeRun(run, faults);
  const removers = [...new Map(runs.map((run) => [run.id, run])).values()] // a machine may have a copy of the other's
    .filter((run) => changesRows(run) && progress(run).committed && run.backups.some((backup) => backup.events?.size));
  if (removers.length > 1) faults.push(`${removers.length} runs say that they removed the rows of AxDB`);
  if (removers.length === 1 && !who.includes("undo")) faults.push(...checkClaims(seed, now, removers[0]));
  if (won && !who.includes("undo") && (axdbState(seed, now) !== "none" || now.runtime.size)) faults.push("0, and rows are left");
  if (who.includes("undo") && statuses[who.indexOf("undo")] === 0 && (axdbState(seed, now) !== "all" || now.runtime.size !== seed.runtime.size))
    faults.push("undo ended with 0, and rows are missing");
}

const machineRuns = (world, path) => Object.assign(Object.create(world), { runs: path }).runDirectories();

// ---- rows that change ----

const LATE = 77;
const KEY = `5637144576:${LATE}`;
const CHANGES = {
  insert: (table) => `INSERT INTO dbo.${table} (RECID) VALUES (${LATE});`,
  update: (table) => `UPDATE dbo.${table} SET RECVERSION = 2 WHERE RECID = 1;`,
  delete: (table) => `DELETE FROM dbo.${table} WHERE RECID = 1;`,
};
const REQUESTS = 45; // of AxDB in a clean of `small`, and some
const RUNTIME = [["dv.write", "insert"], ["dv.delete", "changed"], ["dv.delete", "changed-name"], ["dv.delete", "gone"]];

function drifts() {
  const points = [];
  for (let at = 1; at <= REQUESTS; at++)
    for (const table of Object.keys(TABLES)) for (const how of Object.keys(CHANGES)) points.push({ kind: `${how} ${table}`, at, how: "axdb" });
  for (const [place, how] of RUNTIME) for (let at = 1; at <= 3; at++) points.push({ kind: `${how} runtime`, at, how: place });
  return points;
}

// A table of its own remembers whether the change was made, in the same transaction.
function ruleOf(point) {
  const [how, table] = point.kind.split(" ");
  if (table === "runtime") return { at: point.how, match: "DELETE", do: "other", text: how, skip: point.at - 1 };
  return { at: "tds.request", do: "sql", skip: point.at - 1,
    text: `SET LOCK_TIMEOUT 100; SET XACT_ABORT ON; BEGIN TRANSACTION; ${CHANGES[how](TABLES[table])} IF @@ROWCOUNT = 1 INSERT INTO dbo.DRIFT (N) VALUES (1); COMMIT;` };
}

async function drift(world, point) {
  await world.control("POST", "/sql", "DROP TABLE IF EXISTS dbo.DRIFT; CREATE TABLE dbo.DRIFT (N int NOT NULL);");
  const start = await ACTIONS.clean(world);
  await world.control("DELETE", "/log");
  await world.control("POST", "/faults", JSON.stringify(ruleOf(point)));
  const result = await start();
  await world.control("DELETE", "/faults");
  const mark = await world.control("POST", "/sql", "IF NOT EXISTS (SELECT 1 FROM dbo.DRIFT) THROW 50000, N'not made', 1;").then(() => true, () => false);
  point.log = await world.log();
  return { result, reached: mark || point.how !== "axdb" };
}

const looksAt = (line, table) => (line.kind === "batch" || line.kind === "rpc") && (line.sql ?? "").includes(table);

async function judgeDrift(world, seed, result, point, faults) {
  const [how, table] = point.kind.split(" ");
  const now = await world.look();
  const runs = world.runDirectories().map(readRun);
  const made = await world.control("POST", "/sql", "IF NOT EXISTS (SELECT 1 FROM dbo.DRIFT) THROW 50000, N'not made', 1;").then(() => true, () => false);
  const planned = { ...seed }, left = { ...now };
  if (table === "runtime") {
    if (how === "insert") {
      left.runtime = new Map([...now.runtime].filter(([key]) => seed.runtime.has(key)));
      const inserts = now.runtime.size - left.runtime.size;
      if (inserts && result.status !== 3) faults.push(`a row came into Dataverse: ${tail(result)} instead of 3`);
    } else if (how !== "changed") {
      planned.runtime = new Map([...seed.runtime].filter(([key]) => !now.runtime.has(key) || how !== "changed-name"));
      left.runtime = new Map([...now.runtime].filter(([key]) => planned.runtime.has(key)));
      if (how === "changed-name" && planned.runtime.size < seed.runtime.size && result.status !== 3) faults.push(`a row changed: ${tail(result)} instead of 3`);
    }
  } else if (made && how === "insert") {
    if (!now[table].has(KEY)) faults.push(`a row that nobody planned was DELETED from ${table}`);
    left[table] = new Map([...now[table]].filter(([key]) => key !== KEY));
  } else if (made) {
    const key = [...seed[table].keys()].find((one) => one.endsWith(":1"));
    planned[table] = new Map([...seed[table]].filter(([one]) => one !== key));
    left[table] = new Map([...now[table]].filter(([one]) => one !== key));
    const copies = runs.flatMap((run) => run.backups.map((backup) => backup[table]?.get(key))).filter(Boolean);
    if (how === "update" && !now[table].has(key) && !copies.some((copy) => copy.RECVERSION === "2")) faults.push(`${table} ${key} is LOST as it was changed`);
  }
  faults.push(...checkRows(planned, left, runs), ...checkDeletes(point.log));
  const there = ["field", "project", "events"].reduce((sum, one) => sum + left[one].size, 0);
  const all = ["field", "project", "events"].reduce((sum, one) => sum + planned[one].size, 0);
  if (there !== 0 && there < all) faults.push("a part of AxDB's rows is gone: the transaction was not one");
  const seen = table !== "runtime" && point.log.filter((line) => line.kind === "batch" || line.kind === "rpc").slice(point.at - 1).some((line) => looksAt(line, TABLES[table]));
  // an event of another channel, seen before the plan is compared, is a guard's matter
  const allowed = point.kind === "insert events" ? [3, 4, 5] : [3, 5];
  if (made && seen && !allowed.includes(result.status)) faults.push(`drift: ${tail(result)} instead of ${allowed.join(" or ")}`);
  if (!made && table !== "runtime" && result.status !== 0) faults.push(`no change was made: ${tail(result)}`);
  const p = runs.length ? progress(runs.at(-1)) : {};
  if ((result.status === 4 || result.status === 5) && (p.committed || there !== all)) faults.push(`${result.status}, and something was changed`);
  if (result.status === 0 && (there || left.runtime.size)) faults.push("0, and rows are left");
}

const ROUNDS = 300;

export const races = {
  "two at once": {
    seed: "small",
    quick: 6,
    points: (_, options) => Array.from({ length: ROUNDS }, (unused, i) => {
      const names = Object.keys(PAIRS);
      const turn = i + Math.floor(i / 10); // other pairs for who takes every tenth
      const kind = `${Math.floor(turn / names.length) % 2 ? "two" : "same"} ${names[turn % names.length]}`;
      return { kind, at: i + 1, how: String(Math.round((drawn(options.seed, i) * 2 - 1) * 400)) };
    }),
    harm: race,
    judge: judgeRace,
  },
  drift: { seed: "small", quick: 4, points: drifts, harm: drift, judge: judgeDrift },
};

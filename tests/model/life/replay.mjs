// Runs of the program against the sandbox, also cut off and gone on with; their journals, record by record, must be orders that
// the model allows, and changed ones must not. Started by replay.sh; --all: more points, every mutation.
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { World } from "../../fault/world.mjs";

const need = (name) => process.env[name] ?? (console.error(`${name} is not set: start this by replay.sh`), process.exit(64));
const all = process.argv.includes("--all");
const work = need("LIFE_WORK"), acceptor = need("ACCEPTOR"), source = need("SOURCE_DIR");
const QUICK_MUTATIONS = 20, RUNS_MOST = 3;

// ---- records as the model numbers them: its own text says which words they are ----

const numbers = Object.fromEntries([...readFileSync(need("MODEL"), "utf8").matchAll(/^#define R_\w+ (\d+) +\/\* "([a-z-]+)"/gm)]
  .map(([, number, word]) => [word, Number(number)]));
const COMMANDS = { clean: 1, apply: 1, "repair-map": 2, undo: 3 };
const SETTLED = { unknown: 0, committed: 1, "rolled-back": 2, mixed: 3 };
const OUTCOMES = { done: 1, residue: 2, partial: 3 };
const SINGLE = { changed: 1, failed: 2, unknown: 3 };

function known(table, word, what) {
  if (!(word in table)) throw new Error(`${what} "${word}" is not in the model`);
  return table[word];
}

function about({ step, facts }, rowOf) {
  const bits = (entries) => entries.reduce((mask, [key]) => mask | (1 << rowOf(key)), 0);
  switch (step) {
    case "open": return known(COMMANDS, facts.command, "the command");
    case "settled": return known(SETTLED, facts.state, "the state");
    case "resumed": return facts.settle === "yes" ? 1 : 0;
    case "verified": return known(OUTCOMES, facts.outcome, "the outcome");
    case "backup-again": return Number(facts.rows);
    case "purge-intent": case "return-intent": return bits(Object.entries(facts));
    case "purge-outcome": case "return-outcome": {
      if ("key" in facts && "state" in facts) return (known(SINGLE, facts.state, "the state") << 16) | (1 << rowOf(facts.key));
      const rows = Object.entries(facts), first = ([, value]) => /^done /.test(value);
      return bits(rows.filter(first)) | (bits(rows.filter((row) => !first(row))) << 8);
    }
    default: return 0;
  }
}

function traceOf(paths) {
  const rows = new Map();
  const rowOf = (key) => rows.get(key) ?? (rows.set(key, rows.size), rows.get(key));
  return paths.map((path) => readFileSync(join(path, "journal.ndjson"), "utf8").split("\n")
    .filter((line) => line.replaceAll("\0", "").trim())
    .map((line) => JSON.parse(line))
    .map((record) => ({ word: record.step, step: known(numbers, record.step, "the record"), about: about(record, rowOf) })));
}

// ---- the model's word ----

const judged = new Map();
let questions = 0;

function accepts({ crashes, writes, losses }, runs) {
  const commands = runs.length + runs.flat().filter(({ word }) => word === "resumed").length;
  const text = `${crashes} ${writes} ${losses} ${runs.length} ${commands}\n` +
    runs.flatMap((records, run) => records.map(({ step, about }) => `${run} ${step} ${about}\n`)).join("");
  if (judged.has(text)) return judged.get(text);
  const trace = join(work, "trace");
  writeFileSync(trace, text);
  questions++;
  const { status, stdout } = spawnSync(acceptor, ["-E", "-w18", "-m50000"], { cwd: work, env: { ...process.env, LIFE_TRACE: trace }, encoding: "utf8" });
  const errors = stdout?.match(/errors: (\d+)/)?.[1];
  if (errors === undefined || /max search depth too small|out of memory/.test(stdout)) throw new Error(`pan: ${status} ${stdout}\n${text}`);
  judged.set(text, errors === "1");
  return errors === "1";
}

// ---- runs ----

const preload = mkdtempSync("/tmp/dwclean-preload.");
process.on("exit", () => rmSync(preload, { recursive: true, force: true }));
copyFileSync(need("FAULT_LIBRARY"), join(preload, "fault.so"));
const world = new World(join(work, "world"), { dwclean: need("DWCLEAN"), sandbox: need("SANDBOX_BINARY"), library: join(preload, "fault.so"), source });
const at = (step, how = "kill-before") => ({ FAULT_KIND: "write", FAULT_MATCH: `"step":"${step}"`, FAULT_AT: "1", FAULT_DO: how });
const fault = (rule) => world.control("POST", "/faults", JSON.stringify(rule));
const planOf = () => traceFacts(world.runDirectories()[0], "plan").plan_id;
const traceFacts = (path, step) => readFileSync(join(path, "journal.ndjson"), "utf8").split("\n").filter(Boolean)
  .map((line) => JSON.parse(line)).findLast((record) => record.step === step)?.facts ?? {};

async function fresh() {
  const rows = await world.reset();
  for (const id of [...rows.runtime.keys()].sort().slice(2)) await world.control("DELETE", `/dataverse/rows?id=${id}`);
  await world.control("DELETE", "/log");
  return [...rows.runtime.keys()].sort().slice(0, 2);
}

const AXDB_ALONE = ["--axdb-only", "--expect-dataverse-host", "own.crm4.dynamics.com"];
const clean = (how) => world.confirmed(["clean"], how);
const resume = async (how) => world.resume("last", planOf(), how);
const MAP = ["repair-map", ...AXDB_ALONE, "--map", "Customers V3:accounts"];
const cases = [];
const add = (name, budget, go) => cases.push({ name, budget: { crashes: 0, writes: 0, losses: 0, ...budget }, go });

add("clean", {}, () => clean());
add("clean, AxDB alone", {}, () => world.confirmed(["clean", ...AXDB_ALONE]));
add("clean, Dataverse alone", {}, () => world.confirmed(["clean", "--dataverse-only"]));
const STEPS = !all ? ["confirmed", "backup-sealed", "commit-sent", "committed", "purge-intent", "verified"] : ["open", "identity", "preconditions", "plan", "confirmed", "locked", "backup-sealed", "begin", "commit-sent",
  "committed", "purge-intent", "purge-outcome", "verified", "close"];
for (const step of STEPS)
  for (const how of all || step === "commit-sent" ? ["kill-before", "kill-after"] : ["kill-after"])
    add(`clean killed (${how} ${step}), then what finishes it`, { crashes: 1 }, async () => {
      await clean(at(step, how));
      const again = await resume();
      if (again.status !== 0) await clean();
    });
for (const step of all ? ["resumed", "confirmed", "settled", "purge-intent", "purge-outcome", "close"] : ["settled", "purge-intent"])
  add(`resume killed at ${step}, resumed`, { crashes: 2 }, async () => {
    await clean(at("committed"));
    await resume(at(step, "kill-after"));
    await resume();
  });
add("COMMIT carried out without an answer, resume", { losses: 1 }, async () => {
  await fault({ at: "tds.commit.after", times: 1, do: "cut" });
  await clean();
  await resume();
});
add("COMMIT that did not arrive, a new run", { losses: 1 }, async () => {
  await fault({ at: "tds.commit", times: 1, do: "cut" });
  await clean();
  await clean();
});
for (const [kind, writes] of [["changed", 1], ["changed-name", 1], ["gone", 1]])
  add(`a row that is ${kind} in the purge`, { writes }, async () => {
    await fault({ at: "dv.delete", times: 1, do: "other", text: kind });
    await clean();
  });
for (const [name, change] of [["stamped", "{}"], ["renamed", '{"msdyn_name":"other"}']])
  add(`a row that is ${name} between the crash and the resume`, { crashes: 1, writes: 1 }, async ([first]) => {
    await clean(at("purge-intent"));
    await world.control("PATCH", `/dataverse/rows?id=${first}`, change);
    await resume();
  });
add("a delete whose answer is lost", { losses: 1 }, async () => {
  await fault({ at: "dv.after", match: "DELETE", times: 1, do: "cut" });
  await clean();
});
add("clean, undo", {}, async () => {
  await clean();
  await world.confirmed(["undo", "last"]);
});
add("clean, undo of AxDB alone", {}, async () => {
  await clean();
  await world.confirmed(["undo", "last", ...AXDB_ALONE]);
});
for (const step of all ? ["commit-sent", "committed", "return-intent", "return-outcome"] : ["committed", "return-intent"])
  add(`undo killed at ${step}, then --merge`, { crashes: 1 }, async () => {
    await clean();
    const id = world.runDirectories()[0].split("/").at(-1);
    await world.confirmed(["undo", id], at(step, "kill-after"));
    await world.confirmed(["undo", id, "--merge"]);
  });
add("an undo without an answer to COMMIT", { losses: 1 }, async () => {
  await clean();
  await fault({ at: "tds.commit.after", times: 1, do: "cut" });
  await world.confirmed(["undo", "last"]);
});
add("a run that was cut off in the purge, undone, resume refused", { crashes: 1 }, async () => {
  await clean(at("purge-intent", "kill-after"));
  const id = world.runDirectories()[0].split("/").at(-1);
  await world.confirmed(["undo", id]);
  await world.resume(id, planOf());
});
add("a row that is written back before the resume: mixed, undo --merge", { crashes: 1, writes: 1 }, async () => {
  const row = (await world.look()).field.values().next().value;
  await clean(at("committed"));
  await world.control("POST", "/sql", "INSERT INTO dbo.DUALWRITEPROJECTFIELDCONFIGURATION (PARTITION, RECID, PROJECTNAME) " +
    `VALUES (${row.PARTITION}, ${row.RECID}, N'x')`);
  await resume();
  await world.confirmed(["undo", world.runDirectories()[0].split("/").at(-1), "--merge"]);
});
add("repair-map", {}, () => world.confirmed(MAP));
for (const step of all ? ["commit-sent", "committed", "verified"] : ["committed"])
  add(`repair-map killed at ${step}, resumed`, { crashes: 1 }, async () => {
    await world.confirmed(MAP, at(step, "kill-after"));
    await world.dwclean(["resume", "last", ...AXDB_ALONE, "--maps-are-stopped", "--reason", "sweep", "--yes", "--plan-id", planOf()]);
  });

// ---- mutations ----

function mutations(runs) {
  const list = [];
  const change = (run, position, what, records) => list.push({ run, position, what, runs: runs.map((old, i) => (i === run ? records : old)) });
  runs.forEach((records, run) => records.forEach((record, i) => {
    if (record.word === "preconditions" && records[i + 1]?.word === record.word) return; // any number of them
    const front = records.slice(0, i), rest = records.slice(i + 1);
    if (record.word !== "preconditions") {
      change(run, i, "left out", [...front, ...rest]);
      change(run, i, "doubled", [...front, record, record, ...rest]);
    }
    if (rest.length && (rest[0].step !== record.step || rest[0].about !== record.about))
      change(run, i, "swapped", [...front, rest[0], record, ...rest.slice(1)]);
  }));
  return list;
}

// A changed journal that a run may leave all the same; why.
function mayBe({ run, position, what }, runs) {
  const records = runs[run], word = records[position].word, next = records[position + 1]?.word;
  if (what === "left out" && position === records.length - 1) return "the last record: a crash before it";
  if (what === "swapped" && word === next) return "two outcomes: answers come in any order";
  if (what === "left out" && word === "stopped") return "stopped: a crash instead";
  if (what === "left out" && word === "verified" && next === "stopped") return "verified: the look could not be made";
  if (what === "left out" && word === "locked" && records[0].about === COMMANDS.undo && !records.some((one) => one.word === "begin"))
    return "locked: an undo of Dataverse alone";
  if (what === "left out" && next === "resumed") return "the last record before a resume: a crash before it";
  return null;
}

// ---- all of it ----

const began = Date.now();
let journals = 0, records = 0, refused = 0, longest = 0;
const accepted = [], changed = [];
try {
  await world.start("scenario-a");
  for (const one of cases) {
    const result = await one.go(await fresh());
    const paths = world.runDirectories();
    if (!paths.length || paths.length > RUNS_MOST) throw new Error(`${one.name}: ${paths.length} runs; ${result?.stderr ?? ""}`);
    const runs = traceOf(paths);
    journals += runs.length;
    records += runs.reduce((sum, list) => sum + list.length, 0);
    longest = Math.max(longest, ...runs.map((list) => list.length));
    // a crash, a write or a lost answer that did not come about is none
    if (accepts(one.budget, runs)) {
      accepted.push(one.name);
      changed.push(...mutations(runs).map((mutation) => ({ ...mutation, budget: one.budget, original: runs, name: one.name })));
    } else {
      refused++;
      console.log(`REFUSED ${one.name}:`);
      for (const [run, list] of runs.entries()) console.log(`  run ${run}: ${list.map(({ word, about }) => (about ? `${word}(${about})` : word)).join(" ")}`);
    }
  }
} finally {
  world.stop();
}
console.log(`${cases.length} cases, ${journals} journals, ${records} records: ${accepted.length} cases accepted, ${refused} refused, ${((Date.now() - began) / 1000).toFixed(0)} s`);

const stride = all ? 1 : Math.max(1, changed.length / QUICK_MUTATIONS);
const chosen = Array.from({ length: Math.floor(changed.length / stride) }, (_, i) => changed[Math.floor(i * stride)]);
const reasons = new Map();
let rejected = 0, wrong = 0;
for (const mutation of chosen) {
  if (!accepts(mutation.budget, mutation.runs)) {
    rejected++;
    continue;
  }
  const why = mayBe(mutation, mutation.original);
  if (why) {
    reasons.set(why, (reasons.get(why) ?? 0) + 1);
    continue;
  }
  if (++wrong <= 20) {
    const list = mutation.original[mutation.run];
    console.log(`NOT REJECTED ${mutation.name}: run ${mutation.run}, record ${mutation.position + 1} (${list[mutation.position].word}) ${mutation.what}`);
  }
}
console.log(`${chosen.length} of ${changed.length} changed journals: ${rejected} rejected, ${chosen.length - rejected - wrong} are what a run may leave too, ${wrong} not rejected; ` +
  `${questions} searches, ${((Date.now() - began) / 1000).toFixed(0)} s`);
for (const [why, count] of reasons) console.log(`  ${String(count).padStart(4)} ${why}`);
process.exit(refused || wrong || journals < 30 || rejected < chosen.length / 2 ? 1 : 0);

// What must hold of a run directory and the tables at any moment. Shares nothing with dwclean's own readers: node's
// JSON and SHA-256, and the zstd program. Formats: src/backup/README.md.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const AXDB = ["field", "project", "events"];

// ---- journal ----

// {records, torn, faults}
export function readJournal(path) {
  const result = { records: [], torn: false, faults: [] };
  if (!existsSync(path)) return result;
  const bytes = readFileSync(path);
  let previous = "0".repeat(64);
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(10, at);
    const line = bytes.subarray(at, end < 0 ? bytes.length : end);
    if (end < 0 || line.includes(0)) {
      result.torn = true;
      break;
    }
    let record;
    try {
      record = JSON.parse(line.toString("utf8"));
    } catch {
      result.faults.push(`journal: line ${result.records.length + 1} is no JSON`);
      break;
    }
    if (record.seq !== String(result.records.length + 1)) result.faults.push(`journal: seq ${record.seq} out of turn`);
    if (record.previous !== previous) result.faults.push(`journal: record ${record.seq} breaks the chain`);
    previous = sha256(line);
    result.records.push(record);
    at = end + 1;
  }
  return result;
}

// ---- backup ----

// A value of a backup as tsql prints it.
function textOf(value, column) {
  if (value === null) return "NULL";
  if (typeof value === "string") return column.type === "timestamp" || column.stored === "bytes" ? value.toLowerCase() : value;
  const bytes = Buffer.from(value.b64, "base64");
  if (column.stored === "utf-16le") return bytes.toString("utf16le");
  return column.stored === "bytes" || /binary|timestamp|rowversion/.test(column.type) ? bytes.toString("hex") : bytes.toString("latin1");
}

function readTable(directory, entry, faults) {
  const path = join(directory, entry.file);
  const rows = new Map();
  if (!existsSync(path)) {
    faults.push(`${path}: sealed and not there`);
    return rows;
  }
  const packed = readFileSync(path);
  if (String(packed.length) !== entry.bytes || sha256(packed) !== entry.sha256) faults.push(`${path}: not what the manifest says`);
  let lines;
  try {
    lines = execFileSync("zstd", ["-dcq", path], { maxBuffer: 1 << 30, stdio: ["ignore", "pipe", "ignore"] }).toString("utf8").split("\n");
  } catch {
    faults.push(`${path}: zstd cannot read it`);
    return rows;
  }
  if (lines.pop() !== "") faults.push(`${path}: the last line has no end`);
  const columns = entry.schema.columns;
  for (const line of lines.slice(1)) {
    const row = JSON.parse(line);
    if (rows.has(row.key)) faults.push(`${path}: ${row.key} is there twice`);
    rows.set(row.key, entry.table === "runtime"
      ? JSON.parse(row.fields.document)
      : Object.fromEntries(columns.map((column) => [column.name, textOf(row.fields[column.name], column)])));
  }
  if (String(rows.size) !== entry.rows) faults.push(`${path}: ${rows.size} rows, the manifest says ${entry.rows}`);
  return rows;
}

// NULL without a seal; otherwise a map of rows a table.
function readBackup(directory, faults) {
  const seal = join(directory, "SEALED.json");
  if (!existsSync(seal)) return null;
  const tables = {};
  try {
    const manifest = readFileSync(join(directory, "manifest.json"));
    if (JSON.parse(readFileSync(seal, "utf8")).manifest_sha256 !== sha256(manifest)) faults.push(`${seal}: another manifest`);
    for (const entry of JSON.parse(manifest.toString("utf8")).tables) tables[entry.table] = readTable(directory, entry, faults);
  } catch (why) {
    faults.push(`${directory}: ${why.message}`);
  }
  return tables;
}

// ---- a run directory ----

// The backups are read when they are asked for, and then kept.
export function readRun(path) {
  const journal = readJournal(join(path, "journal.ndjson"));
  let read = null;
  const content = () => {
    if (read) return read;
    const faults = [...journal.faults];
    const backups = readdirSync(path).filter((name) => /^backup(-\d+)?$/.test(name))
      .map((name) => readBackup(join(path, name), faults)).filter(Boolean);
    for (const name of ["run.json", "plan.ndjson"])
      if (existsSync(join(path, name)) && statSync(join(path, name)).size === 0) faults.push(`${name} is empty`);
    read = { backups, faults };
    return read;
  };
  return {
    path, journal, id: basename(path), command: journal.records[0]?.facts.command ?? "",
    get backups() { return content().backups; },
    get faults() { return content().faults; },
  };
}

// SHA256SUMS covers the run and fits.
export function checkSums(path) {
  if (!existsSync(join(path, "SHA256SUMS"))) return ["no SHA256SUMS"];
  const faults = [];
  for (const line of readFileSync(join(path, "SHA256SUMS"), "utf8").split("\n").filter(Boolean)) {
    const [, sum, name] = line.match(/^([0-9a-f]{64}) [ *](.*)$/);
    if (!existsSync(join(path, name)) || sha256(readFileSync(join(path, name))) !== sum) faults.push(`SHA256SUMS: ${name} differs`);
  }
  for (const name of ["run.json", "journal.ndjson", "plan.ndjson", "report.json", "report.txt", "report.html", "backup/SEALED.json"])
    if (!readFileSync(join(path, "SHA256SUMS"), "utf8").includes(` ${name}\n`)) faults.push(`SHA256SUMS does not name ${name}`);
  return faults;
}

// ---- rows ----

const without = (row, names) => Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)));

// A row of Dataverse against the document that was backed up.
const sameRuntime = (row, copy) => isDeepStrictEqual(without(row.columns, ["@odata.etag"]), copy);

// Present as at the beginning? After an undo the server has given new stamps.
function sameRow(table, then, now, stampsMayDiffer) {
  if (table !== "runtime")
    return isDeepStrictEqual(without(then, stampsMayDiffer ? ["SYSROWVERSION"] : []), without(now, stampsMayDiffer ? ["SYSROWVERSION"] : []));
  if (!stampsMayDiffer) return isDeepStrictEqual(then, now);
  return then.name === now.name && then.id === now.id &&
    ["msdyn_name", "msdyn_internalentityname", "msdyn_externalentityname", "msdyn_unsecure", "msdyn_secure"]
      .every((name) => then.columns[name] === now.columns[name]);
}

/**
 * No row is lost, made up or altered: each of `seed` is in its table as it was, or in a sealed and whole backup of
 * `runs`; nothing else is in the tables; the neighbours are as they were.
 */
export function checkRows(seed, now, runs, { stampsMayDiffer = false } = {}) {
  const faults = [];
  for (const run of runs) faults.push(...run.faults.map((fault) => `${run.id}: ${fault}`));
  for (const table of [...AXDB, "runtime"]) {
    for (const [key, row] of seed[table]) {
      const there = now[table].get(key);
      if (there && !sameRow(table, row, there, stampsMayDiffer)) faults.push(`${table} ${key} was altered`);
      if (there) continue;
      const copies = runs.flatMap((run) => run.backups.map((backup) => backup[table]?.get(key))).filter(Boolean);
      if (!copies.length) faults.push(`${table} ${key} is LOST: neither in its table nor in a sealed backup`);
      else if (!copies.some((copy) => table === "runtime" ? sameRuntime(row, copy) : isDeepStrictEqual(copy, row)))
        faults.push(`${table} ${key} is LOST: its copy has other contents`);
    }
    for (const key of now[table].keys()) if (!seed[table].has(key)) faults.push(`${table} ${key} was made up`);
  }
  for (const table of ["errors", "parameters"])
    if (!isDeepStrictEqual([...seed[table]], [...now[table]])) faults.push(`the neighbour ${table} was touched`);
  return faults;
}

// ---- what the journal says ----

export const steps = (run, name) => run.journal.records.filter((record) => record.step === name);

// How far a clean came, by its journal alone.
export function progress(run) {
  const records = run.journal.records;
  const at = (name) => records.findLastIndex((record) => record.step === name);
  const settled = records.filter((record) => record.step === "settled").map((record) => record.facts.state);
  return {
    begun: records.length > 0,
    sealed: at("backup-sealed") >= 0,
    commitSent: at("commit-sent") >= 0,
    committed: at("committed") >= 0 || settled.includes("committed"),
    rolledBack: at("rolled-back") > at("commit-sent") || settled.at(-1) === "rolled-back",
    purgeBegun: at("purge-intent") >= 0,
    closed: at("close") >= 0,
  };
}

export const axdbState = (seed, now) => {
  const there = AXDB.reduce((sum, table) => sum + now[table].size, 0);
  const all = AXDB.reduce((sum, table) => sum + seed[table].size, 0);
  return there === all ? "all" : there === 0 ? "none" : "some";
};

const leftByJournal = (run) => {
  const keys = [];
  for (const { facts } of steps(run, "purge-outcome")) {
    if (facts.key && (facts.state === "done" || facts.state === "gone")) keys.push(facts.key);
    for (const [name, value] of Object.entries(facts)) if (/^(done|gone) /.test(value ?? "") && /^[0-9a-f-]{36}$/.test(name)) keys.push(name);
  }
  return keys;
};

/** The journal of a clean (and of what resumed it) tells no more than what happened, and in the right order. */
export function checkClaims(seed, now, run) {
  const faults = [];
  const say = (wrong, text) => wrong && faults.push(`${run.id}: ${text}`);
  const p = progress(run);
  const axdb = axdbState(seed, now);
  const order = (name) => run.journal.records.findIndex((record) => record.step === name);
  const before = (first, then) => order(then) < 0 || (order(first) >= 0 && order(first) < order(then));

  say(axdb === "some", "a part of AxDB's rows is gone: the transaction was not one");
  say(p.committed && axdb !== "none", "the journal says committed, rows are there");
  say(p.rolledBack && axdb !== "all", "the journal says rolled back, rows are gone");
  say(!p.commitSent && axdb !== "all", "rows are gone and no commit-sent is on record");
  say(!before("backup-sealed", "commit-sent"), "commit-sent without a sealed backup before it");
  say(!before("confirmed", "backup-sealed"), "a backup without a confirmation before it");
  say(p.purgeBegun && !p.committed, "a purge before the COMMIT was known");
  say(p.sealed && !existsSync(join(run.path, "backup", "SEALED.json")), "the journal says sealed, there is no seal");
  const intents = new Set(steps(run, "purge-intent").flatMap((record) => Object.keys(record.facts)));
  for (const key of seed.runtime.keys())
    say(!now.runtime.has(key) && !intents.has(key), `runtime ${key} is gone and no intent is on record`);
  for (const key of leftByJournal(run)) say(now.runtime.has(key), `the journal says that runtime ${key} is gone`);
  const proven = [...steps(run, "verified"), ...steps(run, "close")].some((record) => record.facts.outcome === "done");
  say(proven && (axdb !== "none" || now.runtime.size), "the journal says done, rows are there");
  return faults;
}

/** No row of Dataverse was deleted twice, by the service's own log. */
export function checkDeletes(log) {
  const deleted = new Map();
  for (const line of log) {
    const key = line.method === "DELETE" && line.status === "204" && line.path.match(/msdyn_dualwriteruntimeconfigs\(([0-9a-f-]{36})\)/)?.[1];
    if (key) deleted.set(key, (deleted.get(key) ?? 0) + 1);
  }
  return [...deleted].filter(([, times]) => times > 1).map(([key, times]) => `runtime ${key} was deleted ${times} times`);
}

// Did anything change a target? Reading, transactions that were rolled back and locks do not.
export const changes = (log) => log.filter((line) =>
  (line.kind === "batch" && /\b(DELETE FROM|INSERT INTO|UPDATE) /i.test(line.sql)) ||
  ((line.kind === "http" || line.kind === "http-part") && line.method !== "GET" && !/oauth2|\$batch/.test(line.path))).length;

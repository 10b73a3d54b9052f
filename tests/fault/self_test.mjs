// A checker that finds nothing proves nothing: here it must find each planted violation.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkClaims, checkDeletes, checkRows, checkSums, readRun } from "./check.mjs";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

// Changes one row file of a backup and repairs every sum above it: only the rows themselves can betray it.
function forge(path, table, change) {
  const file = join(path, "backup", `${table}.ndjson.zst`);
  const lines = execFileSync("zstd", ["-dcq", file], { maxBuffer: 1 << 30 }).toString("utf8").split("\n");
  const packed = execFileSync("zstd", ["-cq"], { input: change(lines).join("\n"), maxBuffer: 1 << 30 });
  const manifest = JSON.parse(readFileSync(join(path, "backup", "manifest.json"), "utf8"));
  const entry = manifest.tables.find((one) => one.table === table);
  writeFileSync(file, packed);
  Object.assign(entry, { bytes: String(packed.length), sha256: sha256(packed), rows: String(change(lines).length - 2) });
  const text = JSON.stringify(manifest);
  writeFileSync(join(path, "backup", "manifest.json"), text);
  const seal = JSON.parse(readFileSync(join(path, "backup", "SEALED.json"), "utf8"));
  writeFileSync(join(path, "backup", "SEALED.json"), JSON.stringify({ ...seal, manifest_sha256: sha256(Buffer.from(text)) }));
}

function forgeJournal(path, change) {
  const file = join(path, "journal.ndjson");
  let previous = "0".repeat(64);
  const lines = change(readFileSync(file, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line))).map((record, i) => {
    const line = JSON.stringify({ ...record, seq: String(i + 1), previous });
    previous = sha256(Buffer.from(line));
    return line;
  });
  writeFileSync(file, `${lines.join("\n")}\n`);
}

// Returns what was not found.
export async function selfTest(world) {
  const missed = [];
  const seed = await world.reset();
  const run = await world.confirmed(["clean"]);
  if (run.status !== 0) return [`a plain clean ends with ${run.status}: ${run.stderr}`];
  const gone = await world.look();
  const log = await world.log();
  const path = world.runDirectories()[0];
  const copy = join(world.directory, "planted");
  const look = (now = gone) => {
    const planted = readRun(copy);
    return [...checkRows(seed, now, [planted]), ...checkClaims(seed, now, planted), ...checkSums(copy)];
  };
  const expect = (what, wanted, plant) => {
    rmSync(copy, { recursive: true, force: true });
    cpSync(path, copy, { recursive: true });
    const found = plant();
    if (wanted ? !found.some((fault) => wanted.test(fault)) : found.length)
      missed.push(`${what}: ${wanted ? "not found" : `false alarm: ${found[0]}`}`);
  };
  const planted = (change, now) => () => {
    change();
    return look(now);
  };

  expect("a whole run", null, () => look());
  expect("a deleted line of a backup", /events .* is LOST/, planted(() => forge(copy, "events", (lines) => lines.filter((_, i) => i !== 5))));
  expect("a changed value in a backup", /project .* other contents/,
    planted(() => forge(copy, "project", (lines) => lines.map((line, i) => (i === 3 ? line.replace("contoso-prod", "contoso-uat") : line)))));
  expect("a changed document in a backup", /runtime .* other contents/,
    planted(() => forge(copy, "runtime", (lines) => lines.map((line, i) => (i === 3 ? line.replace("msdyn_field2", "msdyn_field9") : line)))));
  expect("a missing seal", /is LOST/, planted(() => rmSync(join(copy, "backup", "SEALED.json"))));
  expect("a changed byte of a row file", /not what the manifest says/, planted(() => {
    const file = join(copy, "backup", "field.ndjson.zst");
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(file, bytes);
  }));
  expect("a changed journal record", /breaks the chain/, planted(() => {
    const file = join(copy, "journal.ndjson");
    writeFileSync(file, readFileSync(file, "utf8").replace('"reason":"sweep"', '"reason":"other"'));
  }));
  expect("a commit-sent that was left out", /no commit-sent is on record/,
    planted(() => forgeJournal(copy, (records) => records.filter((one) => !/commit/.test(one.step)))));
  expect("a row that the journal calls gone", /the journal says that runtime .* is gone/,
    planted(() => {}, { ...gone, runtime: new Map([[...seed.runtime][0]]) }));
  expect("an intent that was left out", /no intent is on record/,
    planted(() => forgeJournal(copy, (records) => records.filter((one) => one.step !== "purge-intent"))));
  expect("a row deleted twice", /was deleted 2 times/, () => checkDeletes([...log, ...log]));
  expect("a row of AxDB that is left", /a part of AxDB's rows/, planted(() => {}, { ...gone, events: new Map([[...seed.events][0]]) }));
  expect("an altered row", /was altered/, () =>
    checkRows(seed, { ...seed, field: new Map([...seed.field].map(([key, row], i) => [key, i ? row : { ...row, FIELDMAP: "x" }])) }, []));
  rmSync(copy, { recursive: true, force: true });

  // by hand, on the server: before any backup
  const fresh = await world.reset();
  await world.control("POST", "/sql", "DELETE FROM dbo.BUSINESSEVENTSDEFINITION WHERE RECID = (SELECT MIN(RECID) FROM dbo.BUSINESSEVENTSDEFINITION)");
  await world.control("DELETE", `/dataverse/rows?id=${[...fresh.runtime.keys()][0]}`);
  await world.control("POST", "/sql", "UPDATE dbo.DUALWRITEERRORLOG SET ERRORMESSAGE = N'x'");
  const found = checkRows(fresh, await world.look(), []);
  for (const wanted of [/^events .* is LOST/, /^runtime .* is LOST/, /neighbour errors was touched/])
    if (!found.some((fault) => wanted.test(fault))) missed.push(`a change by hand is not found: ${wanted}`);
  return missed;
}

// What an operator does after a run that was cut off, and what must hold then. Used by every sweep.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { axdbState, changes, checkClaims, checkDeletes, checkRows, checkSums, progress, readRun, steps } from "./check.mjs";

export const tail = (result) => `status ${result.signal ?? result.status}: ${result.stderr.trim().split("\n").slice(-3).join(" / ")}`;

// Everything is in order now: the rows are gone, each has a copy, none was deleted twice.
export async function checkEnd(world, seed, faults) {
  const now = await world.look();
  const runs = world.runDirectories().map(readRun);
  faults.push(...checkRows(seed, now, runs), ...checkDeletes(await world.log()));
  if (axdbState(seed, now) !== "none" || now.runtime.size) faults.push("rows are left at the end");
}

async function checkSecondResume(world, run, faults) {
  const before = changes(await world.log()), journal = readFileSync(join(run.path, "journal.ndjson"));
  const plan = steps(run, "plan").at(-1)?.facts.plan_id ?? "0".repeat(64);
  const again = await world.resume(run.id, plan);
  if (again.status !== 4) faults.push(`a second resume: ${tail(again)} instead of 4`);
  if (changes(await world.log()) !== before) faults.push("a second resume changed a target");
  if (!readFileSync(join(run.path, "journal.ndjson")).equals(journal)) faults.push("a second resume changed the journal");
}

// A new run. Of `cut`, a run that was cut off before its change and that has a plan to know it by, it says so.
async function anew(world, faults, cut) {
  const result = await world.confirmed(["clean"]);
  if (result.status !== 0) faults.push(`a new run: ${tail(result)}`);
  if (cut && !(result.stderr.includes(cut.id) && /nothing was changed/.test(result.stderr)))
    faults.push(`the new run does not say that ${cut.id} changed nothing: ${tail(result)}`);
}

// What an operator does with the run as it was left: resume where something was begun, else a new run.
export async function finishClean(world, seed, faults) {
  const path = world.runDirectories().at(-1);
  const run = path ? readRun(path) : null;
  const p = run ? progress(run) : null;
  if (!run || !p.begun) {
    await anew(world, faults);
    return;
  }
  const plan = steps(run, "plan").at(-1)?.facts.plan_id ?? "0".repeat(64);
  const resumed = await world.resume(run.id, plan);
  const after = readRun(path);
  const over = p.closed || (!p.commitSent && !p.purgeBegun) || (p.rolledBack && !p.committed);
  if (resumed.hung || resumed.signal) faults.push(`resume: ${tail(resumed)}`);
  if (over) {
    if (resumed.status !== 4) faults.push(`resume of a run with nothing to resume: ${tail(resumed)} instead of 4`);
    else if (!p.closed && !/nothing (was|to) (changed|resume)|before anything was changed/.test(resumed.stderr + resumed.stdout))
      faults.push(`the operator is not told that nothing was changed: ${tail(resumed)}`);
    const cut = !p.closed && !p.rolledBack && !steps(run, "stopped").length && existsSync(join(path, "plan.ndjson"));
    await anew(world, faults, cut ? run : null);
    return;
  }
  if (resumed.status === 3 && progress(after).rolledBack) {
    const now = await world.look();
    if (axdbState(seed, now) !== "all") faults.push("resume says rolled back, rows are gone");
    await checkSecondResume(world, after, faults);
    await anew(world, faults);
    return;
  }
  if (resumed.status !== 0) faults.push(`resume: ${tail(resumed)} instead of 0`);
  faults.push(...checkClaims(seed, await world.look(), after), ...checkSums(path));
  await checkSecondResume(world, after, faults);
}

// The run that removed the rows, undone: all are back.
export async function undoAll(world, seed, faults, first = []) {
  const runs = world.runDirectories().map(readRun).filter((run) => run.command === "clean" && progress(run).committed);
  const result = await world.confirmed(["undo", runs.at(-1)?.id ?? "last", ...first]);
  if (result.status !== 0) faults.push(`undo: ${tail(result)}`);
  const now = await world.look();
  faults.push(...checkRows(seed, now, world.runDirectories().map(readRun), { stampsMayDiffer: true }));
  if (axdbState(seed, now) !== "all" || now.runtime.size !== seed.runtime.size) faults.push("rows are missing after undo");
}

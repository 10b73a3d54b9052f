// run.mjs [--quick] BUILD_DIR [ROW...]: measures and prints the table; status 1 when a floor is not met. run.sh calls it.
import path from 'node:path';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { Bench } from './lib/bench.mjs';
import { startup } from './lib/startup.mjs';
import { trips } from './lib/trips.mjs';
import { fleet } from './lib/fleet.mjs';
import { backup } from './lib/backup.mjs';
import { clean } from './lib/clean.mjs';
import { purge } from './lib/purge.mjs';

const groups = { startup, trips, backup, clean, purge, fleet };
const args = process.argv.slice(2);
const quick = args[0] === '--quick' && Boolean(args.shift());
const [build, ...chosen] = args;
const source = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const unknown = chosen.filter((name) => !groups[name]);
if (!build || unknown.length) {
  console.error(`usage: run.mjs [--quick] BUILD_DIR [${Object.keys(groups).join('|')}...]`);
  process.exit(64);
}

const bench = new Bench({ source, build: path.resolve(build), quick });
const begun = performance.now();
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    if (stopped) return;
    stopped = true;
    bench.done().then(() => process.exit(128 + os.constants.signals[signal]));
  });
console.log(`Load of this machine before: ${os.loadavg().map((load) => load.toFixed(1)).join(' ')}, ${os.cpus().length} processors.`);
for (const name of chosen.length ? chosen : Object.keys(groups)) {
  const at = performance.now();
  process.stderr.write(`${name}\n`);
  try {
    await groups[name](bench);
  } catch (error) {
    bench.failed(name, error.stack ?? error);
  }
  process.stderr.write(`  ${name} took ${Math.round((performance.now() - at) / 1000)} s\n`);
}
await bench.done();
console.log(bench.table());
const missed = bench.rows.filter((line) => !line.met).length;
const beyond = bench.rows.filter((line) => line.met && !line.goalMet).length;
console.log(`\n${bench.rows.length} rows: ${missed} below the floor, ${beyond} with the goal still ahead; took ` +
  `${Math.round((performance.now() - begun) / 1000)} s.`);
process.exit(missed ? 1 : 0);

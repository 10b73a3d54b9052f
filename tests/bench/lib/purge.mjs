// How fast rows of Dataverse are deleted. The scaled-clock rows are tests/bench/purge.sh's, read from its table; here are the
// service without limits, and what a row costs this machine.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Sandbox } from './sandbox.mjs';
import { median } from './bench.mjs';

const WIDE = 52;
const REQUEST_MS = 100;

// clean of the Dataverse half: its delete phase by its journal, and what the process took.
async function purgeOnce(bench, sandbox, more = []) {
  const runs = path.join(bench.scratch, 'runs-purge');
  const env = { DWCLEAN_CLIENT_SECRET: sandbox.env.CLIENT_SECRET };
  const args = ['clean', '--dataverse-only', '--class', 'sandbox', '--runs-dir', runs, '--volatile-runs-dir', ...sandbox.dataverse(), ...more];
  rmSync(runs, { recursive: true, force: true });
  const id = JSON.parse((await bench.run(bench.dwclean, [...args, '--dry-run', '--format', 'json'], { env })).out).plan_id;
  const run = await bench.run(bench.dwclean, [...args, '--maps-are-stopped', '--reason', 'measurement', '--yes', '--plan-id', id], { env });
  const [name] = readdirSync(runs).filter((one) => /^\d{8}T/.test(one));
  const lines = readFileSync(path.join(runs, name, 'journal.ndjson'), 'utf8').split('\n').filter((line) => line.includes('"step":"purge-'));
  const at = (line) => Date.parse(/"utc":"([^"]*)"/.exec(line)[1]);
  return { ...run, deleteMs: at(lines.at(-1)) - at(lines[0]) };
}

async function unthrottled(bench) {
  // Far below what eight servers allow in a window, and in ten seconds or twenty: the first second goes to 52 TLS connections.
  const rows = bench.quick ? 5200 : 10400;
  const sandbox = await Sandbox.start(bench, 'large', ['--rows', String(rows), '--without-tds']);
  const rates = [];
  for (let i = 0; i < (bench.quick ? 1 : 3); i++) {
    await sandbox.fresh();
    // A server that answers more than 16 requests at once takes longer for each; with eight of them there are six or seven.
    await sandbox.control('PATCH', '/dataverse/settings', JSON.stringify({ throttling: true, servers: 8, dop_hint: WIDE,
      row_seconds: REQUEST_MS / 1000, request_seconds: 0 }));
    rates.push((1000 * rows) / (await purgeOnce(bench, sandbox)).deleteMs);
  }
  const possible = (1000 / REQUEST_MS) * WIDE;
  bench.row(`purge, no limits, ${REQUEST_MS} ms a row, ${WIDE} wide`, median(rates), { floor: 490, goal: 505, atLeast: true, unit: ' rows/s', digits: 0,
    note: `of ${possible} possible` });
  await sandbox.stop();
}

async function cost(bench) {
  const rows = bench.quick ? 20000 : 100000;
  const sandbox = await Sandbox.start(bench, 'large', ['--rows', String(rows), '--without-tds']);
  await sandbox.control('PATCH', '/dataverse/settings', JSON.stringify({ throttling: false, servers: 4, dop_hint: WIDE }));
  const run = await purgeOnce(bench, sandbox);
  bench.row(`purge of ${rows} rows: processor time of the whole run a row`, (1000 * run.cpuMs) / rows, { floor: 60, goal: 40, unit: ' us', digits: 1,
    note: `plan, backup and its reading back, both looks in it; wall ${(run.ms / 1000).toFixed(1)} s` });
  bench.row(`purge of ${rows} rows: memory`, run.rssMiB, { floor: 48, goal: 40, unit: ' MiB', digits: 1 });
  await sandbox.stop();
}

// A line of purge.sh's table for each way; the formula's too.
function scaled(bench, size, service, ways) {
  const out = execFileSync('sh', [path.join(bench.source, 'tests/bench/purge.sh'), bench.build], { encoding: 'utf8', maxBuffer: 2 ** 24,
    env: { ...process.env, BENCH_SIZES: size, BENCH_SERVICES: service, BENCH_WAYS: ways.join(' '), DWCLEAN: bench.dwclean, SANDBOX_BINARY: bench.sandboxBinary,
      PEERS: bench.tool('bench_peers') } });
  const line = (way) => new RegExp(`^${way} +([0-9.]+)`, 'm').exec(out);
  return Object.fromEntries([...ways, 'formula'].map((way) => [way, Number(line(way)?.[1] ?? NaN)]));
}

const PEERS = ['sql4cds-hint', 'singles-50', 'singles-hint'];

function limits(bench) {
  const scale = 20;
  for (const servers of bench.quick ? [] : [1, 4]) {
    const found = scaled(bench, `60000:${scale}`, `0.1:${servers}`, ['dwclean', 'dwclean-fast']);
    const note = `${found.dwclean} s, --fast ${found['dwclean-fast']} s, formula ${found.formula} s (the service's clock)`;
    bench.row(`purge of 60000 rows, S = ${servers} / the formula`, found.dwclean / found.formula, { floor: 1.35, goal: 1.1, note });
    bench.row(`purge of 60000 rows, S = ${servers}, --fast / the formula`, found['dwclean-fast'] / found.formula, { floor: 1.15, goal: 1.02, note });
  }
  const found = scaled(bench, `10000:${scale}`, '0.1:1', ['dwclean', 'dwclean-fast', ...(bench.quick ? [] : PEERS)]);
  bench.row('purge of 10000 rows, S = 1', found.dwclean, { floor: 130, unit: ' s', digits: 1, note: `the service's clock, ${scale} x; formula ${found.formula} s` });
  bench.row('purge of 10000 rows, S = 1, --fast', found['dwclean-fast'], { floor: 120, unit: ' s', digits: 1 });
  if (!bench.quick)
    for (const peer of PEERS)
      bench.row(`purge of 10000 rows, S = 1 / ${peer}`, found.dwclean / found[peer], { goal: 1, note: `${found[peer]} s` });
}

export async function purge(bench) {
  await unthrottled(bench);
  await cost(bench);
  limits(bench);
}

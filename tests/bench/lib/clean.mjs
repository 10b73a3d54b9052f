// clean and undo of the AxDB half: time a row, memory, how long the locks are held.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Sandbox } from './sandbox.mjs';
import { median } from './bench.mjs';

const OWN_HOST = 'contoso-uat.crm4.dynamics.com';

// A clean of the AxDB half that can be repeated.
export function cleaning(bench, sandbox, options = []) {
  const runs = path.join(bench.scratch, `runs-${++bench.sandboxes}`);
  const common = ['--class', 'sandbox', '--runs-dir', runs, '--volatile-runs-dir', '--expect-dataverse-host', OWN_HOST,
    '--max-lock-time', '600s', '-t', '600s', ...options];
  let id;
  const journal = (run) => readFileSync(path.join(runs, run, 'journal.ndjson'), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const change = async (command, port, scope) => {
    const run = await bench.run(bench.dwclean, [...command, ...common, ...scope, ...sandbox.axdb(port), '--maps-are-stopped', '--reason', 'measurement',
      '--yes', '--plan-id', id]);
    const name = readdirSync(runs).filter((one) => /^\d{8}T/.test(one)).sort().at(-1);
    return Object.assign(run, { name, journal: journal(name) });
  };
  const dry = async (command, port, scope) => {
    id = JSON.parse((await bench.run(bench.dwclean, [...command, ...common, ...scope, ...sandbox.axdb(port), '--dry-run', '--format', 'json'])).out).plan_id;
  };
  const CLEAN = [['clean', '--axdb-only'], ['--channels', 'all']];
  return {
    runs,
    plan: (port) => dry(CLEAN[0], port, CLEAN[1]),
    again: (port) => change(CLEAN[0], port, CLEAN[1]),
    async run(port) {
      await this.plan(port);
      return this.again(port);
    },
    async undo(port, name) {
      await dry(['undo', name], port, []);
      return change(['undo', name], port, []);
    },
  };
}

// What a plain DELETE of the same rows and one read of them take there, in ms.
async function plainly(sandbox) {
  const times = [];
  for (let i = 0; i < 3; i++) {
    await sandbox.fresh();
    const begun = performance.now();
    await sandbox.control('POST', '/sql', 'SELECT * INTO #all FROM dbo.BUSINESSEVENTSDEFINITION;');
    await sandbox.control('POST', '/sql', 'DELETE FROM dbo.BUSINESSEVENTSDEFINITION;');
    times.push(performance.now() - begun);
  }
  return median(times);
}

const lockedMs = (run) => Number(run.journal.find((line) => line.step === 'committed').facts.locked_ms);

// One size: time and memory of clean, and of the undo after it if that is wanted.
async function measure(bench, rows, { rounds, undo, beside }) {
  const sandbox = await Sandbox.start(bench, 'large', ['--rows', String(rows)]);
  const found = { clean: [], undo: [], locked: [], cleanRss: 0, undoRss: 0 };
  for (let i = 0; i < rounds; i++) {
    const clean = cleaning(bench, sandbox);
    if (i) await sandbox.fresh();
    const run = await clean.run(sandbox.tdsPort);
    found.clean.push(run.ms);
    found.locked.push(lockedMs(run));
    found.cleanRss = Math.max(found.cleanRss, run.rssMiB);
    if (undo) {
      const back = await clean.undo(sandbox.tdsPort, run.name);
      found.undo.push(back.ms);
      found.undoRss = Math.max(found.undoRss, back.rssMiB);
    }
    rmSync(clean.runs, { recursive: true, force: true });
  }
  const result = { rows, rssMiB: found.cleanRss, undoRssMiB: found.undoRss, ms: median(found.clean), lockedMs: median(found.locked),
    undoMs: undo ? median(found.undo) : 0 };
  if (beside) Object.assign(result, await beside(sandbox));
  await sandbox.stop();
  return result;
}

// The same rows by freebcp, out of the table and into it again.
async function freebcpIn(bench, sandbox) {
  const conf = path.join(bench.scratch, 'freetds-in.conf');
  const file = path.join(bench.scratch, 'rows.bcp');
  const table = 'AxDB.dbo.BUSINESSEVENTSDEFINITION';
  writeFileSync(conf, '[global]\n tds version = 7.4\n client charset = UTF-8\n encryption = off\n text size = 2147483647\n');
  const copy = (way) => bench.run('freebcp', [table, way, file, '-c', '-t', '\x1f', '-r', '\x1e', '-b', '100000', '-S', `localhost:${sandbox.tdsPort}`, '-U', 'admin',
    '-P', 'Sandbox-Passw0rd!'], { env: { FREETDSCONF: conf } });
  await sandbox.fresh();
  await copy('out');
  await sandbox.control('POST', '/sql', 'DELETE FROM dbo.BUSINESSEVENTSDEFINITION;');
  const run = await copy('in');
  const copied = Number(/(\d+) rows copied/.exec(run.out)?.[1] ?? 0);
  return { freebcpMs: run.ms, freebcpRows: copied };
}

export async function clean(bench) {
  const [small, large] = bench.quick ? [5000, 25000] : [10000, 1000000];
  const rounds = bench.quick ? 1 : 3;
  const a = await measure(bench, small, { rounds: rounds + 1, undo: false, beside: async (sandbox) => ({ plainMs: await plainly(sandbox) }) });
  const b = await measure(bench, large, { rounds: bench.quick ? 1 : 2, undo: false });
  const us = (one) => (1000 * one.ms) / one.rows;
  bench.row(`clean: time a row at ${large} rows / at ${small}`, us(b) / us(a), { floor: 1.2, goal: 1.05,
    note: `${us(a).toFixed(1)} and ${us(b).toFixed(1)} us a row, the sandbox's own time in it` });
  bench.row(`clean of ${large} rows: memory`, b.rssMiB, { floor: 40, goal: 24, unit: ' MiB', digits: 1, note: `at ${small} rows ${a.rssMiB.toFixed(1)}` });
  bench.row(`clean of ${small} rows: locks held / a plain DELETE and one read`, a.lockedMs / a.plainMs, {
    note: `${a.lockedMs} ms against ${a.plainMs.toFixed(0)} ms inside the server, where nothing crosses the network` });
  const many = bench.quick ? 10000 : 100000;
  const few = many / 10;
  const one = await measure(bench, few, { rounds: 1, undo: true });
  const ten = await measure(bench, many, { rounds: 1, undo: true, beside: (sandbox) => freebcpIn(bench, sandbox) });
  const undoUs = (result) => (1000 * result.undoMs) / result.rows;
  bench.row(`undo: time a row at ${many} rows / at ${few}`, undoUs(ten) / undoUs(one), { floor: 1.2, goal: 1.05,
    note: `${undoUs(one).toFixed(1)} and ${undoUs(ten).toFixed(1)} us a row; memory ${ten.undoRssMiB.toFixed(1)} MiB` });
  bench.row(`undo of ${many} rows`, many / ten.undoMs, { unit: 'k rows/s', digits: 1, note: ten.freebcpRows
    ? `beside freebcp -c in: ${(ten.freebcpRows / ten.freebcpMs).toFixed(1)}k rows/s, without plan, check, comparison or evidence`
    : 'freebcp -c in brought no row' });
}

// How fast rows are backed up, by a server that has them ready: beside a bare DB-Library loop, and beside freebcp.
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { Sandbox } from './sandbox.mjs';
import { Replay } from './replay.mjs';
import { median } from './bench.mjs';
import { cleaning } from './clean.mjs';

const TABLE = 'BUSINESSEVENTSDEFINITION';
const COLUMNS = ['REFTABLENAME', 'REFTABLEID', 'REFENTITYNAME', 'LEGALENTITYSPECIFIC', 'CHANNEL', 'DIRECTION', 'VALIDATE', 'ENABLED',
  'ACTION', 'ENTITYJOINSFROMTABLE', 'DATASOURCENAME', 'HANDLERCLASS', 'PROCESSORCLASS', 'ROOTTABLEID', 'REFTABLERECIDFIELD',
  'REFTABLERECVERSIONFIELD', 'CORETABLE', 'PARTITION', 'RECVERSION', 'RECID'];

// Rows that show who loses what: blanks at the end, an empty value beside none, a tab, a line break, text outside the code pages.
const ODD = [
  ["N'Ends in blanks  '", '0x', "N'plain'"],
  ["N'Tab\\tand line'", 'NULL', "N''"],
  ["N'\u017elu\u0165 \u{1F600}'", '0x00FF', "N'a'"],
];
const insertOdd = ODD.map(([name, bytes, source], i) => `INSERT INTO dbo.${TABLE} (REFTABLENAME, REFTABLEID, REFENTITYNAME, CHANNEL,
 DIRECTION, ENABLED, ENTITYJOINSFROMTABLE, DATASOURCENAME, HANDLERCLASS, RECID) VALUES (N'CustTable', 1, ${name.replace('\\t', '\t')},
 N'DualWrite', 1, 1, ${bytes}, ${source}, 4711, ${i + 1});`).join('\n');

// The rows of a backup as lists of strings: NULL is null, bytes are hex.
function backedUp(runs) {
  const run = path.join(runs, readdirSync(runs).filter((one) => /^\d{8}T/.test(one)).sort().at(-1));
  const lines = execFileSync('zstd', ['-dcq', path.join(run, 'backup/events.ndjson.zst')], { encoding: 'utf8', maxBuffer: 2 ** 30 }).split('\n');
  return lines.map((line) => line && JSON.parse(line)).filter((line) => line?.fields).map(({ fields }) => COLUMNS.map((name) => {
    const value = fields[name];
    if (value === null || typeof value === 'string') return value;
    return Buffer.from(value.b64, 'base64').toString('hex');
  }));
}

// Columns in which a peer has something else than the backup, with the number of rows; a peer's text has no NULL.
function losses(ours, theirs) {
  const lost = new Map();
  if (ours.length !== theirs.length) return [`${theirs.length} rows instead of ${ours.length}`];
  ours.forEach((row, i) => COLUMNS.forEach((name, j) => {
    const said = theirs[i][j];
    if (row[j] === null ? said === '' : said === row[j]) {
      if (row[j] === null) lost.set(`${name}: NULL is ''`, (lost.get(`${name}: NULL is ''`) ?? 0) + 1);
      return;
    }
    const what = `${name}: ${JSON.stringify(row[j])} is ${JSON.stringify(said ?? null)}`;
    lost.set(what, (lost.get(what) ?? 0) + 1);
  }));
  return [...lost].slice(0, 6).map(([what, rows]) => `${what} (${rows})`);
}

const phase = (journal, from, to) => {
  const at = (step) => Date.parse(journal.find((line) => line.step === step).utc);
  return at(to) - at(from);
};

export async function backup(bench) {
  const rows = bench.quick ? 20000 : 100000;
  const sandbox = await Sandbox.start(bench, 'large', ['--rows', String(rows)]);
  const conf = path.join(bench.scratch, 'freetds-plain.conf');
  const view = path.join(bench.scratch, 'freebcp.out');
  const freebcp = (port) => bench.run('freebcp', [`AxDB.dbo.${TABLE}`, 'out', view, '-c', '-t', '\x1f', '-r', '\x1e', '-S', `localhost:${port}`,
    '-U', 'dwclean', '-P', 'Sandbox-Passw0rd!'], { env: { FREETDSCONF: conf } });
  const dbdata = (port, ...more) => bench.run(bench.tool('bench_dbdata'), ['127.0.0.1', String(port), TABLE, COLUMNS.join(', '), ...more],
    { env: { FREETDSCONF: conf } });
  writeFileSync(conf, '[global]\n tds version = 7.4\n client charset = UTF-8\n encryption = off\n text size = 2147483647\n');
  const clean = cleaning(bench, sandbox, ['-N', 'disable']);

  // what each of them has of odd rows, and of all the others
  await sandbox.control('POST', '/sql', insertOdd);
  const said = (await dbdata(sandbox.tdsPort, 'print')).out.split('\x1e').slice(0, -1).map((line) => line.split('\x1f'));
  await freebcp(sandbox.tdsPort);
  const copied = readFileSync(view, 'utf8').split('\x1e').slice(0, -1).map((line) => line.split('\x1f').slice(0, 20));
  await clean.run(sandbox.tdsPort);
  const ours = backedUp(clean.runs);
  const byKey = (a, b) => Number(BigInt(a[19]) - BigInt(b[19]));
  const lostBy = { dbdata: losses(ours, said.sort(byKey)), freebcp: losses(ours, copied.sort(byKey)) };
  const same = (lost) => lost.every((one) => !/rows instead/.test(one)) && lost.length < 6;
  for (const [name, lost] of Object.entries(lostBy)) {
    process.stderr.write(`  ${name} lost: ${lost.join('; ') || 'nothing'}\n`);
    if (!same(lost)) throw new Error(`${name} does not read the same rows: ${lost.join('; ')}`);
  }
  await sandbox.fresh();

  // the same conversations, played again
  const recorded = {};
  for (const [name, way] of Object.entries({ dbdata, freebcp, dwclean: (port) => clean.again(port) })) {
    recorded[name] = await Replay.record(sandbox.tdsPort);
    if (name === 'dwclean') await clean.plan(recorded[name].port);
    recorded[name].forget();
    await way(recorded[name].port);
  }
  await sandbox.stop();
  const played = (name, way) => async () => {
    rmSync(clean.runs, { recursive: true, force: true });
    recorded[name].play();
    const run = await way(recorded[name].port);
    if (recorded[name].differences) throw new Error(`${name} asks something else the second time`);
    return run;
  };
  const given = await bench.inTurn({
    dwclean: played('dwclean', async (port) => phase((await clean.again(port)).journal, 'locked', 'backup-sealed')),
    dbdata: played('dbdata', async (port) => Number((await dbdata(port)).out.split(' ')[2]) / 1000),
    freebcp: played('freebcp', async (port) => (await freebcp(port)).ms),
  });
  const ms = Object.fromEntries(Object.entries(given).map(([name, times]) => [name, median(times)]));
  const rate = (name) => `${name} ${Math.round(rows / ms[name])}k rows/s`;
  bench.row(`backup of ${rows} rows / bare dbdata loop`, ms.dbdata / ms.dwclean, { floor: 0.35, goal: 0.6, atLeast: true,
    note: `${rate('dwclean')}, ${rate('dbdata')}; dbdata lost ${lostBy.dbdata.join('; ') || 'nothing'}` });
  bench.row(`backup of ${rows} rows / freebcp -c out`, ms.freebcp / ms.dwclean, { floor: 1, goal: 1.5, atLeast: true,
    note: `${rate('freebcp')} (with its sign-in); it lost ${lostBy.freebcp.join('; ') || 'nothing'}` });
  for (const replay of Object.values(recorded)) replay.close();
}

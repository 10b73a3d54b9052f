// What a command costs before and beside the network: against an empty program, bsqldb, and node with tedious.
import { writeFileSync, existsSync } from 'node:fs';
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { Sandbox } from './sandbox.mjs';
import { median } from './bench.mjs';

const TABLES = ['DUALWRITEPROJECTFIELDCONFIGURATION', 'DUALWRITEPROJECTCONFIGURATION', 'BUSINESSEVENTSDEFINITION'];
const COUNTS = TABLES.map((table) => `SELECT COUNT(*) AS n FROM dbo.${table};`).join('\n');

// Names of the libraries that a program has loaded when it ends, at its start or when it needed them.
const loaded = (file, args) => [...new Set([...spawnSync(file, args, { encoding: 'utf8', env: { ...process.env, LD_DEBUG: 'files' } })
  .stderr.matchAll(/calling init: \S*\/(\S+\.so\S*)/g)].map((found) => found[1]))].sort().join(' ');

async function version(bench) {
  const ways = { version: [bench.dwclean, ['version']], linked: [bench.tool('bench_empty'), []], loads: [bench.tool('bench_empty_loads'), []] };
  const [ours, ...theirs] = Object.values(ways).map((way) => loaded(...way));
  for (const other of theirs) if (ours !== other) throw new Error(`the empty program has other libraries: ${ours} / ${other}`);
  const given = await bench.inTurn(Object.fromEntries(Object.entries(ways).map(([name, way]) => [name, () => bench.run(...way)])),
    bench.quick ? 15 : 41);
  const ms = (name) => median(given[name].map((run) => run.ms));
  const cpuMs = (name) => median(given[name].map((run) => run.cpuMs));
  const rss = (name) => Math.max(...given[name].map((run) => run.rssMiB));
  const note = (name) => `${cpuMs('version').toFixed(1)} and ${cpuMs(name).toFixed(1)} ms; wall ${(ms('version') / ms(name)).toFixed(2)}`;
  bench.row('version: wall', ms('version'), { floor: 15, unit: ' ms', digits: 1, note: `the empty program: ${ms('linked').toFixed(1)} ms` });
  bench.row('version / empty program that links the same libraries, processor time', cpuMs('version') / cpuMs('linked'),
    { goal: 1.1, note: note('linked') });
  bench.row('version / empty program that links and loads them as dwclean does', cpuMs('version') / cpuMs('loads'), { note: note('loads') });
  bench.row('version: memory', rss('version'), { floor: 16, unit: ' MiB', digits: 1, note: `the empty program: ${rss('linked').toFixed(1)} MiB` });
}

// tedious from the lock file of the sandbox's tests; null where npm cannot install it.
function tedious(bench) {
  const from = path.join(bench.source, 'tests/sandbox/clients');
  const dir = path.join(bench.build, 'tedious');
  if (process.env.TEDIOUS_MODULES) return process.env.TEDIOUS_MODULES;
  if (existsSync(path.join(dir, 'node_modules/tedious'))) return path.join(dir, 'node_modules');
  try {
    execFileSync('sh', ['-c', `mkdir -p "${dir}" && cp "${from}"/package*.json "${from}"/.npmrc "${dir}" && cd "${dir}" && npm ci --ignore-scripts`],
      { stdio: 'ignore', timeout: 300000 });
    return path.join(dir, 'node_modules');
  } catch {
    return null;
  }
}

const PROGRAM = (modules) => `
const { Connection, Request } = require(${JSON.stringify(path.join(modules, 'tedious'))});
const connection = new Connection({ server: 'localhost', authentication: { type: 'default', options: { userName: 'dwclean', password: process.env.DWCLEAN_PASSWORD } },
  options: { port: Number(process.argv[2]), encrypt: true, database: 'AxDB' } });
connection.connect((error) => {
  if (error) throw error;
  const request = new Request(${JSON.stringify(COUNTS)}, (failed) => { if (failed) throw failed; connection.close(); });
  request.on('row', (columns) => console.log(columns[0].value));
  connection.execSqlBatch(request);
});
`;

async function verify(bench) {
  const sandbox = await Sandbox.start(bench, 'scenario-a');
  const conf = path.join(bench.scratch, 'freetds.conf');
  const sql = path.join(bench.scratch, 'counts.sql');
  writeFileSync(conf, `[global]\n tds version = 7.4\n[tls]\n host = localhost\n port = ${sandbox.tdsPort}\n encryption = require\n` +
    ` ca file = ${sandbox.env.CA}\n check certificate hostname = yes\n`);
  writeFileSync(sql, `${COUNTS}\n`);
  const modules = tedious(bench);
  const program = path.join(bench.scratch, 'counts.cjs');
  const ways = {
    dwclean: () => bench.run(bench.dwclean, ['verify', '--axdb-only', ...sandbox.axdb(), '--format', 'json'], { ok: [2] }),
    bsqldb: () => bench.run('bsqldb', ['-S', 'tls', '-U', 'dwclean', '-P', 'Sandbox-Passw0rd!', '-D', 'AxDB', '-q', '-i', sql], { env: { FREETDSCONF: conf } }),
  };
  if (modules) {
    writeFileSync(program, PROGRAM(modules));
    ways.tedious = () => bench.run(process.execPath, [program, String(sandbox.tdsPort)], { env: { NODE_EXTRA_CA_CERTS: sandbox.env.CA } });
  }
  const ours = JSON.parse((await ways.dwclean()).out).tables.slice(0, 3).map((table) => table.before).join(' ');
  for (const name of Object.keys(ways).slice(1)) {
    const theirs = (await ways[name]()).out.trim().split(/\s+/).join(' ');
    if (theirs !== ours) throw new Error(`${name} counts ${theirs}, dwclean ${ours}`);
  }
  // Two at a time: behind node and its hundreds of milliseconds nobody finds anything in the processor's caches.
  const beside = async (other) => {
    const given = await bench.inTurn({ dwclean: ways.dwclean, [other]: ways[other] }, bench.quick ? 9 : 31);
    return ['dwclean', other].map((name) => median(given[name].map((run) => run.ms)));
  };
  const say = (name, [mine, others]) => ({ note: `dwclean ${mine.toFixed(1)} ms, ${name} ${others.toFixed(1)} ms` });
  const bsqldb = await beside('bsqldb');
  bench.row('verify --axdb-only / bsqldb, three counts over TLS', bsqldb[0] / bsqldb[1], { floor: 1.5, goal: 1, ...say('bsqldb', bsqldb) });
  if (modules) {
    const node = await beside('tedious');
    bench.row('verify --axdb-only / node + tedious', node[0] / node[1], { floor: 0.15, goal: 0.15, ...say('tedious', node) });
  } else bench.skipped('verify --axdb-only / node + tedious', 'npm cannot install tedious here');
  await sandbox.stop();
}

export async function startup(bench) {
  await version(bench);
  await verify(bench);
}

// Many environments in one verify, behind a delaying proxy, against the time of a single one.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Sandbox } from './sandbox.mjs';
import { Proxy } from './proxy.mjs';
import { median } from './bench.mjs';

const JOBS = 16;

const environment = (sandbox, tds, web, i) => `[env "e${i}"]
class = sandbox
server = localhost,${tds}
database = AxDB
user = dwclean
dataverse_url = https://localhost:${web}
tenant_id = ${sandbox.env.TENANT}
client_id = ${sandbox.env.CLIENT_ID}
allow_host = localhost
cacert = ${sandbox.env.CA}
`;

export async function fleet(bench) {
  const ENVIRONMENTS = bench.quick ? 48 : 200;
  const sandbox = await Sandbox.start(bench, 'clean');
  const tds = await Proxy.open(sandbox.tdsPort, 50);
  const web = await Proxy.open(sandbox.dataversePort, 50);
  await sandbox.answerAt(web.port);
  const options = { env: { DWCLEAN_CLIENT_SECRET: sandbox.env.CLIENT_SECRET } };
  const write = (name, tdsPort, webPort) => {
    const file = path.join(bench.scratch, name);
    writeFileSync(file, Array.from({ length: ENVIRONMENTS }, (_, i) => environment(sandbox, tdsPort, webPort, i)).join(''), { mode: 0o600 });
    return file;
  };
  const far = write('far.ini', tds.port, web.port);
  const near = write('near.ini', sandbox.tdsPort, sandbox.dataversePort);
  const all = (file) => bench.run(bench.dwclean, ['verify', '--config', file, '--all', '--jobs', String(JOBS), '--format', 'json'], options);
  const given = await bench.inTurn({
    single: () => bench.run(bench.dwclean, ['verify', '--config', far, '--env', 'e0'], options),
    all: async () => {
      const run = await all(far);
      const clean = run.out.match(/"outcome": "clean"/g)?.length ?? 0;
      if (clean < ENVIRONMENTS) throw new Error(`${clean} of ${ENVIRONMENTS} environments are clean`);
      return run;
    },
  }, bench.quick ? 1 : 3);
  const rounds = Math.ceil(ENVIRONMENTS / JOBS);
  const single = median(given.single.map((run) => run.ms));
  const ms = median(given.all.map((run) => run.ms));
  bench.row(`${ENVIRONMENTS} environments, ${JOBS} at a time, 50 ms each way / ${rounds} x the single time`, ms / (rounds * single), { floor: 1.3, goal: 1,
    note: `${(ms / 1000).toFixed(1)} s; single ${(single / 1000).toFixed(2)} s; ${(median(given.all.map((run) => run.cpuMs)) / ENVIRONMENTS).toFixed(0)} ms CPU an environment` });
  web.close();
  const loop = await all(near);
  bench.row(`${ENVIRONMENTS} environments on loopback`, loop.ms / 1000, { unit: ' s', digits: 1 });
  tds.close();
  await sandbox.stop();
}

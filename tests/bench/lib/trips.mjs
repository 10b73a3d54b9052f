// Round trips, behind a proxy that delays: counted a connection, and read off the slope of the time over the delay.
import { Sandbox } from './sandbox.mjs';
import { Proxy } from './proxy.mjs';
import { median } from './bench.mjs';

const LOGIN = 5; // TCP, PRELOGIN, two of TLS 1.2, LOGIN7
const OWN_HOST = 'contoso-uat.crm4.dynamics.com';

// Milliseconds of wall time for each millisecond of a round trip.
const slope = (a, b) => (b.ms - a.ms) / (2 * (b.delay - a.delay));

async function verifyAxdb(bench, sandbox, proxy) {
  const points = [];
  let trips = 0;
  for (const delay of bench.quick ? [10, 40] : [10, 40, 150]) {
    proxy.delayMs = delay;
    const times = [];
    for (let i = 0; i < 3; i++) {
      proxy.take();
      times.push((await bench.run(bench.dwclean, ['verify', '--axdb-only', ...sandbox.axdb(proxy.port)], { ok: [2] })).ms);
      const seen = proxy.take();
      if (seen.length !== 1) throw new Error(`${seen.length} connections instead of one`);
      trips = Math.max(trips, seen[0].trips);
    }
    points.push({ delay, ms: median(times) });
  }
  const last = points[points.length - 1];
  const walls = points.map((point) => `${Math.round(point.ms)} ms`).join(', ');
  bench.row('verify --axdb-only: round trips', trips, { floor: LOGIN + 2, goal: LOGIN + 2, digits: 0,
    note: `login 5 + 2 batches; wall at ${points.map((point) => point.delay).join(', ')} ms each way: ${walls}; ` +
      `slope ${slope(points[0], last).toFixed(2)}` });
}

// The AxDB half of `clean` through the proxy: connections and what each cost.
async function cleanOnce(bench, sandbox, proxy) {
  const { delayMs } = proxy;
  await sandbox.fresh();
  const common = ['clean', '--axdb-only', '--class', 'sandbox', '--runs-dir', `${bench.scratch}/runs`, '--volatile-runs-dir',
    '--expect-dataverse-host', OWN_HOST, '--channels', 'all'];
  proxy.delayMs = 0;
  const dry = await bench.run(bench.dwclean, [...common, ...sandbox.axdb(proxy.port), '--dry-run', '--format', 'json']);
  proxy.take();
  proxy.delayMs = delayMs;
  const run = await bench.run(bench.dwclean, [...common, ...sandbox.axdb(proxy.port), '--maps-are-stopped', '--reason', 'measurement',
    '--yes', '--plan-id', JSON.parse(dry.out).plan_id], {});
  return { ms: run.ms, seen: proxy.take() };
}

async function clean(bench, proxyDelay) {
  const counts = [];
  for (const rows of bench.quick ? [1000, 5000] : [1000, 100000]) {
    const sandbox = await Sandbox.start(bench, 'large', ['--rows', String(rows)]);
    const proxy = await Proxy.open(sandbox.tdsPort, 0);
    const points = [];
    for (const delay of proxyDelay) {
      proxy.delayMs = delay;
      points.push({ delay, ...(await cleanOnce(bench, sandbox, proxy)) });
    }
    const { seen } = points[0];
    const batches = seen.reduce((sum, one) => sum + one.trips, 0) - LOGIN * seen.length;
    counts.push(batches);
    bench.row(`clean --axdb-only of ${rows} rows: batches`, batches, { floor: 11, goal: 11, digits: 0,
      note: `beside ${seen.length} logins; wall ${points.map((one) => `${Math.round(one.ms)} ms at ${one.delay}`).join(', ')}; ` +
        `slope ${slope(points[0], points[points.length - 1]).toFixed(1)}` });
    if (seen.length !== 2) bench.failed('clean --axdb-only: logins', `${seen.length} instead of 2`);
    proxy.close();
    await sandbox.stop();
  }
  bench.row('clean --axdb-only: batches do not grow with the rows', Math.max(...counts) - Math.min(...counts), { floor: 0, digits: 0 });
}

// What is asked about the organization and its rows.
const REQUIRED = /CurrentOrganization|WhoAmI|EntityDefinitions|PrivilegeByPrivilegeName|IntegrationDetails|runtimeconfigs\?\$(select|apply)/;

// The longest chain of requests of which each came after the answer to the one before.
function inARow(lines) {
  let last = 0;
  let count = 0;
  for (const line of [...lines].sort((a, b) => a.answered_us - b.answered_us)) {
    if (Number(line.arrived_us) < last) continue;
    last = Number(line.answered_us);
    count++;
  }
  return count;
}

// How many requests of the Web API follow each other, by how much a delay of each of them adds.
async function dataverse(bench, sandbox) {
  const DELAY = 200;
  const times = async (body) => {
    await sandbox.control('DELETE', '/faults');
    for (const rule of body) await sandbox.control('POST', '/faults', JSON.stringify(rule));
    const runs = [];
    for (let i = 0; i < 3; i++) {
      await sandbox.control('DELETE', '/log');
      const run = await bench.run(bench.dwclean, ['verify', '--dataverse-only', ...sandbox.dataverse(), '--format', 'ndjson'],
        { ok: [0, 2], env: { DWCLEAN_CLIENT_SECRET: sandbox.env.CLIENT_SECRET } });
      runs.push(run.ms);
    }
    return median(runs);
  };
  const rule = (match) => ({ at: 'dv.after', do: 'delay', arg: DELAY, times: 0, match });
  const none = await times([]);
  const all = await times([rule('/api/data/')]);
  const log = (await sandbox.log()).filter((line) => line.kind === 'http' && line.path.startsWith('/api/data/'));
  const start = log.findIndex((line) => line.status !== '401');
  const after = log.slice(start);
  const required = after.filter((line) => REQUIRED.test(line.path));
  bench.row('verify --dataverse-only: requests in a row for the required checks', inARow(required), { floor: 4, goal: 3, digits: 0,
    note: `after the token, each answer delayed ${DELAY} ms; ${required.length} requests; with the advisory checks ` +
      `${after.length} requests, ${inARow(after)} in a row; wall ${Math.round(none)} ms, ${Math.round(all)} ms delayed` });
  await sandbox.control('DELETE', '/faults');
}

// Both halves of verify against each of them alone.
async function overlap(bench, sandbox) {
  const tds = await Proxy.open(sandbox.tdsPort, 40);
  const web = await Proxy.open(sandbox.dataversePort, 40);
  await sandbox.answerAt(web.port);
  const options = { ok: [0, 2], env: { DWCLEAN_CLIENT_SECRET: sandbox.env.CLIENT_SECRET } };
  const way = (args) => async () => (await bench.run(bench.dwclean, ['verify', ...args], options)).ms;
  const axdb = sandbox.axdb(tds.port);
  const dataverse = sandbox.dataverse(web.port);
  const given = await bench.inTurn({ axdb: way(['--axdb-only', ...axdb]), dataverse: way(['--dataverse-only', ...dataverse]),
    both: way([...axdb, ...dataverse]) }, bench.quick ? 3 : 5);
  const slower = Math.max(median(given.axdb), median(given.dataverse));
  bench.row('verify, both halves at 40 ms each way / the slower one', median(given.both) / slower, { floor: 1.15, goal: 1.05,
    note: `AxDB ${Math.round(median(given.axdb))}, Dataverse ${Math.round(median(given.dataverse))}, both ${Math.round(median(given.both))} ms` });
  tds.close();
  web.close();
}

export async function trips(bench) {
  const sandbox = await Sandbox.start(bench, 'scenario-a');
  const proxy = await Proxy.open(sandbox.tdsPort);
  await verifyAxdb(bench, sandbox, proxy);
  proxy.close();
  await dataverse(bench, sandbox);
  await overlap(bench, sandbox);
  await sandbox.stop();
  await clean(bench, bench.quick ? [10, 40] : [10, 40, 150]);
}

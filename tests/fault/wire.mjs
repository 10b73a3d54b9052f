// What goes over the wire is cut, frozen, changed, doubled or split at every interesting place of a clean: suites of sweep.mjs.
import { setTimeout as sleep } from "node:timers/promises";
import { axdbState, checkClaims, checkRows, checkSums, progress, readRun } from "./check.mjs";
import { checkEnd, finishClean, tail, undoAll } from "./finish.mjs";
import { httpMarks, httpMessages, tdsMarks, tdsPackets } from "./frames.mjs";

const FINISH_EVERY = 3; // points that left nothing behind; all others are finished
const TIMEOUT_MS = 40000; // of a run; none may come near it
const NOTHING_CHANGED = [4, 5, 10, 11, 12, 13, 14];
const LOST = [0, 3, 6, 10, 11];             // what a connection that is lost may end with
const FALSE = [0, 2, 3, 4, 5, 6, 10, 11, 12, 14]; // ... or one that tells something else than was sent
// All runs have the fast clock of client_clock.c: 60 s are 6, so that no limit is met by a busy machine alone.
const SCALE = 10, FROZEN_SCALE = 20, LATE_SCALE = 100;

// ---- what must hold ----

// said: {status, stderr, stdout}; found: {untouched, gone, commitSent, closed}
export function checkOutcome({ status, stderr, stdout = "" }, found, allowed) {
  const faults = [];
  const say = (wrong, text) => wrong && faults.push(`${text}: ${tail({ status, stderr })}`);
  say(!allowed.includes(status), `another status than ${allowed.join(", ")}`);
  say(status === 0 && !found.gone, "status 0 with rows left");
  say(status === 0 && !found.closed, "status 0 and the journal is not closed");
  say(NOTHING_CHANGED.includes(status) && !found.untouched, `status ${status} where something was changed`);
  say((status === 3 || status === 2) && found.untouched && !found.commitSent, `status ${status} where nothing was changed`);
  say(status === 6 && !found.commitSent, "status 6 before a COMMIT was sent");
  // what a look afterwards has found stands in the report
  const reported = (status === 2 || status === 3) && /^(PARTIAL|RESIDUE) /.test(stdout);
  say(status !== 0 && !reported && !/error/i.test(stderr), "a failure that is told nowhere");
  return faults;
}

async function judge(world, seed, result, point, faults, undo, index) {
  const { allowed } = suites[point.suite];
  if (point.how === "orphan") await resumeBesideOrphan(world, faults);
  await world.calm();
  const now = await world.look();
  const runs = world.runDirectories().map(readRun);
  const run = runs.at(-1);
  const p = run ? progress(run) : { commitSent: false, closed: false };
  const found = {
    untouched: axdbState(seed, now) === "all" && now.runtime.size === seed.runtime.size,
    gone: axdbState(seed, now) === "none" && now.runtime.size === 0, ...p,
  };
  const status = result.signal ?? result.status;
  faults.push(...checkOutcome({ status, stderr: result.stderr, stdout: result.stdout.toString() }, found, allowed),
    ...checkRows(seed, now, runs), ...runs.flatMap((one) => checkClaims(seed, now, one)));
  if (status === 0) faults.push(...checkSums(run.path).map((fault) => `status 0: ${fault}`));
  if (found.untouched && !found.commitSent && index % FINISH_EVERY !== 0 && !undo) return;
  if (status !== 0) await finishClean(world, seed, faults);
  await checkEnd(world, seed, faults);
  if (undo) await undoAll(world, seed, faults);
}

// An operator is quick: the server does not know yet that the client of the first session is gone.
async function resumeBesideOrphan(world, faults) {
  const run = world.runDirectories().map(readRun).at(-1);
  if (!run || !progress(run).commitSent || progress(run).closed) return;
  const plan = run.journal.records.findLast((record) => record.step === "plan").facts.plan_id;
  const result = await world.resume(run.id, plan);
  if (![0, 3, 6, 11].includes(result.status)) faults.push(`resume beside the old session: ${tail(result)}`);
}

// ---- places ----

const marksOf = (stream) => (stream.half === "tds" ? tdsMarks(stream.bytes, stream.side === "answer") : httpMarks(stream.bytes));
const kindOf = (stream, layer = "") => `${stream.half}${stream.link}.${layer}${stream.side}`;
const around = (places, size) => places.flatMap((at) => [at - 1, at, at + 1]).filter((at) => at >= 0 && at <= size);

// Evenly, from a place that the seed decides.
function part(list, wanted, seed) {
  if (wanted >= list.length) return list;
  const step = list.length / wanted, start = (((seed * 7919) % 1000) / 1000) * step;
  return Array.from({ length: wanted }, (_, i) => list[Math.floor(start + i * step)]);
}

// mulberry32: the same numbers for the same seed everywhere.
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// All places of all streams, one number each: the n-th is byte `at` of `stream`.
function locate(streams, n) {
  for (const stream of streams) {
    if (n <= stream.bytes.length) return { stream, at: n };
    n -= stream.bytes.length + 1;
  }
  throw new Error("beyond the last byte");
}

const total = (streams) => streams.reduce((sum, stream) => sum + stream.bytes.length + 1, 0);

function unique(points) {
  return [...new Map(points.map((point) => [`${point.kind}:${point.at}:${point.how}`, point])).values()];
}

// Packet and message boundaries ±1 (all), token boundaries ±1 and ends of rows (a part), and more offsets.
function places(streams, { tokens, offsets, seed }) {
  const headers = [], finer = [];
  for (const stream of streams) {
    const marks = marksOf(stream), size = stream.bytes.length;
    headers.push(...around(marks.headers, size).map((at) => ({ stream, at })));
    finer.push(...around(marks.tokens, size).map((at) => ({ stream, at })), ...around(marks.rows, size).map((at) => ({ stream, at })));
  }
  return [...headers, ...part(finer, tokens, seed), ...offsets];
}

const stride = (streams, wanted, seed) => part(Array.from({ length: total(streams) }, (_, i) => i), wanted, seed).map((n) => locate(streams, n));

function drawn(streams, wanted, seed) {
  const next = random(seed), all = total(streams);
  return Array.from({ length: wanted }, () => locate(streams, Math.floor(next() * all)));
}

const plain = (how) => ({ stream, at }) => ({ kind: kindOf(stream), at, how });

// TDS packets and HTTP messages, which are what can come twice.
const messages = (stream) => (stream.half === "tds" ? tdsPackets(stream.bytes) : httpMessages(stream.bytes));

// ---- a point ----

// "tds0.request", "http2.raw-answer", "tds.raw-both" (every link)
function faultOf({ kind, at, how, length }) {
  const [, half, link, raw, side] = kind.match(/^(tds|http)(\d*)\.(raw-)?(request|answer|both)$/);
  const fault = { layer: raw ? "raw" : "plain", link: link === "" ? "all" : Number(link), side, how, length };
  const record = how.match(/^cut([+-]\d)$/);
  if (how === "pieces") fault.size = at;
  else if (record) Object.assign(fault, { how: "cut", record: at, delta: Number(record[1]) });
  else fault.at = at;
  return { half, fault };
}

const harm = (world, point) => world.harmed({ ...faultOf(point), timeout: TIMEOUT_MS, environment: fast(world, SCALE) });
const fast = (world, scale) => ({ LD_PRELOAD: world.programs.clock, SCENARIO_SCALE: String(scale) });

// ---- the sandbox's own rules: what only the server can do ----

const BATCH = "$batch";
const RULES = {
  "before COMMIT, cut": [{ at: "tds.commit.before", do: "cut" }],
  "COMMIT done, cut": [{ at: "tds.commit.after", do: "cut" }],
  "before COMMIT, frozen": [{ at: "tds.commit.before", do: "freeze" }],
  "COMMIT done, frozen": [{ at: "tds.commit.after", do: "freeze" }],
  "COMMIT lands late": [{ at: "tds.commit.before", do: "freeze", arg: 1500 }],
  "COMMIT done, packets of 9": [{ at: "tds.packet.out", match: "COMMIT TRANSACTION", do: "other", text: "split=9" }],
  "COMMIT done, garbage": [{ at: "tds.packet.out", match: "COMMIT TRANSACTION", do: "other", text: "garbage" }],
  "batch refused, cut": [{ at: "dv.request", match: BATCH, do: "cut" }],
  "batch done, cut": [{ at: "dv.after", match: BATCH, do: "cut" }],
  "batch done, cut thrice": [{ at: "dv.after", match: BATCH, do: "cut", times: 3 }],
  "batch done in part, cut": [{ at: "dv.part", match: "DELETE", skip: 1, do: "cut" }],
  "batch done, half an answer": [{ at: "dv.answer", match: BATCH, do: "cut", arg: 40 }],
  "batch frozen": [{ at: "dv.request", match: BATCH, do: "freeze" }],
  "batch done, frozen": [{ at: "dv.after", match: BATCH, do: "freeze" }],
  "restart before the batch": [{ at: "dv.request", match: BATCH, do: "other", text: "restart", arg: 300 }],
};

// ---- suites ----

// most of a point is waiting: more sandboxes than asked for at once (`jobs` times as many)
const lost = { wire: true, seed: "small", jobs: 2, allowed: LOST, harm, judge, layer: "plain" };
const halves = (streams, how, wanted, seed) => stride(streams, wanted, seed).map(plain(how));

export const suites = {
  "wire cut": {
    ...lost, quick: 16,
    points: (streams, { seed, every }) => unique((every
      ? Array.from({ length: total(streams) }, (_, n) => locate(streams, n))
      : places(streams, { tokens: 1500, offsets: stride(streams, 700, seed), seed })).map(plain("cut"))),
  },
  "wire cut A": {
    ...lost, seed: "scenario-a", jobs: 1, quick: 2,
    points: (streams, { seed }) => unique([
      ...part(places(streams, { tokens: 0, offsets: [], seed }), 150, seed), ...part(places(streams, { tokens: 1e6, offsets: [], seed }), 150, seed),
      ...drawn(streams, 500, seed)].map(plain("cut"))),
  },
  "wire records": {
    ...lost, layer: "raw", quick: 10,
    points: (streams) => streams.flatMap((stream) => stream.ends.flatMap((_, at) =>
      ["cut-1", "cut+0", "cut+1"].map((how) => ({ kind: kindOf(stream, "raw-"), at, how })))),
  },
  "wire ends": {
    ...lost, quick: 6,
    points: (streams, { seed }) => ["reset", "close", "orphan", "restart"].flatMap((how, i) => halves(streams, how, 60, seed + i)),
  },
  "wire freeze": {
    ...lost, quick: 2, jobs: 3,
    harm: (world, point) => world.harmed({ ...faultOf(point), timeout: TIMEOUT_MS, options: ["-l", "20s", "-t", "20s"], environment: fast(world, FROZEN_SCALE) }),
    points: (streams, { seed }) => halves(streams, "freeze", 160, seed),
  },
  "wire garbage": {
    ...lost, allowed: FALSE, quick: 10,
    points: (streams, { seed }) => [...halves(streams, "flip", 400, seed), ...halves(streams, "extra", 100, seed + 1),
      ...halves(streams, "flip", 100, seed + 2).map((point) => ({ ...point, kind: point.kind.replace(".", ".raw-") }))],
  },
  "wire twice": {
    ...lost, allowed: FALSE, quick: 4,
    points: (streams, { seed }) => part(streams.flatMap((stream) => messages(stream).map(({ at, length }) => ({ kind: kindOf(stream), at, length, how: "twice" }))), 160, seed),
  },
  "wire pieces": {
    ...lost, allowed: [0], quick: 3,
    points: () => ["tds", "http"].flatMap((half) => ["plain", "raw"].flatMap((layer) => ["request", "answer", "both"].flatMap((side) =>
      [1, 7, 1000].map((at) => ({ kind: `${half}.${layer === "raw" ? "raw-" : ""}${side}`, at, how: "pieces" }))))),
  },
  "wire server": {
    ...lost, allowed: LOST, quick: 15,
    points: () => Object.keys(RULES).map((how, i) => ({ kind: "server", at: i, how })),
    harm: (world, { how }) => world.harmed({ rules: RULES[how], timeout: TIMEOUT_MS,
      environment: fast(world, /late/.test(how) ? LATE_SCALE : /frozen/.test(how) ? FROZEN_SCALE : SCALE) }),
  },
};

for (const [name, suite] of Object.entries(suites)) suite.name = name;

// ---- self-test ----

// Returns what was not found.
export async function selfTestWire(world) {
  const missed = [];
  const fine = { untouched: false, gone: true, commitSent: true, closed: true };
  const untouched = { untouched: true, gone: false, commitSent: false, closed: false };
  const expect = (what, said, found, wanted) => {
    const faults = checkOutcome({ stderr: "error", ...said }, found, LOST);
    if (wanted ? !faults.some((fault) => wanted.test(fault)) : faults.length) missed.push(`${what}: ${wanted ? "not found" : faults[0]}`);
  };
  expect("a good end", { status: 0 }, fine, null);
  expect("a lost connection", { status: 10 }, untouched, null);
  expect("0 with rows left", { status: 0 }, { ...fine, gone: false }, /with rows left/);
  expect("0 without a close", { status: 0 }, { ...fine, closed: false }, /not closed/);
  expect("10 with rows gone", { status: 10 }, fine, /where something was changed/);
  expect("3 of nothing", { status: 3 }, untouched, /where nothing was changed/);
  expect("6 without a COMMIT", { status: 6 }, untouched, /before a COMMIT/);
  expect("an internal error", { status: 1 }, untouched, /another status/);
  expect("a crash", { status: "SIGSEGV" }, untouched, /another status/);
  expect("silence", { status: 10, stderr: "" }, untouched, /told nowhere/);
  expect("a report that says so", { status: 3, stderr: "", stdout: "PARTIAL  x" }, fine, null);

  // a fault is where it was asked for, to the byte
  const streams = await world.record("plain");
  const victim = streams.find((stream) => stream.half === "http" && stream.link === 0 && stream.side === "answer");
  for (const how of ["cut", "flip", "extra", "twice"]) {
    await world.reset();
    world.proxies.http.arm({ layer: "plain", link: 0, side: "answer", at: 100, length: 50, how });
    const sent = [];
    const proxy = world.proxies.http, { onLink } = proxy;
    proxy.onLink = (link) => {
      if (link.number !== 0) return;
      const send = link.send.bind(link);
      link.send = (side, bytes, then) => (side === "answer" && sent.push(Buffer.from(bytes)), send(side, bytes, then));
    };
    await world.dwclean(["check"]);
    proxy.onLink = onLink;
    const bytes = Buffer.concat(sent), from = bytes.subarray(0, 100);
    const right = { cut: bytes.length === 100, flip: bytes.length > 100, extra: bytes[100] === 0xa5, twice: bytes.subarray(100, 150).equals(bytes.subarray(150, 200)) };
    if (!proxy.reached || !from.subarray(0, 15).equals(victim.bytes.subarray(0, 15)) || !right[how]) missed.push(`the proxy: ${how} is not where it was asked for`);
  }
  await world.calm();
  await sleep(0);
  return missed;
}

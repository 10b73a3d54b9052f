// What the rows of the table share: running programs, taking turns, and the table itself.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, readFileSync, openSync, closeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

export class Bench {
  constructor({ source, build, quick }) {
    const at = (name) => path.join(build, name);
    Object.assign(this, { source, build, quick, rows: [], sandboxes: 0, running: new Set(), runs: 0 });
    this.rounds = quick ? 5 : 9;
    this.scratch = mkdtempSync(path.join(os.tmpdir(), 'dwclean-bench.'));
    this.dwclean = process.env.DWCLEAN || at('dwclean');
    this.sandboxBinary = process.env.SANDBOX_BINARY || at('tests/sandbox/dwclean-sandbox');
    this.measure = at('tests/bench_measure');
    this.tool = (name) => at(`tests/${name}`);
  }

  // Runs a program; `env` is added, and dwclean's secrets are always there. `ok`: the statuses that are expected.
  async run(command, args, { env = {}, ok = [0], input } = {}) {
    const name = path.join(this.scratch, `run-${++this.runs}`);
    const files = [`${name}.out`, `${name}.err`].map((file) => openSync(file, 'w'));
    const child = spawn(this.measure, [command, ...args], {
      cwd: this.scratch,
      stdio: [input ? openSync(input, 'r') : 'ignore', ...files, 'pipe'],
      env: { PATH: process.env.PATH, LC_ALL: 'C', NO_COLOR: '1', HOME: this.scratch, DWCLEAN_PASSWORD: 'Sandbox-Passw0rd!', ...env },
    });
    let report = '';
    child.stdio[3].on('data', (data) => { report += data; });
    await new Promise((resolve) => child.on('close', resolve));
    files.forEach(closeSync);
    const used = JSON.parse(report || '{"status":127}');
    const result = {
      ...used, ms: used.wall_us / 1000, cpuMs: (used.user_us + used.system_us) / 1000, rssMiB: used.rss_kb / 1024,
      get out() { return readFileSync(`${name}.out`, 'utf8'); },
      get err() { return readFileSync(`${name}.err`, 'utf8'); },
      outFile: `${name}.out`,
    };
    if (!ok.includes(used.status))
      throw new Error(`${path.basename(command)} ${args[0] ?? ''} ended with ${used.status}: ` +
        `${result.err.slice(0, 600)} ${result.out.slice(0, 600)}`);
    return result;
  }

  // Each way once a round, in turn; what each gave, as lists. The first round warms up and does not count.
  async inTurn(ways, rounds = this.rounds) {
    const given = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
    for (let round = -1; round < rounds; round++) {
      for (const [name, way] of Object.entries(ways)) {
        const one = await way();
        if (round >= 0) given[name].push(one);
      }
    }
    return given;
  }

  // A line of the table. `floor`, `goal`: at most so much (or at least, with atLeast); null = only reported.
  row(name, measured, { floor = null, goal = null, atLeast = false, unit = '', digits = 2, note = '' } = {}) {
    const holds = (limit) => limit === null || (atLeast ? measured >= limit : measured <= limit);
    const line = { name, measured, floor, goal, atLeast, unit, digits, note, met: holds(floor), goalMet: holds(goal) };
    this.rows.push(line);
    process.stderr.write(`  ${name}: ${measured.toFixed(digits)}${unit} ${note}\n`);
  }

  failed(name, why) {
    this.rows.push({ name, failed: true, met: false, goalMet: false, note: String(why).split('\n')[0].slice(0, 160) });
    process.stderr.write(`  ${name}: FAILED: ${why}\n`);
  }

  skipped(name, why) {
    this.rows.push({ name, skipped: true, met: true, goalMet: true, note: why });
  }

  table() {
    const limit = (line, value) => (value === null || value === undefined ? '-'
      : `${line.atLeast ? '>=' : '<='} ${Number(value.toFixed(3))}${line.unit}`);
    const verdict = (line) => {
      if (line.skipped) return 'not measured';
      if (!line.met) return 'NOT MET';
      if (line.floor === null && line.goal === null) return 'reported';
      return line.goalMet ? 'met' : 'met, goal not';
    };
    const cells = this.rows.map((line) => [line.name, limit(line, line.floor), limit(line, line.goal),
      line.failed ? 'failed' : line.skipped ? '-' : `${line.measured.toFixed(line.digits)}${line.unit}`, verdict(line), line.note]);
    const all = [['row', 'floor', 'goal', 'measured', 'verdict', ''], ...cells];
    const width = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((line) => line[column].length)));
    return all.map((line) => line.map((cell, i) => (i < 5 ? cell.padEnd(width[i]) : cell)).join('  ').trimEnd()).join('\n');
  }

  // Ends what runs, removes what was written.
  async done() {
    for (const sandbox of this.running) await sandbox.stop();
    rmSync(this.scratch, { recursive: true, force: true });
  }
}

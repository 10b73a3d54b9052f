// Starts dwclean-sandbox, and knows how to reach it.
import { spawn } from 'node:child_process';
import { readFileSync, existsSync, mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import path from 'node:path';

const START_MS = 600000; // ten million rows take their time

export class Sandbox {
  // Its variables (SANDBOX_TDS_PORT, ...) are in `env`.
  static async start(bench, seed, options = []) {
    const dir = path.join(bench.scratch, `sandbox-${++bench.sandboxes}`);
    const file = path.join(dir, 'env');
    mkdirSync(dir);
    const process = spawn(bench.sandboxBinary, ['--seed', seed, '--dir', dir, '--fixtures',
      path.join(bench.source, 'fixtures'), '--with-parent', ...options], { stdio: 'ignore' });
    const ended = new Promise((resolve) => process.on('exit', resolve));
    const until = performance.now() + START_MS;
    while (!existsSync(file)) {
      if (performance.now() > until || process.exitCode !== null)
        throw new Error(`the sandbox did not start: ${seed}`);
      await sleep(50);
    }
    const found = readFileSync(file, 'utf8').matchAll(/^SANDBOX_(\w+)='(.*)'$/gm);
    const sandbox = new Sandbox();
    Object.assign(sandbox, { process, ended, env: Object.fromEntries([...found].map((one) => one.slice(1))) });
    bench.running.add(sandbox);
    sandbox.forget = () => bench.running.delete(sandbox);
    return sandbox;
  }

  get tdsPort() {
    return Number(this.env.TDS_PORT);
  }

  get dataversePort() {
    return Number(new URL(this.env.DATAVERSE_URL).port);
  }

  // Options of a half; port: where it listens, if behind a proxy.
  axdb(port = this.tdsPort) {
    return ['-S', `localhost,${port}`, '-d', 'AxDB', '-U', 'dwclean', '--cacert', this.env.CA];
  }

  dataverse(port = this.dataversePort) {
    return ['--dataverse-url', `https://localhost:${port}`, '--tenant-id', this.env.TENANT, '--client-id',
      this.env.CLIENT_ID, '--allow-host', 'localhost', '--cacert', this.env.CA];
  }

  async control(method, place, body) {
    const answer = await fetch(this.env.CONTROL + place, { method, body });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${place}: ${answer.status} ${text}`);
    return text;
  }

  async log() {
    return (await this.control('GET', '/log')).split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }

  // Lets Dataverse be asked for at a proxy's port: tokens are for a URL.
  async answerAt(port) {
    await this.control('PATCH', '/dataverse/settings', JSON.stringify({ host: `localhost:${port}` }));
  }

  // Back to the seed, no rules, empty log.
  async fresh() {
    await this.control('DELETE', '/faults');
    await this.control('POST', '/reset');
    await this.control('DELETE', '/log');
  }

  async stop() {
    this.forget();
    this.process.kill('SIGTERM');
    await this.ended;
  }
}

// A TCP proxy that keeps everything for a while, each way, and counts round trips. The time of a TCP handshake is added
// to the first bytes of the client, since the one with the proxy takes none.
import net from 'node:net';

// Bytes that come at one time leave together, in order.
function later(delay, deliver) {
  const queue = [];
  let timer = null;
  const due = () => {
    timer = null;
    while (queue.length && queue[0].at <= performance.now() + 0.2) deliver(queue.shift().item);
    if (queue.length) timer = setTimeout(due, Math.max(0, queue[0].at - performance.now()));
  };
  return (item, extra = 0) => {
    const last = queue.length ? queue[queue.length - 1].at : 0;
    queue.push({ at: Math.max(last, performance.now() + delay() + extra), item });
    if (!timer) timer = setTimeout(due, delay() + extra);
  };
}

export class Proxy {
  // target: a port of this machine. delayMs: each way.
  static async open(target, delayMs = 0) {
    const proxy = new Proxy();
    Object.assign(proxy, { target, delayMs, connections: [], sockets: new Set() });
    proxy.server = net.createServer((client) => proxy.accept(client));
    await new Promise((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    proxy.port = proxy.server.address().port;
    return proxy;
  }

  // Answers that a connection waited for: bytes up, then bytes down, are one; the handshake of TCP is one more.
  accept(client) {
    const server = net.connect({ port: this.target, host: '127.0.0.1', noDelay: true });
    const seen = { trips: 1, up: 0, down: 0 };
    const delay = () => this.delayMs;
    let upward = false;
    let first = true;
    client.setNoDelay(true);
    this.connections.push(seen);
    const send = (to) => later(delay, (data) => (data === null ? to.end() : to.write(data)));
    const up = send(server);
    const down = send(client);
    client.on('data', (data) => {
      up(data, first ? 2 * this.delayMs : 0);
      first = false;
      upward = true;
      seen.up += data.length;
    });
    server.on('data', (data) => {
      if (upward) seen.trips++;
      upward = false;
      seen.down += data.length;
      down(data);
    });
    client.on('end', () => up(null));
    server.on('end', () => down(null));
    for (const [one, other] of [[client, server], [server, client]]) {
      this.sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => this.sockets.delete(one));
    }
  }

  // What the connections since the last call were.
  take() {
    return this.connections.splice(0);
  }

  close() {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

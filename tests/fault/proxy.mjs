// A proxy of one half of the sandbox that does harm at an exact place of one connection: in what stands below TLS
// (layer "plain": it is the end of TLS for both sides, with the sandbox's own certificate) or on the socket ("raw").
//
// A fault: {layer, link: the n-th connection since arm(), 0 = the first, or "all"; side: "request" (to the server) or "answer", how, and
//   at: after so many bytes of that side; or, raw, record and delta: that many bytes after the end of the n-th record}
// how: cut (both ends closed, no close_notify), reset (RST to the client), close (close_notify first), freeze (nothing passes
//   any more, nothing is closed), orphan (the client's end is closed, the server's stays for ORPHAN_MS), restart (all connections of
//   both halves are cut, nobody listens for RESTART_MS), flip (the next byte has another bit), extra (one byte more),
//   twice (the next `length` bytes are sent twice), pieces (link "all": every write is cut into `size` bytes)
import net from "node:net";
import tls from "node:tls";
import { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { RecordEnds, Units } from "./frames.mjs";

export const ORPHAN_MS = 700;
const RESTART_MS = 300, HANDSHAKE = 0x12, PACKET_MAX = 4096, HEADER = 8, APPLICATION_DATA = 0x17;

// TLS records as TDS carries them: inside packets until the handshake is over. The first packet of the peer is not TLS.
class TdsTransport extends Duplex {
  #in = new Units();
  #out = new Units();
  #first;
  #over = false;

  constructor(socket, onFirst) {
    super({ allowHalfOpen: true });
    this.socket = socket;
    this.#first = onFirst;
    socket.on("data", (bytes) => this.#in.push(bytes).forEach((unit) => this.#take(unit)));
    socket.on("end", () => this.push(null));
    socket.on("close", () => this.destroy());
  }

  #take(unit) {
    if (this.#first) {
      const first = this.#first;
      this.#first = null;
      first(unit);
    } else {
      this.#over ||= unit[0] === APPLICATION_DATA;
      this.push(Units.isRecord(unit) ? unit : unit.subarray(HEADER));
    }
  }

  _read() {}

  _write(chunk, encoding, done) {
    const records = this.#out.push(chunk);
    if (!records.length) return done();
    this.#over ||= records[0][0] === APPLICATION_DATA;
    const bytes = Buffer.concat(records);
    this.socket.write(this.#over ? bytes : this.#wrap(bytes), () => done());
  }

  #wrap(bytes) {
    const packets = [];
    for (let at = 0; at < bytes.length; at += PACKET_MAX - HEADER) {
      const part = bytes.subarray(at, at + PACKET_MAX - HEADER), header = Buffer.alloc(HEADER);
      header[0] = HANDSHAKE;
      header[1] = at + part.length === bytes.length ? 1 : 0;
      header.writeUInt16BE(part.length + HEADER, 2);
      packets.push(header, part);
    }
    return Buffer.concat(packets);
  }

  _final(done) {
    this.socket.end();
    done();
  }

  _destroy(why, done) {
    this.socket.destroy();
    done(null);
  }
}

// One direction of a link: what comes in, and what of it goes out.
class Gate {
  count = 0;
  stopped = false;
  #units = new Units();
  #ends = new RecordEnds();
  #copy = null;

  constructor(link, side, fault) {
    this.link = link;
    this.side = side;
    this.fault = fault;
    this.recorded = [];
  }

  async pass(bytes) {
    if (this.stopped) return;
    const { proxy } = this.link;
    if (proxy.recording) this.recorded.push(bytes);
    if (this.fault?.how === "pieces") return this.pieces(bytes);
    if (this.fault?.record === undefined && !proxy.recordEnds) return this.emit(bytes);
    for (const unit of this.#units.push(bytes)) {
      this.#ends.add(unit);
      this.emit(unit);
    }
    this.ends = this.#ends.ends;
  }

  pieces(bytes) {
    this.link.proxy.reached = true;
    for (let at = 0; at < bytes.length; at += this.fault.size) this.link.send(this.side, bytes.subarray(at, at + this.fault.size));
  }

  place() {
    if (!this.fault) return undefined;
    if (this.fault.record === undefined) return this.fault.at;
    const end = this.#ends.ends[this.fault.record];
    return end === undefined ? undefined : end + this.fault.delta;
  }

  emit(bytes) {
    if (this.stopped) return;
    const begin = this.count, place = this.place();
    this.count += bytes.length;
    if (this.#copy) this.copy(bytes);
    else if (place === undefined || place > this.count || this.link.done) this.link.send(this.side, bytes);
    else this.act(bytes.subarray(0, Math.max(place - begin, 0)), bytes.subarray(Math.max(place - begin, 0)));
  }

  act(before, after) {
    const { how } = this.fault;
    if (!after.length && ["flip", "extra", "twice"].includes(how)) return this.link.send(this.side, before); // with the next byte
    this.link.done = this.link.proxy.reached = true;
    if (how === "flip") {
      const changed = Buffer.from(after);
      changed[0] ^= 1 << (this.fault.at % 7);
      this.link.send(this.side, Buffer.concat([before, changed]));
    } else if (how === "extra") this.link.send(this.side, Buffer.concat([before, Buffer.from([0xa5]), after]));
    else if (how === "twice") {
      this.link.send(this.side, before);
      this.#copy = { parts: [], left: this.fault.length };
      this.copy(after);
    } else this.link.finish(this.side, before, how);
  }

  copy(bytes) {
    const part = bytes.subarray(0, this.#copy.left);
    this.#copy.parts.push(part);
    this.#copy.left -= part.length;
    this.link.send(this.side, part);
    if (this.#copy.left) return;
    this.link.send(this.side, Buffer.concat(this.#copy.parts));
    this.#copy = null;
    if (part.length < bytes.length) this.link.send(this.side, bytes.subarray(part.length));
  }
}

// One connection. `ends`: what is written to on either side, the sockets themselves or TLS over them.
class Link {
  done = false;

  constructor(proxy, client, number) {
    this.proxy = proxy;
    this.number = number;
    this.sockets = { client, server: net.connect({ port: proxy.target, host: "127.0.0.1", noDelay: true, allowHalfOpen: true }) };
    const fault = proxy.fault && (proxy.fault.link === number || proxy.fault.link === "all") ? proxy.fault : null;
    const of = (side) => (fault && (fault.side === side || fault.side === "both") ? fault : null);
    this.gates = { request: new Gate(this, "request", of("request")), answer: new Gate(this, "answer", of("answer")) };
    this.ends = { ...this.sockets };
    for (const socket of Object.values(this.sockets)) socket.on("error", () => {}).on("close", () => this.closed());
    if (fault ? fault.layer === "plain" : proxy.recording === "plain") proxy.half === "tds" ? this.openTds() : this.openTls(client, this.sockets.server);
    else this.join();
  }

  join() {
    const { client, server } = this.ends;
    client.on("data", (bytes) => this.gates.request.pass(bytes)).on("end", () => this.passEnd(server)).on("error", () => this.closed());
    server.on("data", (bytes) => this.gates.answer.pass(bytes)).on("end", () => this.passEnd(client)).on("error", () => this.closed());
  }

  openTls(client, server) {
    this.ends = {
      client: new tls.TLSSocket(client, { isServer: true, secureContext: this.proxy.context }),
      server: tls.connect({ socket: server, rejectUnauthorized: false, maxVersion: this.proxy.half === "tds" ? "TLSv1.2" : "TLSv1.3" }),
    };
    this.join();
  }

  openTds() {
    const { client, server } = this.sockets;
    const before = { client: new TdsTransport(client, (unit) => this.gates.request.pass(unit)), server: null };
    before.server = new TdsTransport(server, (unit) => {
      this.gates.answer.pass(unit);
      if (!this.gates.answer.stopped) this.openTls(before.client, before.server);
    });
  }

  send(side, bytes, then) {
    const end = side === "request" ? this.ends.server : this.ends.client;
    if (bytes.length && end.writable) end.write(bytes, () => then?.());
    else then?.();
  }

  passEnd(end) {
    if (!this.gates.request.stopped) end.end();
  }

  // The last bytes of a side, then what the fault is.
  finish(side, bytes, how) {
    this.gates.request.stopped = this.gates.answer.stopped = true;
    this.how = how;
    this.send(side, bytes, () => {
      const { client, server } = this.sockets;
      if (how === "freeze") return;
      if (how === "reset") client.resetAndDestroy();
      else if (how === "close") this.ends.client.end(() => client.destroySoon());
      else client.destroy();
      if (how === "orphan") setTimeout(() => server.destroy(), ORPHAN_MS).unref();
      else server.destroy();
      if (how === "restart") this.proxy.onRestart();
    });
  }

  // One end is gone: what is on its way to the other still arrives.
  closed() {
    if (this.how === "orphan" || this.how === "close") return;
    for (const socket of Object.values(this.sockets)) this.how ? socket.destroy() : socket.destroySoon();
  }

  destroy() {
    this.gates.request.stopped = this.gates.answer.stopped = true;
    for (const socket of Object.values(this.sockets)) socket.destroy();
  }
}

export class Proxy {
  reached = false;
  links = [];
  #open = new Set();
  onRestart = () => {};
  onLink = () => {};

  constructor(half) {
    this.half = half;
  }

  listen(port = 0) {
    this.listener = net.createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
      const link = new Link(this, client, this.links.length);
      this.links.push(link);
      this.#open.add(link);
      client.on("close", () => link.sockets.server.destroyed && this.#open.delete(link));
      link.sockets.server.on("close", () => client.destroyed && this.#open.delete(link));
      this.onLink(link);
    });
    return new Promise((resolve, reject) => this.listener.on("error", reject).listen(port, "127.0.0.1", () => {
      this.port = this.listener.address().port;
      resolve(this.port);
    }));
  }

  // What the proxy stands before, and the certificate that clients accept there.
  setTarget(port, certificate, key) {
    this.target = port;
    this.context = tls.createSecureContext({ cert: certificate, key, maxVersion: this.half === "tds" ? "TLSv1.2" : "TLSv1.3" });
  }

  // The connections from here on are counted from 0. `recording`: "plain", "raw" or null.
  arm(fault, recording = null) {
    this.links = [];
    this.fault = fault;
    this.recording = recording;
    this.recordEnds = recording === "raw";
    this.reached = false;
  }

  cutAll() {
    for (const link of this.#open) link.destroy();
  }

  async restart() {
    await new Promise((resolve) => {
      this.listener.close(resolve);
      this.cutAll();
    });
    await sleep(RESTART_MS);
    await this.listen(this.port);
  }

  stop() {
    this.cutAll();
    this.listener.close();
  }
}

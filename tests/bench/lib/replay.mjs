// A TDS server that has every answer ready: what a real conversation was is recorded once, then played again, as fast as the
// client takes it. In clear text, since TLS cannot be played again.
import net from 'node:net';

const ANY = [0x12, 0x10, 0x06]; // PRELOGIN, LOGIN7, attention: they name a process, a thread, a run

// Splits a stream into messages: packets up to the one with the last status bit.
class Messages {
  constructor(take) {
    this.take = take;
    this.waiting = Buffer.alloc(0);
    this.packets = [];
  }

  add(data) {
    this.waiting = this.waiting.length ? Buffer.concat([this.waiting, data]) : data;
    while (this.waiting.length >= 8) {
      const size = this.waiting.readUInt16BE(2);
      if (size < 8) throw new Error('not a TDS packet');
      if (this.waiting.length < size) return;
      const packet = this.waiting.subarray(0, size);
      this.waiting = this.waiting.subarray(size);
      this.packets.push(packet);
      if (packet[1] & 1) this.take(Buffer.concat(this.packets.splice(0)));
    }
  }
}

// Records by standing in front of a server, or plays: a list of connections, each a list of { asked, answer }.
export class Replay {
  static async record(target) {
    const replay = await Replay.open();
    replay.accept = (client) => {
      const server = net.connect(target, '127.0.0.1');
      const talk = [];
      replay.talks.push(talk);
      const asked = new Messages((message) => talk.push({ asked: message, parts: [] }));
      client.on('data', (data) => { asked.add(data); server.write(data); });
      server.on('data', (data) => { talk[talk.length - 1].parts.push(data); client.write(data); });
      client.on('close', () => server.destroy());
      server.on('close', () => client.destroy());
      server.on('error', () => client.destroy());
      client.on('error', () => server.destroy());
    };
    return replay;
  }

  static async open() {
    const replay = new Replay();
    replay.talks = [];
    replay.differences = 0;
    replay.server = net.createServer((client) => { client.setNoDelay(true); replay.accept(client); });
    await new Promise((resolve) => replay.server.listen(0, '127.0.0.1', resolve));
    replay.port = replay.server.address().port;
    return replay;
  }

  // From now on, what was recorded; the next connection is the first one again.
  play() {
    this.ready ??= this.talks.map((talk) => talk.map(({ asked, parts }) => ({ asked, answer: Buffer.concat(parts) })));
    let next = 0;
    this.accept = (client) => {
      const talk = this.ready[next++] ?? [];
      let at = 0;
      const asked = new Messages((message) => {
        const turn = talk[at++];
        const same = turn && (ANY.includes(message[0]) ? message[0] === turn.asked[0] : message.equals(turn.asked));
        if (!same) {
          this.differences++;
          client.destroy();
        } else client.write(turn.answer);
      });
      client.on('data', (data) => asked.add(data));
      client.on('error', () => {});
    };
  }

  // What was recorded until now is not wanted.
  forget() {
    this.talks.length = 0;
  }

  close() {
    this.server.close();
  }
}

// Where things begin and end in recorded streams: TDS packets and tokens, HTTP lines and messages, TLS records.
// [MS-TDS] 2.2; RFC 9112; RFC 5246 6.2.

const TDS_HEADER = 8, TLS_HEADER = 5;

// ---- units of a stream on the socket ----

// Cuts a stream of sockets' bytes into whole TDS packets (before and while TLS is agreed on) and TLS records.
export class Units {
  #rest = Buffer.alloc(0);

  // The units that are whole now.
  push(bytes) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const whole = [];
    for (let size = Units.size(this.#rest); size && size <= this.#rest.length; size = Units.size(this.#rest)) {
      whole.push(this.#rest.subarray(0, size));
      this.#rest = this.#rest.subarray(size);
    }
    return whole;
  }

  static isRecord(unit) {
    return unit[0] >= 0x14 && unit[0] <= 0x17;
  }

  // 0: not known yet.
  static size(bytes) {
    if (!bytes.length) return 0;
    if (Units.isRecord(bytes)) return bytes.length < TLS_HEADER ? 0 : TLS_HEADER + bytes.readUInt16BE(3);
    return bytes.length < TDS_HEADER ? 0 : Math.max(bytes.readUInt16BE(2), TDS_HEADER);
  }
}

// Ends of TLS records, and of the TDS packets that wrap the handshake, counted from the first byte on the socket.
export class RecordEnds {
  ends = [];
  #inside = new Units();
  #at = 0;

  // A unit of Units, in order. The ends that lie in it are appended.
  add(unit) {
    if (!Units.isRecord(unit) && (unit[TDS_HEADER] ?? 0) >= 0x14 && unit[TDS_HEADER] <= 0x17) {
      this.ends.push(this.#at + TDS_HEADER);
      let at = this.#at + TDS_HEADER;
      for (const record of this.#inside.push(unit.subarray(TDS_HEADER))) {
        at += record.length;
        if (at < this.#at + unit.length) this.ends.push(at);
      }
    }
    this.#at += unit.length;
    this.ends.push(this.#at);
  }
}

// ---- TDS, without TLS ----

export function tdsPackets(stream) {
  const packets = [];
  for (let at = 0; at + TDS_HEADER <= stream.length;) {
    const length = Math.max(stream.readUInt16BE(at + 2), TDS_HEADER);
    packets.push({ at, length, last: (stream[at + 1] & 1) === 1, type: stream[at] });
    at += length;
  }
  return packets;
}

class Reader {
  at = 0;
  constructor(bytes) {
    this.bytes = bytes;
  }
  skip(count) {
    this.at += count;
    if (this.at > this.bytes.length) throw new Error("cut short");
  }
  number(size) {
    this.skip(size);
    return this.bytes.readUIntLE(this.at - size, size);
  }
}

const FIXED = { 0x1f: 0, 0x30: 1, 0x32: 1, 0x34: 2, 0x38: 4, 0x3a: 4, 0x3b: 4, 0x3c: 8, 0x3d: 8, 0x3e: 8, 0x7a: 4, 0x7f: 8 };
const SIZE_AND_VALUE = [0x24, 0x26, 0x68, 0x6d, 0x6e, 0x6f];
const DECIMAL = [0x6a, 0x6c], SCALED = [0x29, 0x2a, 0x2b], DATE = 0x28;
const BINARY = [0xa5, 0xad], TEXT = [0xa7, 0xaf, 0xe7, 0xef];

// What reads a value of the type that begins here.
function valueReader(reader) {
  const type = reader.number(1);
  const short = (from) => from.skip(from.number(1));
  if (type in FIXED) return (from) => from.skip(FIXED[type]);
  if (type === DATE) return short;
  if (SIZE_AND_VALUE.includes(type) || SCALED.includes(type)) return reader.skip(1), short;
  if (DECIMAL.includes(type)) return reader.skip(3), short;
  if (!BINARY.includes(type) && !TEXT.includes(type)) throw new Error(`type ${type}`);
  const max = reader.number(2);
  if (TEXT.includes(type)) reader.skip(5);
  if (max === 0xffff) return plp;
  return (from) => {
    const length = from.number(2);
    if (length !== 0xffff) from.skip(length);
  };
}

function plp(from) {
  const low = from.number(4), high = from.number(4);
  if (low === 0xffffffff && high === 0xffffffff) return;
  for (let size = from.number(4); size; size = from.number(4)) from.skip(size);
}

function columns(reader) {
  const count = reader.number(2);
  if (count === 0xffff) return [];
  return Array.from({ length: count }, () => {
    reader.skip(6);
    const value = valueReader(reader);
    reader.skip(2 * reader.number(1));
    return value;
  });
}

// Begins of the tokens of one answer (without packet headers); `known` false where one was not understood.
export function tokens(answer) {
  const reader = new Reader(answer), found = [];
  let row = [];
  try {
    while (reader.at < answer.length) {
      const at = reader.at, token = reader.number(1);
      found.push({ at, token });
      if (token === 0x81) row = columns(reader);
      else if (token === 0xd1) for (const value of row) value(reader);
      else if (token === 0xd2) {
        const nulls = reader.at;
        reader.skip((row.length + 7) >> 3);
        row.forEach((value, i) => (answer[nulls + (i >> 3)] >> (i & 7)) & 1 || value(reader));
      } else if (token === 0x79) reader.skip(4);
      else if (token >= 0xfd) reader.skip(12);
      else if ([0xe3, 0xab, 0xaa, 0xad, 0xa9].includes(token)) reader.skip(reader.number(2));
      else throw new Error(`token ${token}`);
    }
  } catch {
    return { found, known: false };
  }
  return { found, known: true };
}

// {headers: begins of packets, tokens: begins of tokens but rows, rows, unknown: answers that were not understood}
export function tdsMarks(stream, answers) {
  const marks = { headers: [], tokens: [], rows: [], unknown: 0 };
  let parts = [], places = [];
  for (const packet of tdsPackets(stream)) {
    marks.headers.push(packet.at, packet.at + TDS_HEADER);
    if (!answers || packet.type !== 0x04 || marks.headers.length === 2) continue; // the first answer is a prelogin
    places.push({ from: parts.reduce((sum, part) => sum + part.length, 0), at: packet.at + TDS_HEADER });
    parts.push(stream.subarray(packet.at + TDS_HEADER, packet.at + packet.length));
    if (!packet.last) continue;
    const { found, known } = tokens(Buffer.concat(parts));
    if (!known) marks.unknown++;
    for (const { at, token } of found) {
      const place = places.findLast((one) => one.from <= at);
      (token === 0xd1 || token === 0xd2 ? marks.rows : marks.tokens).push(place.at + at - place.from);
    }
    parts = [];
    places = [];
  }
  marks.headers.push(stream.length);
  return marks;
}

// ---- HTTP/1.1, without TLS ----

// {at, length, head: bytes up to the body}
export function httpMessages(stream) {
  const messages = [];
  for (let at = 0; at < stream.length;) {
    const blank = stream.indexOf("\r\n\r\n", at);
    if (blank < 0) break;
    const head = stream.subarray(at, blank + 2).toString("latin1");
    let end = blank + 4;
    const length = head.match(/\r\ncontent-length: *(\d+)/i);
    if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      for (let size = -1; size !== 0;) {
        const line = stream.indexOf("\r\n", end);
        if (line < 0) return messages;
        size = parseInt(stream.subarray(end, line).toString("latin1"), 16);
        end = line + 2 + size + 2;
      }
    } else if (length) end += Number(length[1]);
    messages.push({ at, length: end - at, head: blank + 4 - at, first: head.split("\r\n")[0] });
    at = end;
  }
  return messages;
}

// {headers: begins and ends of messages and bodies, tokens: ends of lines, rows: ends of JSON objects}
export function httpMarks(stream) {
  const marks = { headers: [], tokens: [], rows: [], unknown: 0 };
  for (const message of httpMessages(stream)) marks.headers.push(message.at, message.at + message.head);
  marks.headers.push(stream.length);
  for (let at = 0; at < stream.length; at++) {
    if (stream[at] === 10) marks.tokens.push(at + 1);
    if (stream[at] === 0x7d) marks.rows.push(at + 1);
  }
  return marks;
}

// node check_metrics.mjs FILE [SERIES]: is FILE of Prometheus' text format 0.0.4, as promtool would have it? Strict: each metric
// has HELP and TYPE before its samples, which stand together; no series twice; label values escaped; a newline at
// the end. With SERIES ('name{label="value",...}') prints its value, nothing when it is absent.
import { readFileSync } from 'node:fs';

const [, , file, wanted] = process.argv;
const bytes = readFileSync(file);
const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
const fail = (number, why) => {
    console.error(`${file}:${number}: ${why}`);
    process.exit(1);
};

if (!text.endsWith('\n')) fail(0, 'no newline at the end');
const help = new Map(), type = new Map(), closed = new Set(), series = new Map();
let current = '';
text.slice(0, -1).split('\n').forEach((line, index) => {
    const number = index + 1;
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
    if (comment) {
        const [, kind, name, rest] = comment;
        const of = kind === 'HELP' ? help : type;
        if (of.has(name)) fail(number, `${kind} of ${name} twice`);
        if (kind === 'TYPE' && !['gauge', 'counter'].includes(rest)) fail(number, `type ${rest}`);
        of.set(name, rest);
        if (name !== current) closed.add(current);
        if (closed.has(name)) fail(number, `${name} stands in two places`);
        current = name;
        return;
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)\{(.*)\} (-?[0-9]+(?:\.[0-9]+)?)$/.exec(line);
    if (!sample) fail(number, `not a sample: ${line}`);
    const [, name, labels, value] = sample;
    if (name !== current || !help.has(name) || !type.has(name)) fail(number, `${name} without HELP and TYPE before it`);
    const names = new Set();
    let rest = labels;
    while (rest) {
        const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/.exec(rest);
        if (!label) fail(number, `labels: ${rest}`);
        if (names.has(label[1])) fail(number, `label ${label[1]} twice`);
        names.add(label[1]);
        rest = rest.slice(label[0].length);
    }
    const key = `${name}{${labels}}`;
    if (series.has(key)) fail(number, `${key} twice`);
    series.set(key, value);
});
if (wanted && series.has(wanted)) process.stdout.write(series.get(wanted));

// compare_statements.mjs SHOWN LOG: does the sandbox's log hold exactly the batches and requests that
// `show --statements --format json` printed, in that order? Prints how many of each were compared.
//
// Names that stand for what is only known at run time match one value each time. Statements with a condition may be
// missing, no other, and none may come twice. Requests of one phase to Dataverse may come in another order: some are sent side by side. Of a $batch the
// operations are compared one by one, since how many go in one request is decided while they are sent.
import { readFileSync } from "node:fs";

const [shownPath, logPath] = process.argv.slice(2);
const shown = JSON.parse(readFileSync(shownPath, "utf8")).statements;
const log = readFileSync(logPath, "utf8").trim().split("\n").map((line) => JSON.parse(line));

const fail = (text) => {
    console.error(text);
    process.exit(1);
};
const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const pattern = (text, names) => {
    let source = escape(text);
    for (const [name, values] of Object.entries(names))
        source = source.replaceAll(escape(name), values);
    return new RegExp(`^${source}$`);
};

// ---- AxDB: one after the other
const sqlNames = { "$(lock_timeout_ms)": "\\d+" };
const batches = log.filter((entry) => entry.kind === "batch");
const sql = shown.filter((statement) => statement.to === "AxDB");
let next = 0;
let compared = 0;
for (const statement of sql) {
    if (next < batches.length && pattern(statement.text, sqlNames).test(batches[next].sql)) {
        next++;
        compared++;
    } else if (!statement.only_when) {
        fail(`statement ${statement.number} (${statement.purpose}) was not the next batch:\n` +
            `shown:    ${statement.text}\nreceived: ${next < batches.length ? batches[next].sql : "nothing"}`);
    }
}
if (next < batches.length)
    fail(`a batch was received that was not shown:\n${batches[next].sql}`);

// ---- Dataverse: phase by phase
const httpNames = {
    ENTITY_SET: "[a-z_]+", KEY_COLUMN: "[a-z_]+", USER_ID: "[0-9a-f-]{36}", READ_PRIVILEGE: "[A-Za-z_]+",
    DELETE_PRIVILEGE: "[A-Za-z_]+", CREATE_PRIVILEGE: "[A-Za-z_]+", BOUNDARY: "[0-9a-f-]{36}",
};
const lines = (text) => text.split("\n\n")[0].split("\n");
const header = (statement, name) => {
    const line = lines(statement.text).find((one) => one.startsWith(`${name}: `));
    return line === undefined ? "" : line.slice(name.length + 2);
};
const asRequest = (statement) => {
    const [method, url] = lines(statement.text)[0].split(" ");
    const path = url.replace(/^https:\/\/[A-Z]+/, "");
    return { ...statement, method, path: pattern(path, httpNames), raw: path };
};
const takes = (request, entry) =>
    entry.method === request.method && request.path.test(entry.path) && entry.prefer === header(request, "Prefer") &&
    entry.if_match === header(request, "If-Match") &&
    pattern(header(request, "Content-Type"), httpNames).test(entry.content_type);
// An operation of a batch: "DELETE /path HTTP/1.1" with its If-Match.
const operations = (statement) =>
    [...statement.text.matchAll(/^(DELETE) (\S+) HTTP\/1\.1\r\n[\s\S]*?If-Match: (.*)\r\n/gm)].map((match) => ({
        method: match[1], path: pattern(match[2], httpNames), etag: match[3],
    }));

const http = log.filter((entry) => ["http", "http-part", "token"].includes(entry.kind));
const phases = [];
for (const statement of shown.filter((one) => one.to === "Dataverse")) {
    if (phases.length === 0 || phases.at(-1).name !== statement.phase)
        phases.push({ name: statement.phase, statements: [] });
    phases.at(-1).statements.push(statement);
}
let at = 0;
let requests = 0;
let deletes = 0;
for (const phase of phases) {
    const token = phase.statements.filter((one) => one.text.startsWith("POST https://AUTHORITY"));
    const batch = phase.statements.filter((one) => lines(one.text)[0].endsWith("/$batch"));
    const wanted = phase.statements.filter((one) => !token.includes(one)).map(asRequest);
    const wantedDeletes = batch.flatMap(operations);
    let open = wanted.filter((one) => !one.raw.endsWith("/$batch"));
    let seenBatch = false;
    for (; at < http.length; at++) {
        const entry = http[at];
        if (entry.kind === "token") {
            if (token.length === 0)
                break;
            continue;
        }
        if (entry.kind === "http-part" && batch.length === 0)
            break;
        if (entry.kind === "http-part") {
            const index = wantedDeletes.findIndex((one) => one.method === entry.method &&
                one.path.test(entry.path) && one.etag === entry.if_match);
            if (index < 0)
                fail(`an operation was received that was not shown: ${JSON.stringify(entry)}`);
            wantedDeletes.splice(index, 1);
            deletes++;
            continue;
        }
        if (batch.length > 0 && takes(asRequest(batch[0]), entry)) {
            seenBatch = true;
            requests++;
            continue;
        }
        const index = open.findIndex((one) => takes(one, entry));
        if (index < 0)
            break;
        open.splice(index, 1);
        requests++;
    }
    open = open.filter((one) => !one.only_when);
    if (open.length > 0)
        fail(`phase "${phase.name}": not received: ${open[0].text}\nnext: ${JSON.stringify(http[at])}`);
    if (wantedDeletes.length > 0)
        fail(`phase "${phase.name}": ${wantedDeletes.length} rows were shown and not deleted`);
    if (batch.length > 0 && !seenBatch)
        fail(`phase "${phase.name}": no $batch request was received`);
}
if (at < http.length)
    fail(`a request was received that was not shown: ${JSON.stringify(http[at])}`);
console.log(`${compared} batches, ${requests} requests, ${deletes} deletes: as shown`);

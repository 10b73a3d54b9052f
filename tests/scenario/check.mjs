// What must hold after a run, judged from outside: the server's own log, its rows before and after, the run directory
// as its files are, the report, and the client's requests in time. Nothing here knows how dwclean works.
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

export const sha256 = (data) => createHash("sha256").update(data).digest("hex");

// ---- the run directory

// Records of a journal whose chain holds; anything else is a fault.
export function readJournal(text, faults) {
    const lines = text.split("\n");
    const records = [];
    let previous = "0".repeat(64);
    if (lines.pop() !== "") faults.push("journal: the last line has no end");
    lines.forEach((line, i) => {
        let record = null;
        try {
            record = JSON.parse(line);
        } catch {
            faults.push(`journal: line ${i + 1} is not JSON`);
            return;
        }
        if (record.seq !== String(i + 1)) faults.push(`journal: line ${i + 1} counts ${record.seq}`);
        if (record.previous !== previous) faults.push(`journal: the chain breaks at line ${i + 1}`);
        previous = sha256(line);
        records.push(record);
    });
    return records;
}

function readTable(file, faults) {
    const rows = [];
    const text = execFileSync("zstd", ["-dcq", file], { maxBuffer: 1 << 30 }).toString("utf8");
    const lines = text.trimEnd().split("\n");
    if (JSON.parse(lines[0]).format !== "dwclean-backup-table") faults.push(`${file}: not a table of a backup`);
    for (const line of lines.slice(1)) {
        const row = JSON.parse(line);
        const value = row.fields.document;
        const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : Buffer.from(value.b64, "base64");
        rows.push({ key: row.key, version: row.version, sha256: sha256(bytes), document: bytes.toString("utf8") });
    }
    return rows;
}

// Every copy in a sealed backup, as key -> copies. A backup without a seal counts for nothing.
export function readBackups(run, faults) {
    const copies = new Map();
    for (const name of readdirSync(run).filter((n) => /^backup(-\d+)?$/.test(n))) {
        const dir = join(run, name);
        if (!existsSync(join(dir, "SEALED.json"))) continue;
        const manifest = readFileSync(join(dir, "manifest.json"));
        if (JSON.parse(readFileSync(join(dir, "SEALED.json"))).manifest_sha256 !== sha256(manifest))
            faults.push(`${name}: the seal is of another manifest`);
        for (const table of JSON.parse(manifest).tables) {
            const file = join(dir, table.file);
            if (table.sha256 !== sha256(readFileSync(file))) faults.push(`${name}: ${table.file} is not what was sealed`);
            if (table.table !== "runtime") continue;
            const rows = readTable(file, faults);
            if (String(rows.length) !== table.rows) faults.push(`${name}: ${rows.length} rows where ${table.rows} are told`);
            for (const row of rows) copies.set(row.key, [...(copies.get(row.key) ?? []), row]);
        }
    }
    return copies;
}

// ---- the journal: one final outcome a row

function outcomesOf(record) {
    const facts = record.facts;
    if ("key" in facts && "state" in facts) return [[facts.key, facts.state]];
    return Object.entries(facts).map(([key, value]) => [key, value.split(" ")[0]]);
}

// key -> {intents: [version], outcomes: [state], last}
export function rowsOfJournal(records, faults) {
    const rows = new Map();
    const row = (key) => {
        if (!rows.has(key)) rows.set(key, { intents: [], outcomes: [], open: false });
        return rows.get(key);
    };
    const final = (state) => state === "done" || state === "gone";
    for (const record of records) {
        if (record.step === "resumed") for (const one of rows.values()) one.open = false;
        if (record.step === "purge-intent")
            for (const [key, version] of Object.entries(record.facts)) {
                const one = row(key);
                if (one.open) faults.push(`journal: two intents for ${key} without an outcome between`);
                if (one.outcomes.some(final)) faults.push(`journal: an intent for ${key}, which had left`);
                one.intents.push(version);
                one.open = true;
            }
        if (record.step === "purge-outcome")
            for (const [key, state] of outcomesOf(record)) {
                const one = row(key);
                // a changed row that is found to be gone when it is looked at needs no further intent
                const looked = state === "gone" && one.outcomes.at(-1) === "changed";
                if (!one.open && !looked) faults.push(`journal: an outcome "${state}" for ${key} without an intent`);
                if (one.outcomes.some(final)) faults.push(`journal: a second outcome "${state}" for ${key}, which had left`);
                one.outcomes.push(state);
                one.open = false;
            }
    }
    for (const one of rows.values()) one.last = one.outcomes.at(-1) ?? "";
    return rows;
}

// ---- rows: gone with a copy, or there and untouched

// The traces of one row: what the server did to it, in order.
function tracesById(traces) {
    const byId = new Map();
    for (const trace of traces) byId.set(trace.id, [...(byId.get(trace.id) ?? []), trace]);
    return byId;
}

function checkGone(id, traces, journal, copies, faults) {
    const last = traces.at(-1);
    if (last?.what !== "deleted" && last?.what !== "gone") {
        faults.push(`row ${id}: not there any more, and the server does not know why`);
        return;
    }
    const copy = (copies.get(id) ?? []).find((c) => c.version === last.etag);
    if (last.what === "gone") {
        if (!copies.has(id)) faults.push(`row ${id}: somebody removed it, and it has no copy`);
        return;
    }
    if (traces.filter((t) => t.what === "deleted").length !== 1) faults.push(`row ${id}: deleted twice`);
    if (!copy) faults.push(`row ${id}: deleted in version ${last.etag}, which is in no sealed backup`);
    else if (copy.sha256 !== last.sha256) faults.push(`row ${id}: its copy has other bytes than the server deleted`);
    const row = journal.get(id);
    if (!row || row.intents.at(-1) !== last.etag) faults.push(`row ${id}: deleted without an intent for that version`);
    else if (row.last === "failed" || row.last === "changed") faults.push(`row ${id}: deleted, and the journal says "${row.last}"`);
}

function checkThere(id, now, seed, traces, world, faults) {
    const { journal, report, lies } = world;
    const then = traces.filter((t) => t.what === "changed").at(-1) ?? seed;
    const row = journal.get(id);
    if (traces.some((t) => t.what === "deleted")) faults.push(`row ${id}: deleted, and there`);
    if (now.etag !== then.etag || now.sha256 !== then.sha256) faults.push(`row ${id}: left, but not as it was`);
    if (!lies && (row?.last === "done" || row?.last === "gone"))
        faults.push(`row ${id}: the journal says "${row.last}", and it is there`);
    if (["failed", "changed", "unknown"].includes(row?.last) && report.not_removed_more === "0" &&
        !report.not_removed.some((r) => r.key === id))
        faults.push(`row ${id}: left with "${row.last}", and the report does not name it`);
}

function checkNumbers(world, faults) {
    const { seed, final, report, journal } = world;
    const table = report.tables?.find((t) => t.table === "runtime");
    if (!table) {
        faults.push("the report has no table of runtime configurations");
        return;
    }
    const count = (state) => [...journal.values()].filter((r) => r.last === state).length;
    const equal = (what, told, is) => {
        if (told !== String(is)) faults.push(`the report tells ${told} rows ${what}, there are ${is}`);
    };
    equal("planned", table.planned, seed.size);
    if (journal.size === 0) return;
    equal("deleted", table.deleted, count("done"));
    equal("already gone", table.already_gone, count("gone"));
    if (table.after === null && world.unseen) return; // nobody could look
    if (table.after === null) faults.push("the report does not tell how many rows are left");
    else equal("left", table.after, final.size);
    equal("written after the plan", table.written_after_plan, [...final.keys()].filter((id) => !seed.has(id)).length);
    equal("back again or left", table.back_again, [...final.keys()].filter((id) => seed.has(id)).length);
}

// world: {seed, final: Map id -> {etag, sha256}, traces: what the server did to rows, journal: of rowsOfJournal, copies: of
// readBackups, report; lies: the server said that rows went which did not; unseen: it could not be asked at the end}
export function checkRows(world, faults) {
    const byId = tracesById(world.traces);
    for (const [id, seed] of world.seed) {
        const traces = byId.get(id) ?? [];
        const now = world.final.get(id);
        if (now) checkThere(id, now, seed, traces, world, faults);
        else checkGone(id, traces, world.journal, world.copies, faults);
    }
    for (const [id, now] of world.final) {
        const traces = byId.get(id) ?? [];
        if (world.seed.has(id)) continue;
        if (traces.at(-1)?.what !== "inserted" || traces.at(-1).sha256 !== now.sha256)
            faults.push(`row ${id}: new, and not as somebody wrote it`);
        if (world.report.written_after_plan_more === "0" && !world.report.written_after_plan?.some((r) => r.key === id))
            faults.push(`row ${id}: written after the plan, and the report does not name it`);
    }
    for (const trace of world.traces)
        if (trace.what === "deleted" && !world.seed.has(trace.id)) faults.push(`row ${trace.id}: deleted, and in no plan`);
    checkNumbers(world, faults);
}

// ---- time: nothing is begun while the service wants silence

// Lines of the client's record: request begun, or its answer handed over by libcurl.
export function readRecord(text) {
    const open = new Map();
    const requests = [];
    for (const line of text.split("\n").filter(Boolean)) {
        const [what, us, pid, handle, service, status, id] = line.split(" ");
        const key = `${pid} ${handle}`;
        if (what === "begin") {
            const request = { begun: Number(us), ended: null, service, status: 0, id: "" };
            open.set(key, request);
            requests.push(request);
        } else if (open.has(key)) {
            Object.assign(open.get(key), { ended: Number(us), status: Number(status), id: id.split(",")[0] });
            open.delete(key);
        }
    }
    return requests;
}

// Seconds that an answer asks for. Without a header: at least the first step of the back-off.
function secondsAsked(text, answeredUtcMs) {
    if (text === "") return 1;
    if (/^\d+$/.test(text)) return Number(text);
    return Math.max(0, Math.floor((Date.parse(text) - answeredUtcMs) / 1000) - 1);
}

/**
 * Every 429, of a request or of a part, opens a pause on the client's clock from the moment it has the answer. Begun in
 * it: a violation. An arrival that the service counts as "while blocked" was in flight when it was begun while the
 * client knew of no pause.
 */
export function checkPauses(log, requests, { scale, utcOfUs }, faults) {
    const byId = new Map(requests.map((r) => [r.id, r]));
    const bySession = new Map(log.filter((l) => l.kind === "http").map((l) => [l.session, l]));
    const figures = { throttled: 0, blocked: 0, inFlight: 0 };
    const pauses = [];
    for (const line of log.filter((l) => (l.kind === "http" || l.kind === "http-part") && l.status === "429")) {
        const whole = line.kind === "http" ? line : bySession.get(line.session);
        const request = whole && byId.get(whole.request_id);
        figures.throttled++;
        if (!request) continue; // cut on its way: the client never had it
        const seconds = secondsAsked(line.retry_after, utcOfUs(Number(whole.answered_us)));
        pauses.push({ from: request.ended, to: request.ended + (seconds * 1e6) / scale, id: request.id });
    }
    for (const request of requests.filter((r) => r.service === "dataverse")) {
        const pause = pauses.find((p) => request.begun > p.from && request.begun < p.to);
        if (pause)
            faults.push(`a request was begun ${((request.begun - pause.from) / 1000).toFixed(1)} ms after the 429 ${pause.id}, ` +
                `${((pause.to - request.begun) / 1000).toFixed(1)} ms too early`);
    }
    for (const line of log.filter((l) => l.kind === "http" && l.blocked === "yes")) {
        const request = byId.get(line.request_id);
        const known = request && pauses.some((p) => request.begun > p.from && request.begun < p.to);
        figures.blocked++;
        if (!known) figures.inFlight++;
    }
    return figures;
}

// ---- every delete carries a version

export function checkDeletes(log, faults) {
    for (const line of log)
        if ((line.kind === "http" || line.kind === "http-part") && line.method === "DELETE" && !line.if_match.startsWith("W/"))
            faults.push(`a DELETE without a version: ${line.path}`);
}

// The checker must be able to fail: what a real run has left is spoilt in one way at a time, and each must be seen.
import { checkDeletes, checkPauses, checkRows, readJournal, rowsOfJournal, sha256 } from "./check.mjs";

// The lines of a journal, spoilt by `change(records)`, with a chain that holds again.
function rechained(text, change) {
    const records = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    let previous = "0".repeat(64);
    return change(records).map((record, i) => {
        const line = JSON.stringify({ ...record, seq: String(i + 1), previous });
        previous = sha256(line);
        return `${line}\n`;
    }).join("");
}

// Facts of one row: of an outcome that holds several, or of one of its own.
function outcome(records, state) {
    for (const record of records.filter((r) => r.step === "purge-outcome"))
        for (const [key, value] of Object.entries(record.facts))
            if (value.startsWith(`${state} `)) return { record, key };
    throw new Error(`no row is ${state}`);
}

const first = (map, wanted) => [...map.keys()].find(wanted);
const replace = (map, key, value) => new Map([...map, [key, value]]);
const without = (map, key) => new Map([...map].filter(([k]) => k !== key));
const deletedRow = (w) => w.traces.find((t) => t.what === "deleted");
const count = (w, name, by) => {
    const report = structuredClone(w.report);
    const table = report.tables.find((t) => t.table === "runtime");
    table[name] = String(Number(table[name]) + by);
    return { ...w, report };
};

// What is spoilt, what must be said of it, and how.
const mutations = [
    ["a row is lost: the server does not know where", /does not know why/, (w) => ({ ...w, traces: w.traces.filter((t) => t !== deletedRow(w)) })],
    ["a row that stayed is lost", /does not know why/, (w) => ({ ...w, final: without(w.final, first(w.final, () => true)) })],
    ["a deleted row has no copy", /in no sealed backup/, (w) => ({ ...w, copies: without(w.copies, deletedRow(w).id) })],
    ["the copy of a stamped row is the old version only", /in no sealed backup/, (w) => {
        const id = first(w.copies, (key) => w.copies.get(key).length > 1);
        return { ...w, copies: replace(w.copies, id, w.copies.get(id).slice(0, 1)) };
    }],
    ["a copy has other bytes", /other bytes/, (w) => {
        const id = deletedRow(w).id;
        return { ...w, copies: replace(w.copies, id, w.copies.get(id).map((c) => ({ ...c, sha256: sha256("other") }))) };
    }],
    ["a row was deleted twice", /deleted twice/, (w) => ({ ...w, traces: [...w.traces, deletedRow(w)] })],
    ["a row that stayed has other contents", /not as it was/, (w) => {
        const id = first(w.final, () => true);
        return { ...w, final: replace(w.final, id, { ...w.final.get(id), sha256: sha256("other") }) };
    }],
    ["a row that stayed has another version", /not as it was/, (w) => {
        const id = first(w.final, () => true);
        return { ...w, final: replace(w.final, id, { ...w.final.get(id), etag: 'W/"1"' }) };
    }],
    ["a row that went is still there", /deleted, and there/, (w) => ({ ...w, final: replace(w.final, deletedRow(w).id, w.seed.get(deletedRow(w).id)) })],
    ["a row of no plan was deleted", /in no plan/, (w) => ({ ...w, traces: [...w.traces, { ...deletedRow(w), id: "00000000-0000-4000-8000-000000000000" }] })],
    ["the report does not name a row that stayed", /does not name it/, (w) => ({ ...w, report: { ...w.report, not_removed: w.report.not_removed.slice(1) } })],
    ["the report tells one deleted row too many", /rows deleted/, (w) => count(w, "deleted", 1)],
    ["the report tells one row too few that is left", /rows left/, (w) => count(w, "after", -1)],
    ["the report has another plan", /rows planned/, (w) => count(w, "planned", 1)],

    ["a byte of the journal is another", /chain breaks|is not JSON/, (w) => ({ ...w, text: w.text.replace('"step":"plan"', '"step":"plam"') })],
    ["a record of the journal is missing", /counts|chain breaks/, (w) => ({ ...w, text: w.text.split("\n").filter((_, i) => i !== 6).join("\n") })],
    ["the journal has an outcome twice", /second outcome "done"/, (w) => ({
        ...w, text: rechained(w.text, (records) => {
            const { record, key } = outcome(records, "done");
            return [...records, { ...record, facts: { [key]: record.facts[key] } }];
        }),
    })],
    ["the journal has no intent", /without an intent/, (w) => ({ ...w, text: rechained(w.text, (records) => records.filter((r) => r.step !== "purge-intent")) })],
    ["the intent is for another version", /without an intent for that version/, (w) => ({
        ...w, text: rechained(w.text, (records) => {
            const { key } = outcome(records, "done");
            return records.map((r) => (r.step === "purge-intent" && key in r.facts ? { ...r, facts: { ...r.facts, [key]: 'W/"1"' } } : r));
        }),
    })],
    ["the intent comes after the outcome", /without an intent/, (w) => ({
        ...w, text: rechained(w.text, (records) => {
            const at = records.findIndex((r) => r.step === "purge-intent");
            return [...records.slice(0, at), ...records.slice(at + 1), records[at]];
        }),
    })],
    ["a row of the journal is sent again after it had left", /which had left/, (w) => ({
        ...w, text: rechained(w.text, (records) => {
            const { key } = outcome(records, "done");
            return [...records, { utc: "", step: "purge-intent", facts: { [key]: 'W/"1"' } }];
        }),
    })],
    ["the journal says that a row went which stayed", /and it is there/, (w) => ({
        ...w, text: rechained(w.text, (records) => records.map((r) => (r.facts.state === "failed" ? { ...r, facts: { ...r.facts, state: "done" } } : r))),
    })],

    ["a delete has no version", /without a version/, (w) => {
        const line = w.log.find((l) => l.kind === "http-part");
        return { ...w, log: w.log.map((l) => (l === line ? { ...l, if_match: "" } : l)) };
    }],
    ["a request was begun in a pause", /too early/, (w) => {
        const line = w.log.find((l) => l.kind === "http" && l.status === "429");
        const ended = w.requests.find((r) => r.id === line.request_id).ended;
        return { ...w, requests: [...w.requests, { begun: ended + 1000, ended: ended + 2000, service: "dataverse", status: 200, id: "x" }] };
    }],
];

function judge(world) {
    const faults = [];
    const journal = rowsOfJournal(readJournal(world.text, faults), faults);
    checkRows({ ...world, journal }, faults);
    checkDeletes(world.log, faults);
    checkPauses(world.log, world.requests, { scale: world.scale, utcOfUs: () => 0 }, faults);
    return faults;
}

/** `world` is of a real run with rows that went, that were stamped, and that were refused. True: every mutation is seen. */
export function checkTheChecker(world) {
    const sound = judge(world);
    let passed = 0;
    if (sound.length) console.log("the run itself is not sound:", sound);
    for (const [what, wanted, mutate] of mutations) {
        const faults = judge(mutate(world));
        const seen = faults.some((fault) => wanted.test(fault));
        console.log(`${seen ? "seen    " : "NOT SEEN"} ${what}: ${faults.length} violations${seen ? "" : ` ${faults.slice(0, 3).join("; ")}`}`);
        if (seen) passed++;
    }
    console.log(`\n${passed} passed, ${mutations.length - passed} failed`);
    return sound.length === 0 && passed === mutations.length;
}

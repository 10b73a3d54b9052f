// The faults of Dataverse, one case each: what happens, and what dwclean must say to it.
//
// faults     rules for the sandbox (tests/sandbox/README.md), set after the dry run
// settings   of the sandbox, for the run
// before     called between dry run and run; meanwhile: called while the run goes on
// options    of dwclean, beside the usual ones
// scale      how many times as fast the clocks run; the runner's without it
// status, word   of the run; left: how many rows of the seed stay (number, or a range [least, most])
// resume     status of `resume` once the fault is over (null: the run had come to its end, or changed nothing)
// leftAfter  rows of the seed that stay even then; clean: a fresh clean removes them and ends with 0
// undo       the rows come back
// lies       the service says that a row went, and it did not
// perRow     at most so many requests a row: it goes on in batches
// says       a text that the report must hold; memoryMb: the client may use so much
const batch = { match: "$batch" };
const error = (at, arg, text, more) => ({ at, do: "error", arg, text, ...more });
const other = (at, text, more) => ({ at, do: "other", text, ...more });
const cut = (at, more) => ({ at, do: "cut", ...more });

const DONE = { status: 0, word: "done", left: 0, resume: null };
// The purge stopped, or left rows: the rest goes when the fault is over.
const PARTIAL = { status: 3, word: "partial", left: [0, Infinity], resume: 0 };
// Nothing changed.
const REFUSED = (status, word, more) => ({ status, word, left: "all", resume: null, ...more });

export const cases = [
    { name: "no fault", ...DONE, undo: true },

    // throttling
    { name: "429 once", ...DONE, faults: [error("dv.request", 429, "0x80072321 retry-after=8", { ...batch, skip: 2, times: 1 })] },
    {
        name: "429 volleys, Retry-After grows", ...DONE, scale: 50,
        faults: [3, 6, 12, 24].map((s) => error("dv.request", 429, `0x80072322 retry-after=${s}`, { ...batch, skip: 2, times: 4 })),
    },
    { name: "429 storm, one after the other", ...DONE, faults: [error("dv.request", 429, "0x80072322 retry-after=1", { ...batch, skip: 2, times: 25 })] },
    { name: "429 without a header", ...DONE, faults: [error("dv.request", 429, "0x80072322 retry-after=none", { ...batch, skip: 2, times: 6 })] },
    { name: "429 with a date", ...DONE, faults: [error("dv.request", 429, "0x80072321 retry-after=date+10", { ...batch, skip: 2, times: 3 })] },
    { name: "429 of 52 at once", ...DONE, faults: [error("dv.request", 429, "0x80072326 retry-after=10", { ...batch, skip: 2, times: 3 })] },
    {
        name: "429 inside parts", ...DONE,
        faults: [
            error("dv.part", 429, "0x80072322 retry-after=5", { skip: 23, times: 7 }),
            error("dv.part", 429, "0x80072322 retry-after=none", { skip: 51, times: 9 }),
        ],
    },
    { name: "429 while it is read", ...DONE, faults: [error("dv.request", 429, "0x80072322 retry-after=4", { match: "GET", skip: 3, times: 3 })] },
    {
        name: "429 longer than --max-wait", ...PARTIAL, unseen: true, options: ["--max-wait", "1m"], left: [1, Infinity], says: "--max-wait",
        faults: [error("dv.request", 429, "0x80072321 retry-after=90", { ...batch, skip: 3, times: 0 })],
    },
    { name: "limits of the service", ...DONE, scale: 100, throttled: true },
    { name: "limits of the service, --fast", ...DONE, scale: 100, throttled: true, options: ["--fast"] },
    { name: "no x-ms-dop-hint", ...DONE, settings: { dop_hint: 0 } },

    // answers lost, cut, garbled
    { name: "reset before a batch", ...DONE, faults: [cut("dv.request", { ...batch, skip: 2, times: 3 })] },
    { name: "reset of all first batches", ...DONE, perRow: 0.3, faults: [cut("dv.request", { ...batch, times: 4 })] },
    { name: "reset during a batch", ...DONE, faults: [cut("dv.part", { skip: 23, times: 1 }), cut("dv.part", { skip: 31, times: 1 })] },
    { name: "reset after a batch", ...DONE, faults: [cut("dv.after", { ...batch, skip: 2, times: 3 })], undo: true },
    { name: "answer cut short", ...DONE, faults: [cut("dv.answer", { ...batch, skip: 2, times: 3, arg: 700 })] },
    { name: "HTML 503", ...DONE, faults: [error("dv.request", 503, "html", { ...batch, skip: 2, times: 5 })] },
    { name: "503 with Retry-After", ...DONE, faults: [error("dv.request", 503, "0x8005F103 retry-after=6", { ...batch, skip: 2, times: 3 })] },
    { name: "HTML 200 instead of a batch", ...PARTIAL, left: [1, Infinity], faults: [error("dv.request", 200, "html", { ...batch, skip: 3, times: 1 })] },
    { name: "slow drip", ...DONE, faults: [other("dv.answer", "drip", { ...batch, times: 2, arg: 1 })] },
    { name: "drip without end", ...DONE, scale: 50, faults: [other("dv.answer", "drip", { ...batch, skip: 4, times: 1, arg: 1900 })] },
    { name: "freeze", ...DONE, scale: 50, faults: [{ at: "dv.request", do: "freeze", arg: 0, ...batch, skip: 3, times: 1 }] },
    { name: "freeze after the work", ...DONE, scale: 50, faults: [{ at: "dv.after", do: "freeze", arg: 0, ...batch, skip: 3, times: 1 }] },
    { name: "truncated gzip of a batch", ...DONE, faults: [other("dv.answer", "truncated-gzip", { ...batch, skip: 2, times: 2 })] },
    { name: "parts missing", ...DONE, faults: [other("dv.part", "missing", { skip: 23, times: 4 })] },
    { name: "server restarts", ...DONE, perRow: 0.3, faults: [other("dv.request", "restart", { ...batch, skip: 3, times: 1, arg: 300 })] },
    { name: "server stays away", ...PARTIAL, left: [1, Infinity], scale: 50, comesBack: true, faults: [other("dv.request", "restart", { ...batch, skip: 3, times: 1, arg: 3500 })] },
    { name: "batches refused on the way", ...DONE, faults: [error("dv.request", 501, "html", { ...batch, times: 0 })] },
    { name: "body too large for a gateway", ...DONE, settings: { body_cap: 2000 } },
    {
        name: "absurd body of a list", ...REFUSED(14, "failed"), says: "larger than 256 MB", memoryMb: 640, scale: 5,
        faults: [other("dv.answer", "bomb", { match: "GET /api/data/v9.2/msdyn_dualwriteruntimeconfigs?", times: 0, arg: 270 })],
    },
    {
        // what it was the answer to may have been carried out: asked again, its rows are gone
        name: "absurd body of a batch", ...DONE, memoryMb: 640, scale: 5,
        faults: [other("dv.answer", "bomb", { ...batch, skip: 3, times: 1, arg: 270 })],
    },

    // lists
    ...["repeat-nextlink", "foreign-nextlink", "no-value", "html", "truncated-json", "short"].map((text) => ({
        name: `list: ${text}`, ...REFUSED(14, "failed"), faults: [other("dv.list", text, { match: "msdyn_dualwriteruntimeconfigs", times: 0 })],
    })),
    {
        name: "truncated gzip of a list", ...REFUSED([10, 14], "failed|no-access"),
        faults: [other("dv.answer", "truncated-gzip", { match: "GET /api/data/v9.2/msdyn_dualwriteruntimeconfigs?", times: 0 })],
    },

    // rows that others change
    { name: "changed between plan and run", ...REFUSED(5, "stale"), before: (s) => s.change(s.id(0), { msdyn_name: "other" }) },
    { name: "stamped between plan and run", ...REFUSED(5, "stale"), before: (s) => s.change(s.id(1), {}) },
    { name: "added between plan and run", ...REFUSED(5, "stale"), before: (s) => s.insert() },
    { name: "gone between plan and run", ...REFUSED(5, "stale"), before: (s) => s.remove(s.id(2)) },
    {
        name: "added between two pages", ...REFUSED(5, "stale"), settings: { page_cap: 400 }, inserted: true,
        faults: [other("dv.write", "insert", { match: "skiptoken", times: 1 })],
    },
    {
        name: "changed before its delete", ...PARTIAL, left: 3, resume: 3, leftAfter: 3, clean: true,
        faults: [other("dv.delete", "changed-name", { skip: 23, times: 3 })],
    },
    { name: "stamped before its delete", ...DONE, faults: [other("dv.delete", "changed", { skip: 23, times: 5 })], undo: true },
    {
        name: "stamped at each try", ...PARTIAL, left: 1, faults: (s) => [other("dv.delete", "changed", { match: s.id(40), times: 0 })],
        resume: 0,
    },
    { name: "gone before its delete", ...DONE, faults: [other("dv.delete", "gone", { skip: 23, times: 5 })] },
    { name: "a map writes new rows", ...PARTIAL, left: 0, resume: 3, clean: true, faults: [other("dv.write", "insert", { match: "DELETE", skip: 23, times: 2 })] },

    // tokens and rights
    { name: "token refused once", ...DONE, faults: [error("dv.request", 401, "0x80048306", { ...batch, skip: 3, times: 1 })] },
    {
        name: "tokens expire in a pause", ...DONE, meanwhile: "expire",
        faults: [error("dv.request", 429, "0x80072321 retry-after=20", { ...batch, skip: 3, times: 1 })],
    },
    { name: "401 for ever", ...PARTIAL, left: [1, Infinity], faults: [error("dv.request", 401, "0x80048306", { ...batch, skip: 3, times: 0 })] },
    { name: "privilege lost", ...PARTIAL, left: [1, Infinity], says: "privilege", faults: [error("dv.part", 403, "0x80040220", { skip: 23, times: 0 })] },

    // errors of single rows
    { name: "500 with an empty code", ...PARTIAL, left: 3, faults: [error("dv.part", 500, "-", { skip: 23, times: 3 })] },
    { name: "400 with an empty code", ...PARTIAL, left: [1, Infinity], faults: [error("dv.part", 400, "-", { skip: 23, times: 1 })] },
    { name: "500 with 1205", ...DONE, faults: [error("dv.part", 500, "0x80044150 Generic SQL error. Sql Number: 1205", { skip: 23, times: 5 })] },
    { name: "500 without 1205", ...PARTIAL, left: 3, faults: [error("dv.part", 500, "0x80044150 Generic SQL error.", { skip: 23, times: 3 })] },
    { name: "SQL timeout", ...DONE, faults: [error("dv.part", 500, "0x80044151 SQL timeout expired.", { skip: 23, times: 5 })] },
    { name: "0x80048105 with 400", ...DONE, faults: [error("dv.part", 400, "0x80048105", { skip: 23, times: 5 })] },
    { name: "0x80048105 with 500", ...DONE, faults: [error("dv.part", 500, "0x80048105", { skip: 23, times: 5 })] },
    {
        name: "SecureConfig abort", ...PARTIAL, left: 3, says: "SecureConfig",
        faults: [error("dv.part", 400, "0x80040265 SecureConfig Organization (a) does not match actual CRM Organization (b)", { skip: 23, times: 3 })],
    },
    { name: "blocked by an association", ...PARTIAL, left: 2, faults: [error("dv.part", 405, "0x80040227", { skip: 23, times: 2 })] },
    {
        name: "404 row-gone, and it is there", status: 2, word: "residue", left: 2, resume: 2, leftAfter: 2, clean: true, lies: true,
        faults: [error("dv.part", 404, "0x80040217", { skip: 23, times: 2 })],
    },
    { name: "404 with another code", ...PARTIAL, left: [1, Infinity], faults: [error("dv.part", 404, "0x80060888", { skip: 23, times: 1 })] },
    { name: "404 of a proxy", ...PARTIAL, left: [1, Infinity], faults: [error("dv.request", 404, "html", { ...batch, skip: 3, times: 1 })] },
];

// What the normal test run does without: variants of what is in it.
export const onlyInFull = new Set([
    "429 of 52 at once", "no x-ms-dop-hint", "answer cut short", "503 with Retry-After", "HTML 200 instead of a batch", "freeze after the work",
    "list: no-value", "list: html", "list: truncated-json", "list: short", "truncated gzip of a list", "stamped between plan and run",
    "added between plan and run", "gone between plan and run", "batches refused on the way", "body too large for a gateway", "privilege lost",
    "429 storm, one after the other", "limits of the service", "drip without end", "absurd body of a list",
    "400 with an empty code", "SQL timeout", "0x80048105 with 500", "blocked by an association", "429 while it is read",
]);

// node validate_json.mjs [--lines] SCHEMA [REPORT...]: every report must validate; without REPORT, standard input.
// --lines: every line of it must, the last one has a line break, and there is one at least.
// Exit 1 with the faults when one does not. Needs `npm install` in this folder (or NODE_PATH to ajv).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const Ajv = require("ajv/dist/2020.js").default;

const args = process.argv.slice(2);
const byLine = args[0] === "--lines" && args.shift() !== undefined;
const [schemaFile, ...reports] = args;
if (!schemaFile) {
  console.error("usage: node validate_json.mjs [--lines] SCHEMA [REPORT...]");
  process.exit(64);
}
const validate = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(schemaFile, "utf8")),
);
let failed = false;
for (const report of reports.length ? reports : [0]) {
  const text = readFileSync(report, "utf8");
  const parts = byLine ? text.split("\n") : [text];
  if (byLine && parts.pop() !== "") throw new Error(`${report || "stdin"}: the last line has no end`);
  if (parts.length === 0) throw new Error(`${report || "stdin"}: no lines`);
  for (const [number, part] of parts.entries()) {
    if (validate(JSON.parse(part))) continue;
    failed = true;
    for (const fault of validate.errors)
      console.error(`${report || "stdin"}:${number + 1}: ${fault.instancePath || "/"} ${fault.message}`);
  }
}
process.exit(failed ? 1 : 0);

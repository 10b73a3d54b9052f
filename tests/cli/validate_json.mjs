// node validate_json.mjs SCHEMA [REPORT...]: every report must validate; without REPORT, standard input.
// Exit 1 with the faults when one does not. Needs `npm install` in this folder (or NODE_PATH to ajv).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const Ajv = require("ajv/dist/2020.js").default;

const [schemaFile, ...reports] = process.argv.slice(2);
if (!schemaFile) {
  console.error("usage: node validate_json.mjs SCHEMA [REPORT...]");
  process.exit(64);
}
const validate = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(schemaFile, "utf8")),
);
let failed = false;
for (const report of reports.length ? reports : [0]) {
  if (validate(JSON.parse(readFileSync(report, "utf8")))) continue;
  failed = true;
  for (const fault of validate.errors)
    console.error(`${report || "stdin"}: ${fault.instancePath || "/"} ${fault.message}`);
}
process.exit(failed ? 1 : 0);

// node sbom.mjs SBOM PROGRAM: is the list of libraries CycloneDX 1.5, whole and true? Exit 1 with the faults.
// Needs NPM_DIR, where the packages of this folder are installed.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(`${process.env.NPM_DIR}/x.mjs`);
const Ajv = require("ajv").default;
const [file, program] = process.argv.slice(2);
const sbom = JSON.parse(readFileSync(file, "utf8"));
const faults = [];
const fault = (text) => faults.push(text);

const schemas = join(process.env.NPM_DIR, "node_modules/@cyclonedx/cyclonedx-library/res/schema");
const read = (name) => JSON.parse(readFileSync(join(schemas, name), "utf8"));
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
for (const name of ["spdx", "jsf-0.82"])
  ajv.addSchema({ ...read(`${name}.SNAPSHOT.schema.json`), $id: `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json` });
const validate = ajv.compile(read("bom-1.5.SNAPSHOT.schema.json"));
if (!validate(sbom)) for (const error of validate.errors) fault(`${error.instancePath} ${error.message}`);

const known = read("spdx.SNAPSHOT.schema.json").enum;
for (const component of sbom.components) {
  const { name, version, supplier, licenses, purl } = component;
  for (const term of (licenses[0].expression ?? "").split(/ (?:OR|WITH) /).filter(Boolean))
    if (!known.includes(term)) fault(`${name}: ${term} is no SPDX licence`);
  if (!supplier.name || !version) fault(`${name} has no supplier or version`);
  const installed = execFileSync("dpkg-query", ["-W", "-f", "${Version} ${Architecture}", name], { encoding: "utf8" });
  if (installed.split(" ")[0] !== version) fault(`${name} is ${installed} here, not ${version}`);
  const at = /^pkg:deb\/debian\/([^@]+)@([^?]+)\?arch=([^&]+)&distro=debian-\d+$/.exec(purl);
  if (!at || decodeURIComponent(at[1]) !== name || decodeURIComponent(at[2]) !== version || at[3] !== installed.split(" ")[1])
    fault(`${name}: ${purl} is not its package`);
}

// Every library that the loader loads, at the start or when the program asks for it (.note.dlopen), and no other.
const listed = sbom.components.flatMap((c) => c.properties.find((p) => p.name === "dwclean:sonames").value.split(" "));
const ldd = (path) => [...execFileSync("ldd", [path], { encoding: "utf8" }).matchAll(/^\s*(\S+) => (\/\S+)/gm)];
const note = execFileSync("readelf", ["-p", ".note.dlopen", program], { encoding: "utf8" });
const later = [...new Set([...note.matchAll(/"soname":\["([^"]+)"\]/g)].map((m) => m[1]))];
for (const name of ["libarchive", "libcurl", "libcrypto", "libssl"])
  if (!later.some((soname) => soname.startsWith(`${name}.so.`))) fault(`the note of what is loaded later does not name ${name}`);
const cache = execFileSync("/sbin/ldconfig", ["-p"], { encoding: "utf8" });
const place = (soname) => cache.split("\n").find((line) => line.trim().startsWith(`${soname} `))?.split(" => ")[1] ?? soname;
const loaded = new Set([...ldd(program), ...later.flatMap((soname) => ldd(place(soname)))].map((m) => m[1]).concat(later));
for (const soname of loaded) if (!listed.includes(soname)) fault(`${soname} is loaded and not listed`);
for (const soname of listed) if (!loaded.has(soname)) fault(`${soname} is listed and not loaded`);

// Every part of the graph hangs together.
const refs = [sbom.metadata.component, ...sbom.components].map((c) => c["bom-ref"]);
const depends = new Map(sbom.dependencies.map((d) => [d.ref, d.dependsOn]));
const reached = new Set();
const walk = (ref) => reached.has(ref) || (reached.add(ref), depends.get(ref)?.forEach(walk));
walk(refs[0]);
for (const ref of refs) if (!reached.has(ref)) fault(`nothing needs ${ref}`);
for (const ref of reached) if (!refs.includes(ref)) fault(`${ref} is needed and not listed`);

for (const text of faults) console.error(`${file}: ${text}`);
console.log(`${sbom.components.length} packages with ${listed.length} libraries`);
process.exit(faults.length ? 1 : 0);

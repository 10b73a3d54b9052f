// node pipeline.mjs FILE: runs the scripts of a pipeline job by job, as its platform would: expressions filled in, outputs of
// a step handed on, each script by its own bash. Prints "JOB STEP STATUS" for each; ends with the first status that is not 0.
// Needs: NPM_DIR, EXAMPLES (this folder), SECRET (what every secret is).
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [file] = process.argv.slice(2);
const jobs = JSON.parse(execFileSync("node", [join(process.env.EXAMPLES, "examples.mjs"), "jobs", file], { encoding: "utf8" }));
const cwd = process.cwd();
const known = {
  "github.workspace": cwd,
  "secrets.AXDB_PASSWORD": process.env.SECRET,
  "axdb-password": process.env.SECRET,
  "inputs.ticket": "CHG0042",
  "parameters.ticket": "CHG0042",
};

function filled(text) {
  return String(text).replace(/\$\{\{ *([^}]*?) *\}\}|\$\(([^)]*)\)|\$\[ (.*) \]$/g, (_, a, b, c) => {
    const name = (a ?? b ?? c).trim();
    if (!(name in known)) throw new Error(`nothing is known of ${name}`);
    return known[name];
  });
}

for (const { job, outputs, steps } of jobs) {
  const handed = () => {
    for (const [name, text] of Object.entries(outputs)) known[`needs.${job}.outputs.${name}`] = known[name] = filled(text);
  };
  if (job === "apply" && known["needs.plan.outputs.status"] !== undefined && known["needs.plan.outputs.status"] !== "2") continue;
  if (file.includes("azure")) handed(); // variables of a stage, from those before it
  for (const { id, env, script } of steps) {
    const output = join(cwd, "step-output");
    rmSync(output, { force: true });
    const variables = Object.fromEntries(Object.entries(env).map(([name, text]) => [name, filled(text)]));
    const ran = spawnSync("bash", file.includes("azure") ? ["-c", script] : ["-eo", "pipefail", "-c", script], {
      cwd,
      encoding: "utf8",
      env: {
        ...process.env,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request",
        ACTIONS_ID_TOKEN_REQUEST_URL: "https://token.example/?x=1",
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: join(cwd, "summary.md"),
        PIPELINE_WORKSPACE: cwd,
        ...variables,
        ...(variables.DWCLEAN_RUNS_DIR ? { DWCLEAN_RUNS_DIR: process.env.RUNS } : {}),
      },
    });
    console.log(`${job} ${id || "-"} ${ran.status}`);
    writeFileSync(join(cwd, "last.log"), ran.stdout + ran.stderr);
    if (ran.status !== 0) {
      process.stderr.write(ran.stdout + ran.stderr);
      process.exit(ran.status ?? 1);
    }
    const lines = existsSync(output) ? readFileSync(output, "utf8").split("\n") : [];
    for (const [, name, value] of ran.stdout.matchAll(/^##vso\[task\.setvariable variable=(\w+);isOutput=true\](.*)$/gm))
      known[`stageDependencies.plan.plan.outputs['${id}.${name}']`] = value;
    for (const line of lines.filter(Boolean)) {
      const at = line.indexOf("=");
      known[`steps.${id}.outputs.${line.slice(0, at)}`] = line.slice(at + 1);
    }
  }
  if (!file.includes("azure")) handed();
}

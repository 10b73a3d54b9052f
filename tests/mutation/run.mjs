// Breaks one line at a time (mutations.txt), builds, runs the named tests, and expects one of them to fail.
//
//   node tests/mutation/run.mjs [--list] [--only WORD...]
//
// Exit status 0 only when every mutation was killed, after every named test has passed on the unbroken tree.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const source = process.cwd();
const work = resolve(process.env.MUTATION_WORK ?? "build/mutation");
const tree = join(work, "tree");
const build = join(work, "build");
const sandbox = join(build, "tests/sandbox/dwclean-sandbox");
const seconds_a_test = 600;

function parse_block(block) {
    const mutation = { name: "", file: "", tests: [], before: [], after: [] };
    for (const line of block.split("\n")) {
        const [word, ...rest] = line.split(" ");
        if (word === "-" || word === "+") (word === "-" ? mutation.before : mutation.after).push(rest.join(" ").trim());
        else if (word === "file") mutation.file = rest.join(" ");
        else if (word === "test") mutation.tests.push(rest.join(" "));
        else mutation.name = line;
    }
    if (!mutation.name || !mutation.file || !mutation.tests.length || !mutation.before.length)
        throw new Error(`mutations.txt: not a mutation:\n${block}`);
    return mutation;
}

const mutations = readFileSync("tests/mutation/mutations.txt", "utf8")
    .split("\n").filter((line) => !line.startsWith("#")).join("\n")
    .split(/\n\s*\n/).map((block) => block.trim()).filter(Boolean).map(parse_block);

// However the formatter breaks the lines: blanks match any blanks.
function mutated(mutation) {
    const text = readFileSync(join(source, mutation.file), "utf8");
    const words = mutation.before.join(" ").split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const found = [...text.matchAll(new RegExp(words.join("\\s+"), "g"))];
    if (found.length !== 1) throw new Error(`stands ${found.length} times in ${mutation.file}, not once`);
    return text.slice(0, found[0].index) + mutation.after.join("\n") + text.slice(found[0].index + found[0][0].length);
}

// unit.LAYER.THING, contract.PORT, or cli FILE NAME (a bats file and a filter).
function test_of(name) {
    const unit = /^unit\.(\w+)\.(\w+)$/.exec(name);
    const contract = /^contract\.(\w+)$/.exec(name);
    const cli = /^cli (\S+) (.+)$/.exec(name);
    if (unit) {
        const target = `test_${unit[1]}_${unit[2]}`;
        return { targets: [target], command: [join(build, "tests", target)] };
    }
    if (contract) {
        const target = `contract_${contract[1]}`;
        return {
            targets: [target, "dwclean-sandbox"],
            command: ["sh", join(tree, "tests/support/with_sandbox.sh"), sandbox, tree, "scenario-a", join(build, "tests", target)],
        };
    }
    if (cli)
        return {
            targets: ["dwclean", "dwclean-sandbox", "fault_interpose"],
            command: ["bats", "-f", cli[2], join(tree, "tests/cli", cli[1])],
        };
    throw new Error(`${name} is no test`);
}

const environment = {
    ...process.env, DWCLEAN: join(build, "dwclean"), SANDBOX_BINARY: sandbox, SOURCE_DIR: tree,
    FAULT_LIBRARY: join(build, "tests/libfault_interpose.so"),
};

function run(command, timeout_s) {
    const done = spawnSync(command[0], command.slice(1), {
        cwd: tree, env: environment, timeout: timeout_s * 1000, killSignal: "SIGKILL", encoding: "utf8", maxBuffer: 1 << 26,
    });
    if (done.error && done.error.code !== "ETIMEDOUT") throw done.error;
    return { ok: done.status === 0, late: done.error?.code === "ETIMEDOUT", output: done.stdout + done.stderr };
}

function compile(targets) {
    return run(["ninja", "-C", build, "-j", process.env.MUTATION_JOBS ?? "2", ...new Set(targets)], 1800);
}

// A bats run in which no test has the name would pass, and prove nothing.
function passes(name) {
    const { ok, late, output } = run(test_of(name).command, seconds_a_test);
    if (ok && /^1\.\.0$/m.test(output)) throw new Error(`${name}: there is no such test`);
    return { ok, late, output };
}

function prepare(chosen) {
    mkdirSync(work, { recursive: true });
    rmSync(tree, { recursive: true, force: true });
    for (const part of ["CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md",
        "CONTRIBUTING.md", "src", "include", "sql", "tests", "fixtures"])
        cpSync(join(source, part), join(tree, part),
            { recursive: true, preserveTimestamps: true, filter: (path) => !path.includes("node_modules") });
    // what a run of before has broken last is compiled again: the copy is older than that object
    for (const file of new Set(mutations.map((mutation) => mutation.file))) utimesSync(join(tree, file), new Date(), new Date());
    const configured = run(["cmake", "-S", tree, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug"], 300);
    if (!configured.ok) throw new Error(configured.output);
    const names = [...new Set(chosen.flatMap((mutation) => mutation.tests))];
    const built = compile(names.flatMap((name) => test_of(name).targets));
    if (!built.ok) throw new Error(built.output);
    for (const name of names)
        if (!passes(name).ok) throw new Error(`${name} fails without any mutation: nothing can be shown with it`);
    console.log(`${names.length} tests pass on the unbroken tree`);
}

/** "killed by TEST", "SURVIVED", or what is wrong with the mutation. */
function judge(mutation) {
    const path = join(tree, mutation.file);
    const original = readFileSync(path, "utf8");
    try {
        writeFileSync(path, mutated(mutation));
        const built = compile(mutation.tests.flatMap((name) => test_of(name).targets));
        if (!built.ok) return { killed: false, text: `DOES NOT COMPILE\n${built.output.slice(-2000)}` };
        for (const name of mutation.tests) {
            const { ok, late } = passes(name);
            if (!ok) return { killed: true, text: `killed by ${name}${late ? " (out of time)" : ""}` };
        }
        return { killed: false, text: "SURVIVED" };
    } catch (problem) {
        return { killed: false, text: `BROKEN: ${problem.message}` };
    } finally {
        writeFileSync(path, original);
    }
}

function main(arguments_) {
    const words = arguments_[0] === "--only" ? arguments_.slice(1) : [""];
    const chosen = mutations.filter(({ name, file }) => words.some((word) => name.includes(word) || file.includes(word)));
    if (arguments_[0] === "--list") {
        for (const mutation of chosen) {
            mutated(mutation);
            console.log(`${mutation.file}: ${mutation.name} (${mutation.tests.join(", ")})`);
        }
        console.log(`${chosen.length} mutations, every one applies`);
        return 0;
    }
    const begun = Date.now();
    let alive = 0;
    prepare(chosen);
    chosen.forEach((mutation, i) => {
        const { killed, text } = judge(mutation);
        alive += killed ? 0 : 1;
        console.log(`${String(i + 1).padStart(3)} ${mutation.file.padEnd(34)} ${mutation.name}: ${text}`);
    });
    console.log(`${chosen.length} mutations, ${chosen.length - alive} killed, ${alive} not; ` +
        `${Math.round((Date.now() - begun) / 1000)} s`);
    return alive === 0 && chosen.length > 0 ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));

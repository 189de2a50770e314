/**
 * `npm run bench`: a benchmark that needs nothing but a checkout. Starts nodes of its own, one for each way of keeping files,
 * each with its data in a temporary folder, and has `cairn bench` measure them in turns; a foreign cluster can take part. The
 * results go to a folder that the last line names.
 *
 *   npm run bench
 *   npm run bench -- --directory /srv/disk1 --nodes flushed,relaxed --rounds 5
 *   npm run bench -- --against "c=tracker=127.0.0.30:22122,pid=812,pid=813,durability=never flushed"
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { OwnNode, program } from "./own-node.ts";

/** How each node keeps files; the default last, which the others are compared with where no foreign cluster is. */
const kinds: Readonly<Record<string, readonly string[]>> = {
  "relaxed-packed": ["storage.durability=relaxed", "storage.packing=on"],
  "flushed-packed": ["storage.durability=flushed", "storage.packing=on"],
  relaxed: ["storage.durability=relaxed", "storage.packing=off"],
  flushed: ["storage.durability=flushed", "storage.packing=off"],
};

/** The standard matrix: what clients do most, at sizes where different things cost. */
const steps: readonly string[] = [
  "upload:4KiB:16",
  "upload:4KiB:64",
  "download:4KiB:64",
  "download:4KiB:16:fresh",
  "info:4KiB:16",
  "delete:4KiB:16",
  "upload:64KiB:16",
  "download:64KiB:16",
  "upload:1MiB:16",
  "download:1MiB:16",
  "query-store:16",
];

const usage = `usage: npm run bench -- [--nodes ${Object.keys(kinds).join(",")}] [--against TARGET]...
         [--rounds 2] [--duration 1s] [--step STEP]... [--directory DIR] [--out DIR]
TARGET and STEP are those of cairn bench (npm run cairn -- bench --help). --directory is where the
nodes keep their files: the file system there is what is measured. Beside C FastDFS with its own
load generator: npm run bench:compare.
`;

interface Plan {
  readonly nodes: readonly string[];
  readonly against: readonly string[];
  readonly directory: string;
  readonly out: string;
  readonly options: readonly string[];
}

/** Undefined for what cannot be understood. */
function planOf(words: readonly string[]): Plan | undefined {
  const { values } = parseArgs({
    args: [...words],
    options: {
      nodes: { type: "string", default: Object.keys(kinds).join(",") },
      against: { type: "string", multiple: true, default: [] },
      rounds: { type: "string", default: "2" },
      duration: { type: "string", default: "1s" },
      step: { type: "string", multiple: true, default: [...steps] },
      directory: { type: "string", default: tmpdir() },
      out: { type: "string", default: fileURLToPath(new URL("../../dist/bench", import.meta.url)) },
    },
  });
  const nodes = values.nodes.split(",").filter((name) => name !== "");
  if (nodes.some((name) => kinds[name] === undefined)) return undefined;
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  return {
    nodes,
    against: values.against,
    directory: resolve(values.directory),
    out: join(resolve(values.out), stamp),
    options: [
      ...["--rounds", values.rounds, "--duration", values.duration, "--warm-up", "200ms"],
      ...["--space", "1GiB"],
      ...values.step.flatMap((step) => ["--step", step]),
    ],
  };
}

/**
 * Ctrl-C reaches the benchmark as well, which then takes its files away: we wait for it, and end the nodes afterwards. SIGTERM
 * reaches us alone.
 */
class Interrupts implements Disposable {
  #asked = false;
  child: ChildProcess | undefined;

  constructor() {
    process.on("SIGINT", this.#onInterrupt).on("SIGTERM", this.#onTerminate);
  }

  get asked(): boolean {
    return this.#asked;
  }

  [Symbol.dispose](): void {
    process.off("SIGINT", this.#onInterrupt).off("SIGTERM", this.#onTerminate);
  }

  readonly #onInterrupt = (): void => {
    this.#asked = true;
  };

  readonly #onTerminate = (): void => {
    this.#asked = true;
    this.child?.kill("SIGTERM");
  };
}

/** Resolves to the exit code. */
function measure(targets: readonly string[], plan: Plan, interrupts: Interrupts): Promise<number> {
  const files = ["--json-file", join(plan.out, "bench.json"), "--svg", join(plan.out, "bench.svg")];
  const words = [...targets.flatMap((target) => ["--target", target]), ...plan.options, ...files];
  const child = spawn(process.execPath, [program, "bench", ...words], { stdio: "inherit" });
  interrupts.child = child;
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code) => done(code ?? 1));
  });
}

function plannedOrUsage(): Plan | undefined {
  try {
    return planOf(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}

async function main(): Promise<number> {
  const plan = plannedOrUsage();
  if (plan === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  using interrupts = new Interrupts();
  mkdirSync(plan.directory, { recursive: true });
  mkdirSync(plan.out, { recursive: true });
  const folder = mkdtempSync(join(plan.directory, "cairn-bench-"));
  try {
    await using nodes = new AsyncDisposableStack();
    const targets: string[] = [];
    for (const name of plan.nodes) {
      process.stderr.write(`starting a node: ${name}\n`);
      const node = nodes.use(await OwnNode.start(join(folder, name), kinds[name] ?? []));
      targets.push(`${name}=socket=${node.socket}`);
      if (interrupts.asked) return 130;
    }
    const code = await measure([...targets, ...plan.against], plan, interrupts);
    process.stderr.write(`results: ${plan.out}/bench.json and bench.svg\n`);
    return code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();

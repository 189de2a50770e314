/**
 * Measures several FastDFS-compatible clusters against each other with the load generator: each step is run on one after the
 * other (A B A B …), so that a machine whose speed drifts treats them alike, and the median of the rounds is printed as CPU
 * microseconds an operation of all server processes, operations a second and latency.
 *
 *   node test/bench/compare.ts --generator PATH --rounds 5 --steps up4k,down4k \
 *     NAME=storage-ip:port,tracker-ip:port,pid[+pid…] NAME=…
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

interface Target {
  readonly name: string;
  readonly storage: string;
  readonly tracker: string;
  readonly pids: readonly string[];
}

interface Sample {
  readonly ops_s: number;
  readonly MB_s: number;
  readonly p50_us: number;
  readonly p99_us: number;
  readonly srv_cpu: number;
  readonly ok: number;
  readonly err: number;
  readonly neterr: number;
}

/** What one step runs; `ids` names the file of ids that it writes or reads. */
interface Step {
  readonly name: string;
  readonly operation: string;
  readonly size?: string;
  readonly connections: number;
  readonly count: number;
  readonly ids?: string;
  readonly fresh?: boolean;
  /** Uploads made before each round, not measured, for steps that use their files up. */
  readonly consumes?: string;
}

const steps: readonly Step[] = [
  { name: "up4k-1", operation: "upload", size: "4k", connections: 1, count: 2000, ids: "4k1" },
  { name: "up4k-16", operation: "upload", size: "4k", connections: 16, count: 10000, ids: "4k16" },
  { name: "up4k-64", operation: "upload", size: "4k", connections: 64, count: 20000, ids: "4k" },
  { name: "down4k-16", operation: "download", connections: 16, count: 40000, ids: "4k" },
  { name: "down4k-64", operation: "download", connections: 64, count: 40000, ids: "4k" },
  { name: "info-16", operation: "info", connections: 16, count: 40000, ids: "4k" },
  {
    name: "fresh-down4k",
    operation: "download",
    connections: 16,
    count: 10000,
    ids: "4k",
    fresh: true,
  },
  {
    name: "delete4k-16",
    operation: "delete",
    connections: 16,
    count: 10000,
    ids: "del",
    consumes: "4k",
  },
  { name: "up64k-16", operation: "upload", size: "64k", connections: 16, count: 4000, ids: "64k" },
  { name: "down64k-16", operation: "download", connections: 16, count: 16000, ids: "64k" },
  { name: "up1m-16", operation: "upload", size: "1m", connections: 16, count: 400, ids: "1m" },
  { name: "down1m-16", operation: "download", connections: 16, count: 2000, ids: "1m" },
  { name: "up256m", operation: "upload", size: "256m", connections: 1, count: 3, ids: "256m" },
  { name: "down256m", operation: "download", connections: 1, count: 6, ids: "256m" },
  { name: "query-store", operation: "qstore", connections: 16, count: 60000 },
];

function parseTarget(text: string): Target {
  const [name = "", rest = ""] = text.split("=");
  const [storage = "", tracker = "", pids = ""] = rest.split(",");
  return { name, storage, tracker, pids: pids.split("+") };
}

interface Bench {
  readonly generator: string;
  /** Where the files of ids are. */
  readonly folder: string;
}

function runStep(bench: Bench, step: Step, target: Target): Sample {
  const { generator, folder } = bench;
  if (step.consumes !== undefined) {
    const fill = { name: "fill", operation: "upload", connections: 16, size: step.consumes };
    const ids = step.ids ?? "consumed";
    runStep(bench, { ...fill, count: step.count, ids }, target);
  }
  const processes = target.pids.map((pid, index) => `p${index}=${pid}`).join(",");
  const args = [step.operation, "-c", String(step.connections), "-n", String(step.count)];
  if (step.operation === "qstore") args.push("-t", target.tracker);
  else args.push("-s", target.storage);
  if (step.size !== undefined) args.push("-z", step.size, "-e", "bin");
  if (step.ids !== undefined) args.push("-f", join(folder, `${target.name}-${step.ids}`));
  if (step.fresh === true) args.push("-K");
  args.push("-T", "60", "-P", processes);
  const output = execFileSync(generator, args, { encoding: "utf8", timeout: 180_000 });
  return JSON.parse(output) as Sample;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function microseconds(sample: Sample): number {
  return (sample.srv_cpu * 1e6) / Math.max(1, sample.ok);
}

const usage = `usage: npm run bench -- --generator PATH [--rounds N] [--steps NAME,…]
         NAME=STORAGE-IP:PORT,TRACKER-IP:PORT,PID[+PID…] …
test/bench/README.md says where the generator comes from and what the figures were.
The engine alone: npm run bench:engine; start and memory: npm run bench:start -- "npm start --"
`;

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      generator: { type: "string" },
      rounds: { type: "string", default: "3" },
      steps: { type: "string", default: "" },
    },
  });
  if (values.generator === undefined || positionals.length === 0) {
    process.stderr.write(usage);
    process.exitCode = 2;
    return;
  }
  const targets = positionals.map(parseTarget);
  const wanted = values.steps === "" ? undefined : values.steps.split(",");
  const folder = mkdtempSync(join(tmpdir(), "cairn-compare-"));
  const bench = { generator: values.generator, folder };
  process.stdout.write(
    "| step | target | op/s | MB/s | p50 µs | p99 µs | CPU µs/op | ratio | failed |\n",
  );
  process.stdout.write("|---|---|---|---|---|---|---|---|---|\n");
  for (const step of steps) {
    if (wanted !== undefined && !wanted.some((name) => step.name.startsWith(name))) continue;
    const samples = new Map<string, Sample[]>(targets.map((target) => [target.name, []]));
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (const target of targets) {
        samples.get(target.name)?.push(runStep(bench, step, target));
      }
    }
    const last = targets.at(-1)?.name ?? "";
    const reference = median((samples.get(last) ?? []).map(microseconds));
    for (const { name } of targets) {
      const of = samples.get(name) ?? [];
      const pick = (field: keyof Sample): string =>
        median(of.map((each) => each[field])).toFixed(0);
      const cpu = median(of.map(microseconds));
      const failed = of.reduce((sum, each) => sum + each.err + each.neterr, 0);
      process.stdout.write(
        `| ${step.name} | ${name} | ${pick("ops_s")} | ${pick("MB_s")} | ${pick("p50_us")} | ${pick("p99_us")} | ${cpu.toFixed(1)} | ${(cpu / reference).toFixed(2)} | ${failed} |\n`,
      );
    }
  }
  rmSync(folder, { recursive: true, force: true });
}

main();

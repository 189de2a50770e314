/**
 * Measures several FastDFS-compatible clusters against each other with the load generator in C, which costs the machine less than
 * ours: each step is run on one after the other (A B A B …), so that a machine whose speed drifts treats them alike, and the
 * median of the rounds is printed. Ratios are to the last target of those that run the step.
 *
 *   node test/bench/compare.ts --generator PATH --rounds 5 --steps up4k,down4k --json out.json \
 *     NAME=storage-ip:port,tracker-ip:port,pid[+pid…][,packed] NAME=…
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Step, steps } from "./compare-steps.ts";
import { program } from "./own-node.ts";

interface Target {
  readonly name: string;
  readonly storage: string;
  readonly tracker: string;
  readonly pids: readonly string[];
  /** Its small files share trunk files. */
  readonly packed: boolean;
}

/** One round; names are those of the generator's JSON. */
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

interface Row {
  readonly step: string;
  readonly target: string;
  readonly operationsPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  readonly cpuMicros: number;
  readonly cpuRatio: number;
  readonly p99Ratio: number;
  readonly rateRatio: number;
  readonly peakMib: number;
  readonly failed: number;
  readonly rounds: readonly Sample[];
}

interface Bench {
  readonly generator: string;
  /** Where the files of ids are. */
  readonly folder: string;
  /** Before each round with large files. */
  readonly touchesMemory: boolean;
}

const roundLimitMs = 180_000;

function parseTarget(text: string): Target {
  const [name = "", rest = ""] = text.split("=");
  const [storage = "", tracker = "", pids = "", ...traits] = rest.split(",");
  const processes = pids.split("+").filter((pid) => pid !== "");
  return { name, storage, tracker, pids: processes, packed: traits.includes("packed") };
}

function runStep(bench: Bench, step: Step, target: Target): Sample {
  if (step.ours === true) return runOurs(step, target);
  const { generator, folder } = bench;
  if (step.consumes !== undefined) {
    const fill = { name: "fill", operation: "upload", connections: 16, size: step.consumes };
    const ids = step.ids ?? "consumed";
    runStep(bench, { ...fill, count: step.count, ids }, target);
  }
  const idFile = step.ids === undefined ? undefined : join(folder, `${target.name}-${step.ids}`);
  if (step.operation !== "upload" && idFile !== undefined && !existsSync(idFile)) {
    // The step that writes these ids was left out.
    const writer = steps.find(({ operation, ids }) => operation === "upload" && ids === step.ids);
    if (writer !== undefined) runStep(bench, writer, target);
  }
  const processes = target.pids.map((pid, index) => `p${index}=${pid}`).join(",");
  const args = [step.operation, "-c", String(step.connections), "-n", String(step.count)];
  if (step.operation === "qstore") args.push("-t", target.tracker);
  else args.push("-s", target.storage);
  if (step.size !== undefined) args.push("-z", step.size, "-e", "bin");
  if (idFile !== undefined) args.push("-f", idFile);
  if (step.fresh === true) args.push("-K");
  args.push("-T", "60");
  if (processes !== "") args.push("-P", processes);
  const output = execFileSync(generator, args, { encoding: "utf8", timeout: roundLimitMs });
  return JSON.parse(output) as Sample;
}

interface OwnFigures {
  readonly operations: number;
  readonly failed: number;
  readonly operationsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicrosPerOperation?: number;
}

/** `cairn bench` makes its own files and takes them away. */
function runOurs(step: Step, target: Target): Sample {
  const size = step.size === undefined ? "" : `${step.size}:`;
  const words = ["bench", "--json", "--yes", "--quiet", "--storage", target.storage];
  words.push("--step", `${step.operation}:${size}${step.connections}`);
  words.push("--count", String(step.count), ...target.pids.flatMap((pid) => ["--pid", pid]));
  const output = execFileSync(process.execPath, [program, ...words], {
    encoding: "utf8",
    timeout: roundLimitMs,
  });
  const report = JSON.parse(output) as {
    readonly steps: readonly { readonly targets: readonly { readonly figures: OwnFigures }[] }[];
  };
  const figures = report.steps[0]?.targets[0]?.figures;
  if (figures === undefined) throw new Error(`cairn bench measured nothing: ${output}`);
  return {
    ops_s: figures.operationsPerSecond,
    MB_s: 0,
    p50_us: figures.p50Ms * 1000,
    p99_us: figures.p99Ms * 1000,
    srv_cpu: ((figures.cpuMicrosPerOperation ?? 0) * figures.operations) / 1e6,
    ok: figures.operations,
    err: figures.failed,
    neterr: 0,
  };
}

/** Of all processes of a target together, since they started. */
function peakMib(target: Target): number {
  const kib = target.pids.map((pid) => {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  });
  return kib.reduce((sum, one) => sum + one, 0) / 1024;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function microseconds(sample: Sample): number {
  return (sample.srv_cpu * 1e6) / Math.max(1, sample.ok);
}

function remove(bench: Bench, step: Step, target: Target): void {
  runStep(bench, { ...step, operation: "delete", removes: false }, target);
}

function isLarge({ name }: Step): boolean {
  return /1m|256m/.test(name);
}

/**
 * A virtual machine is given memory when it touches it first, which costs the one who does several times what the copy costs, and
 * says nothing about either server: all that is free is touched by somebody else before.
 */
function touchMemory(): void {
  const touch =
    "const free = require('os').freemem() - 2 ** 31; const held = [];" +
    "for (let n = 0; n < free; n += 2 ** 28) held.push(Buffer.alloc(2 ** 28, 1));";
  execFileSync(process.execPath, ["-e", touch], { timeout: roundLimitMs });
}

function measure(
  bench: Bench,
  step: Step,
  run: { readonly targets: readonly Target[]; readonly rounds: number },
): readonly Row[] {
  const samples = new Map<Target, Sample[]>(run.targets.map((target) => [target, []]));
  for (let round = 0; round < run.rounds; round += 1) {
    for (const [target, own] of samples) {
      if (bench.touchesMemory && isLarge(step)) touchMemory();
      own.push(runStep(bench, step, target));
      if (step.removes === true) remove(bench, step, target);
    }
  }
  const rows = [...samples].map(([target, rounds]) => {
    const pick = (field: keyof Sample): number => median(rounds.map((each) => each[field]));
    return {
      step: step.name,
      target: target.name,
      operationsPerSecond: pick("ops_s"),
      megabytesPerSecond: pick("MB_s"),
      p50Micros: pick("p50_us"),
      p99Micros: pick("p99_us"),
      cpuMicros: median(rounds.map(microseconds)),
      peakMib: peakMib(target),
      failed: rounds.reduce((sum, each) => sum + each.err + each.neterr, 0),
      rounds,
    };
  });
  const reference = rows.at(-1);
  return rows.map((row) => ({
    ...row,
    cpuRatio: row.cpuMicros / (reference?.cpuMicros ?? Number.NaN),
    p99Ratio: row.p99Micros / (reference?.p99Micros ?? Number.NaN),
    rateRatio: row.operationsPerSecond / (reference?.operationsPerSecond ?? Number.NaN),
  }));
}

const columns = [
  ...["step", "target", "op/s", "MB/s", "p50 µs", "p99 µs", "p99 ratio"],
  ...["CPU µs/op", "CPU ratio", "peak MiB", "failed"],
];

function line(row: Row): string {
  const cells = [
    row.step,
    row.target,
    row.operationsPerSecond.toFixed(0),
    row.megabytesPerSecond.toFixed(0),
    row.p50Micros.toFixed(0),
    row.p99Micros.toFixed(0),
    row.p99Ratio.toFixed(2),
    row.cpuMicros.toFixed(1),
    row.cpuRatio.toFixed(2),
    row.peakMib.toFixed(0),
    String(row.failed),
  ];
  return `| ${cells.join(" | ")} |\n`;
}

const usage = `usage: npm run bench:compare -- --generator PATH [--rounds N] [--steps NAME,…] [--json FILE]
         [--touch-memory]
         NAME=STORAGE-IP:PORT,TRACKER-IP:PORT,PID[+PID…][,packed] …
--steps takes begins of names: up4k is up4k-1, up4k-16 and up4k-64. Steps whose names begin with pk
run on targets that are packed, all others on those that are not; ratios are to the last of them.
test/bench/README.md says where the generator comes from and what the figures were.
Without a generator: npm run bench. The engine alone: npm run bench:engine; start and memory:
npm run bench:start -- "npm start --"
`;

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      generator: { type: "string" },
      rounds: { type: "string", default: "3" },
      steps: { type: "string", default: "" },
      json: { type: "string" },
      "touch-memory": { type: "boolean", default: false },
    },
  });
  if (values.generator === undefined || positionals.length === 0) {
    process.stderr.write(usage);
    process.exitCode = 2;
    return;
  }
  const all = positionals.map(parseTarget);
  const wanted = values.steps === "" ? undefined : values.steps.split(",");
  const folder = mkdtempSync(join(tmpdir(), "cairn-compare-"));
  const bench = { generator: values.generator, folder, touchesMemory: values["touch-memory"] };
  process.stdout.write(`| ${columns.join(" | ")} |\n|${"---|".repeat(columns.length)}\n`);
  const rows: Row[] = [];
  try {
    for (const step of steps) {
      if (wanted !== undefined && !wanted.some((name) => step.name.startsWith(name))) continue;
      const targets = all.filter(({ packed }) => packed === (step.packed === true));
      if (targets.length === 0) continue;
      const found = measure(bench, step, { targets, rounds: Number(values.rounds) });
      rows.push(...found);
      process.stdout.write(found.map(line).join(""));
      if (values.json !== undefined) writeReport(values.json, all, rows);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** After each step, so that a run that is ended keeps what it has. */
function writeReport(path: string, targets: readonly Target[], rows: readonly Row[]): void {
  writeFileSync(path, `${JSON.stringify({ targets, rows }, null, 2)}\n`);
}

main();

/**
 * Runs seeds, in two processes: `npm run simulate -- [--first N] [--seeds N] [--hours H] [--processes N] [--verbose] [--twice] [--can NAME]`.
 * Prints what each failing seed found, the end of its trace, and the command that repeats it; with `--verbose` the whole trace. With
 * `--hours` seeds follow each other for so long, from a random one on unless `--first` says where.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { withCapabilities } from "./capabilities.ts";
import { simulate } from "./simulate.ts";

const { values } = parseArgs({
  options: {
    first: { type: "string" },
    seeds: { type: "string" },
    hours: { type: "string" },
    processes: { type: "string", default: "2" },
    /** Given to a process by the one that started it: which of how many seeds are its own. */
    share: { type: "string" },
    verbose: { type: "boolean", default: false },
    progress: { type: "boolean", default: false },
    twice: { type: "boolean", default: false },
    can: { type: "string", default: process.env.CAIRN_SIM_CAN ?? "" },
  },
});

const shownNotes = 60;
const shownProblems = 10;
const largestSeed = 2 ** 31;

interface Tally {
  seeds: number;
  failed: number;
  simulatedMs: number;
}

const first = Number(values.first ?? process.env.CAIRN_SIM_FIRST ?? anyFirst());
const seeds =
  values.hours === undefined
    ? Number(values.seeds ?? process.env.CAIRN_SIM_SEEDS ?? 100)
    : Number.POSITIVE_INFINITY;
const processes = Math.min(Number(values.processes), seeds);
const beganMs = performance.now();
// Nobody reads where errors come from before a seed is repeated, and each costs as much as ten events.
if (!values.verbose) Error.stackTraceLimit = 0;
const endsMs = beganMs + Number(values.hours ?? Number.POSITIVE_INFINITY) * 3_600_000;

function anyFirst(): number {
  return values.hours === undefined ? 1 : Math.floor(Math.random() * largestSeed);
}

async function runShare(number: number, of: number): Promise<Tally> {
  const tally: Tally = { seeds: 0, failed: 0, simulatedMs: 0 };
  for (let seed = first + number; seed < first + seeds && performance.now() < endsMs; seed += of) {
    tally.seeds += 1;
    const onNote = values.verbose ? { onNote: (line: string) => console.log(line) } : {};
    const can = withCapabilities(values.can);
    const result = await simulate(seed, { ...onNote, can });
    tally.simulatedMs += result.simulatedMs;
    const problems = [...result.violations];
    if (values.twice) {
      const again = await simulate(seed, { can });
      if (again.hash !== result.hash) problems.push(`two runs: ${result.hash} and ${again.hash}`);
    }
    if (values.progress) console.log(seed, result.events, Math.round(result.simulatedMs));
    if (values.verbose) console.log(result.hash, Object.fromEntries(result.counts));
    if (problems.length === 0) continue;
    tally.failed += 1;
    const trace = values.verbose ? [] : ["its last notes:", ...result.notes.slice(-shownNotes)];
    const found = [`seed ${seed} found:`, ...problems.slice(0, shownProblems), ...trace];
    console.log(
      `\n${found.join("\n  ")}\nrepeat: npm run simulate -- --first ${seed} --seeds 1 --verbose${values.can === "" ? "" : ` --can ${values.can}`}`,
    );
  }
  return tally;
}

function runInProcess(number: number): Promise<Tally> {
  const share = ["--share", `${number}/${processes}`, "--first", String(first)];
  const child = fork(fileURLToPath(import.meta.url), [...process.argv.slice(2), ...share], {
    // A run leaves much garbage at its end, and little before.
    execArgv: ["--max-semi-space-size=64"],
  });
  return new Promise((resolve, reject) => {
    child.once("message", (tally) => resolve(tally as Tally));
    child.once("exit", (code) => {
      reject(new Error(`a process of the simulation ended with ${code} before it was done`));
    });
  });
}

if (values.share !== undefined) {
  const [number = 0, of = 1] = values.share.split("/").map(Number);
  process.send?.(await runShare(number, of));
  process.disconnect?.();
} else {
  const tallies =
    processes > 1
      ? await Promise.all(
          Array.from({ length: processes }, (_each, number) => runInProcess(number)),
        )
      : [await runShare(0, 1)];
  const sum = (of: (tally: Tally) => number): number =>
    tallies.reduce((total, tally) => total + of(tally), 0);
  const failed = sum((tally) => tally.failed);
  const hours = (sum(({ simulatedMs }) => simulatedMs) / 3_600_000).toFixed(1);
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(0);
  const count = sum((tally) => tally.seeds);
  console.log(
    `${count} seeds from ${first} on, ${failed} failed; ${hours} simulated hours took ${seconds} s`,
  );
  process.exitCode = failed === 0 ? 0 : 1;
}

/**
 * How fast changes reach the second storage of a group: two nodes of its own on loopback addresses, with their data in a temporary folder.
 * `burst`: 2,000 files of 16 KiB at 16 connections; how long after the last answer all are on the other node. `steady`: five files a second;
 * how long each takes from its answer until it is there. And the CPU time a file at both nodes.
 *
 *   npx node test/bench/replication.ts
 *   npx node test/bench/replication.ts --files 2000 --size 16384 --seconds 20 --set storage.durability=relaxed
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { NodeGroup } from "../support/node-group.ts";

const limitMs = 60_000;
const ticksPerSecond = 100;

interface Plan {
  readonly files: number;
  readonly size: number;
  readonly connections: number;
  readonly seconds: number;
  readonly settings: readonly string[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      files: { type: "string", default: "2000" },
      size: { type: "string", default: "16384" },
      connections: { type: "string", default: "16" },
      seconds: { type: "string", default: "10" },
      rounds: { type: "string", default: "3" },
      set: { type: "string", multiple: true, default: [] },
    },
  });
  const plan: Plan = {
    files: Number(values.files),
    size: Number(values.size),
    connections: Number(values.connections),
    seconds: Number(values.seconds),
    settings: values.set,
  };
  const group = await NodeGroup.start({ count: 2, settings: plan.settings });
  try {
    for (let round = 0; round < Number(values.rounds); round += 1) await burst(group, plan);
    await steady(group, plan);
  } finally {
    await group[Symbol.asyncDispose]();
  }
}

async function burst(group: NodeGroup, plan: Plan): Promise<void> {
  const content = Buffer.alloc(plan.size, 0x5a);
  const target = new Arrivals(group);
  const before = [cpuMs(group, 0), cpuMs(group, 1)];
  let left = plan.files;
  const started = performance.now();
  const lane = async (): Promise<void> => {
    const caller = await group.caller(0);
    while (left > 0) {
      left -= 1;
      await caller.upload(content);
    }
    caller.close();
  };
  await Promise.all(Array.from({ length: plan.connections }, lane));
  const answered = performance.now();
  await target.wait(plan.files);
  const there = performance.now();
  await pause(300);
  const cpu = [0, 1].map(
    (node) => ((cpuMs(group, node) - (before[node] ?? 0)) * 1000) / plan.files,
  );
  console.log(
    `burst: ${plan.files} files of ${plan.size} B in ${Math.round(answered - started)} ms; all there ${Math.round(there - answered)} ms after the last answer; CPU a file: source ${cpu[0]?.toFixed(0)} µs, receiver ${cpu[1]?.toFixed(0)} µs`,
  );
}

async function steady(group: NodeGroup, plan: Plan): Promise<void> {
  const caller = await group.caller(0);
  const lags: number[] = [];
  for (let at = 0; at < plan.seconds * 5; at += 1) {
    const target = new Arrivals(group);
    await caller.upload(Buffer.alloc(plan.size, at));
    const answered = performance.now();
    await target.wait(1);
    lags.push(performance.now() - answered);
    await pause(
      200 - (performance.now() - answered) > 0 ? 200 - (performance.now() - answered) : 0,
    );
  }
  caller.close();
  lags.sort((one, other) => one - other);
  const at = (share: number): string =>
    (lags[Math.floor((lags.length - 1) * share)] ?? 0).toFixed(1);
  console.log(
    `steady: 5 files a second, lag p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`,
  );
}

/** Records of the binlog of the second node that were added since it was made: they are written when the file is there. */
class Arrivals {
  readonly #folder: string;
  readonly #before: number;

  constructor(group: NodeGroup) {
    this.#folder = join(group.store(1), "data", "sync");
    this.#before = this.#count();
  }

  async wait(count: number): Promise<void> {
    const until = performance.now() + limitMs;
    while (this.#count() - this.#before < count) {
      if (performance.now() > until) throw new Error("the files do not arrive");
      await pause(1);
    }
  }

  #count(): number {
    let count = 0;
    for (const name of readdirSync(this.#folder)) {
      if (!/^binlog\.\d+$/.test(name)) continue;
      for (const byte of readFileSync(join(this.#folder, name))) if (byte === 0x0a) count += 1;
    }
    return count;
  }
}

/** User and system time of a node so far. */
function cpuMs(group: NodeGroup, node: number): number {
  const stat = readFileSync(`/proc/${group.processes[node]?.pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

await main();

/**
 * What many files cost a group of two nodes on loopback addresses: memory, start, one comparison of all files without a difference, and
 * what is kept beside the files. The files come by ordinary uploads at the first node, and replicate. Memory of sources that run as they
 * are is about 60 MiB more than that of the executable (`CAIRN_EXECUTABLE`).
 *
 *   TMPDIR=/dev/shm npx node test/bench/scale.ts --files 2000000 --size 512 --set storage.packing=on
 *   npx node test/bench/scale.ts --files 200000 --size 512
 */
import { execFile, execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";
import { NodeGroup } from "../support/node-group.ts";
import { program } from "../support/node-process.ts";

const ticksPerSecond = 100;
const mebibyte = 1024 ** 2;
/** For the slower one of the two nodes to catch up. */
const catchUpLimitMs = 1_800_000;
const reportEveryMs = 20_000;

interface Plan {
  readonly files: number;
  readonly size: number;
  readonly connections: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      files: { type: "string", default: "200000" },
      size: { type: "string", default: "512" },
      connections: { type: "string", default: "32" },
      set: { type: "string", multiple: true, default: [] },
    },
  });
  const plan: Plan = {
    files: Number(values.files),
    size: Number(values.size),
    connections: Number(values.connections),
  };
  const settings = ["storage.durability=relaxed", "storage.verify_interval=0s", ...values.set];
  const group = await NodeGroup.start({ count: 2, settings });
  try {
    tell("empty", group);
    await upload(group, plan);
    tell("stored", group);
    await replicated(group, plan.files);
    tell("replicated", group);
    kept(group, plan.files);
    for (const node of [0, 1]) await group.stop(node);
    for (const node of [0, 1]) {
      await group.run(node);
      const ms = Math.round(group.processes[node]?.readyAfterMs ?? 0);
      console.log(`start after an orderly end: node ${node} ready after ${ms} ms`);
    }
    await pause(5000);
    tell("started", group);
    await compare(group, "the first");
    tell("compared", group);
    await compare(group, "another");
    tell("compared again", group);
    for (const node of [0, 1]) await group.kill(node);
    for (const node of [0, 1]) {
      await group.run(node);
      const ms = Math.round(group.processes[node]?.readyAfterMs ?? 0);
      console.log(`start after a kill: node ${node} ready after ${ms} ms`);
    }
  } finally {
    await group[Symbol.asyncDispose]();
  }
}

async function upload(group: NodeGroup, { files, size, connections }: Plan): Promise<void> {
  const started = performance.now();
  let next = 0;
  let told = started;
  const lane = async (): Promise<void> => {
    const caller = await group.caller(0);
    const content = Buffer.alloc(size, 0x5a);
    while (next < files) {
      content.writeUInt32LE(next, 0);
      next += 1;
      await caller.upload(content);
      if (performance.now() - told < reportEveryMs) continue;
      told = performance.now();
      tell(`${next} files`, group);
    }
    caller.close();
  };
  await Promise.all(Array.from({ length: connections }, lane));
  const seconds = (performance.now() - started) / 1000;
  console.log(`stored ${files} files of ${size} B in ${seconds.toFixed(1)} s`);
}

/** The second node has a record of each. */
async function replicated(group: NodeGroup, files: number): Promise<void> {
  const until = performance.now() + catchUpLimitMs;
  const whole = binlogBytes(group, 0);
  while (binlogBytes(group, 1) < whole) {
    if (performance.now() > until) throw new Error(`not ${files} files in time`);
    await pause(500);
  }
}

function binlogBytes(group: NodeGroup, node: number): number {
  const folder = join(group.store(node), "data", "sync");
  const names = readdirSync(folder).filter((name) => /^binlog\.\d+$/.test(name));
  return names.reduce((total, name) => total + statSync(join(folder, name)).size, 0);
}

/** What lies beside the files, by what it is. */
function kept(group: NodeGroup, files: number): void {
  for (const node of [0, 1]) {
    const state = ["state.sqlite", "state.sqlite-wal"].map((name) =>
      sizeOf(join(group.folder, String(node), name)),
    );
    const own = folderBytes(join(group.store(node), "data", ".cairn"));
    const binlog = binlogBytes(group, node);
    const each = (bytes: number): string =>
      `${Math.round(bytes / 1024)} KiB (${(bytes / files).toFixed(2)} B a file)`;
    console.log(
      `kept at node ${node}: ${onDisk(group, node)} MiB on disk; of it binlog ${each(binlog)}, .cairn ${each(own)}, state.sqlite ${each(sum(state))}`,
    );
  }
}

/** In MiB, the files themselves included. */
function onDisk(group: NodeGroup, node: number): string {
  const words = execFileSync("du", ["-sm", join(group.folder, String(node))], { encoding: "utf8" });
  return words.split("\t")[0] ?? "";
}

function folderBytes(folder: string): number {
  let entries: ReturnType<typeof readEntries>;
  try {
    entries = readEntries(folder);
  } catch {
    return 0;
  }
  return sum(
    entries.map((each) => {
      const path = join(folder, each.name);
      return each.isDirectory() ? folderBytes(path) : sizeOf(path);
    }),
  );
}

function readEntries(folder: string) {
  return readdirSync(folder, { withFileTypes: true });
}

async function compare(group: NodeGroup, which: string): Promise<void> {
  const before = [0, 1].map((node) => cpuSeconds(group, node));
  const started = performance.now();
  const { command, leading } = program();
  const socket = join(group.folder, "0", "cairn.sock");
  const words = [...leading, "verify", "peers", "--json", "--socket", socket];
  const { stdout } = await promisify(execFile)(command, words, { timeout: catchUpLimitMs });
  const seconds = (performance.now() - started) / 1000;
  const [first = 0, second = 0] = [0, 1].map(
    (node) => cpuSeconds(group, node) - (before[node] ?? 0),
  );
  const { files, found, failed } = JSON.parse(stdout);
  console.log(
    `${which} comparison: ${files} files, ${found} different, ${failed} failed, ${seconds.toFixed(1)} s; CPU ${first.toFixed(1)} s at the one that asks, ${second.toFixed(1)} s at the other`,
  );
}

function tell(when: string, group: NodeGroup): void {
  const words = [0, 1].map((node) => {
    const status = readFileSync(`/proc/${group.processes[node]?.pid}/status`, "latin1");
    const kib = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
    const mib = (value: number): string => `${Math.round((value * 1024) / mebibyte)} MiB`;
    return `node ${node} ${mib(kib("RssAnon"))} of its own, ${mib(kib("VmRSS"))} resident, most ${mib(kib("VmHWM"))}`;
  });
  console.log(`memory ${when}: ${words.join("; ")}`);
}

/** User and system time of a node so far. */
function cpuSeconds(group: NodeGroup, node: number): number {
  const stat = readFileSync(`/proc/${group.processes[node]?.pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

await main();

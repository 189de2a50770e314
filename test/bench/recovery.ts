/**
 * How fast a store path is filled again: `node test/bench/recovery.ts [--alone] DIRECTORY FILES [BYTES] [SETTING…]`. Two nodes on loopback addresses;
 * one gets the files, the other one has its store path wiped when it has them, and is started again. Prints the rate from the first line of
 * the recovery in its log to the last, the rate at which the same disk takes the same bytes in files that are flushed one by one, 16 at a
 * time, and the time of downloads at the other node, alone and during the recovery; with `--alone` nobody downloads meanwhile.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { freePorts } from "../support/free-ports.ts";
import { logLines } from "../support/live-node.ts";
import { NodeProcess } from "../support/node-process.ts";
import { StorageCaller } from "../support/storage-caller.ts";

const isAlone = process.argv[2] === "--alone";
const [directory = "", files = "0", size = "1048576", ...settings] = process.argv.slice(
  isAlone ? 3 : 2,
);
const count = Number(files);
const bytes = Number(size);
if (directory === "" || !(count > 0)) {
  process.stderr.write(
    "usage: node test/bench/recovery.ts [--alone] DIRECTORY FILES [BYTES] [SETTING…]\n",
  );
  process.exit(64);
}
const folder = mkdtempSync(join(directory, "recovery-"));
const [tracker = 0, storage = 0, gateway = 0] = await freePorts(3);
const ports = { tracker, storage, gateway };
const address = (at: number): string => `127.99.0.${at + 2}`;

function run(at: number): Promise<NodeProcess> {
  const dataDirectory = join(folder, String(at));
  mkdirSync(dataDirectory, { recursive: true });
  const roles = at === 0 ? "tracker,storage" : "storage";
  const own = [`node.bind=${address(at)}`, `node.roles=${roles}`, "storage.heart_beat_interval=1s"];
  const all = [...own, `storage.trackers=${address(0)}:${tracker}`, "storage.verify_interval=0s"];
  return NodeProcess.start({ dataDirectory, ports, settings: [...all, ...settings] });
}

async function until(limitMs: number, holds: () => boolean): Promise<void> {
  const end = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error("it takes too long");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function content(at: number): Buffer {
  const buffer = Buffer.alloc(bytes, at & 255);
  buffer.writeUInt32BE(at);
  return buffer;
}

/** Milliseconds of a download at node 0, over and over, until told to end. */
async function downloads(names: readonly string[], goesOn: () => boolean): Promise<number[]> {
  const caller = await StorageCaller.connect(storage, "group1", address(0));
  const times: number[] = [];
  for (let at = 0; goesOn(); at = (at + 7) % names.length) {
    const began = performance.now();
    await caller.download(names[at] ?? "");
    times.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  caller.close();
  return times.sort((one, other) => one - other);
}

function say(what: string): void {
  process.stdout.write(`${what}\n`);
}

function rate(milliseconds: number): string {
  return `${((count * bytes) / 1048576 / (milliseconds / 1000)).toFixed(1)} MiB/s`;
}

function percentiles(times: readonly number[]): string {
  const at = (part: number): string => (times[Math.floor(times.length * part)] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms of ${times.length}`;
}

async function diskRate(): Promise<number> {
  const into = join(folder, "disk");
  mkdirSync(into);
  const began = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const at = next++;
      const file = await open(join(into, String(at)), "w");
      await file.write(content(at));
      await file.datasync();
      await file.close();
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  const took = performance.now() - began;
  rmSync(into, { recursive: true });
  return took;
}

const nodes = [await run(0), await run(1)];
try {
  const names: string[] = [];
  await until(30_000, () => (nodes[1]?.errors ?? "").includes('"to":"ACTIVE"'));
  const callers = await Promise.all(
    [0, 1, 2, 3].map(() => StorageCaller.connect(storage, "group1", address(0))),
  );
  let next = 0;
  await Promise.all(
    callers.map(async (caller) => {
      while (next < count) names.push(await caller.upload(content(next++)));
      caller.close();
    }),
  );
  const small = await StorageCaller.connect(storage, "group1", address(0));
  const probes: string[] = [];
  for (let at = 0; at < 100; at += 1) probes.push(await small.upload(Buffer.alloc(16_384, at)));
  small.close();
  await new Promise((resolve) => setTimeout(resolve, 8000));
  const alone = downloads(probes, untilAfter(3000));
  say(`downloads of 16 KiB at the other node, alone: ${percentiles(await alone)}`);
  await nodes[1]?.stop();
  rmSync(join(folder, "1", "store0"), { recursive: true });
  mkdirSync(join(folder, "1", "store0"));
  const again = await run(1);
  nodes[1] = again;
  const cpuBefore = cpuSeconds();
  let running = !isAlone;
  const during = downloads(probes, () => running);
  await until(1_800_000, () => again.errors.includes("store-path-recovered"));
  running = false;
  const lines = logLines(again.errors);
  const timeOf = (event: string): number =>
    Date.parse(String(lines.find((line) => line.event === event)?.time));
  const took = timeOf("store-path-recovered") - timeOf("store-path-recovery");
  say(`downloads during the recovery: ${percentiles(await during)}`);
  say(
    `recovery: ${rate(took)}, ${(took / 1000).toFixed(1)} s for ${count} files of ${bytes} bytes`,
  );
  say(`CPU of both nodes: ${(cpuSeconds() - cpuBefore).toFixed(1)} s`);
  say(`disk alone: ${rate(await diskRate())}`);
} finally {
  await Promise.all(nodes.map((node) => node.stop()));
  rmSync(folder, { recursive: true, force: true });
}

/** Of both nodes as they are now, user and system. */
function cpuSeconds(): number {
  let ticks = 0;
  for (const node of nodes) {
    const fields = readFileSync(`/proc/${node.pid}/stat`, "latin1")
      .replace(/^.*\) /, "")
      .split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / 100;
}

function untilAfter(ms: number): () => boolean {
  const end = performance.now() + ms;
  return () => performance.now() < end;
}

/**
 * Measures looking at disks: how long a round takes and what it costs the main thread, with a number of loop devices of this program's own,
 * and again with one more that hangs (NTFS whose server is stopped). As root:
 *
 *   node test/bench/disks.ts [--disks 8] [--rounds 20]
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Log } from "#base/log.ts";
import { DiskInventory } from "#disks/disk-inventory.ts";
import { nodeChildren } from "#platform/node/node-children.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { LoopDevice, run } from "../support/loop-device.ts";

const { values } = parseArgs({
  options: { disks: { type: "string", default: "8" }, rounds: { type: "string", default: "20" } },
});
const rounds = Number(values.rounds);
const settleMs = 5000;

interface Figures {
  readonly rounds: readonly number[];
  readonly mainThread: readonly number[];
  /** Of the event loop, all in all, in a round. */
  readonly loopMs: number;
  readonly cpuMs: number;
}

async function measure(inventory: DiskInventory): Promise<Figures> {
  const found = { rounds: [] as number[], mainThread: [] as number[] };
  const child = childCpuMs();
  const before = performance.eventLoopUtilization();
  for (let count = 0; count < rounds; count += 1) {
    await inventory.look();
    found.rounds.push(inventory.report.roundMs);
    found.mainThread.push(inventory.report.mainThreadMs);
  }
  const { active } = performance.eventLoopUtilization(before);
  return { ...found, loopMs: active / rounds, cpuMs: (childCpuMs() - child) / rounds };
}

/** CPU time of the probe child. */
function childCpuMs(): number {
  const children = execFileSync("ps", ["-o", "pid=,args=", "--ppid", String(process.pid)]);
  const line = children
    .toString()
    .split("\n")
    .find((each) => each.endsWith(" probe"));
  const stat = readFileSync(`/proc/${line?.trim().split(/\s+/)[0]}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function print(name: string, { rounds: all, mainThread, loopMs, cpuMs }: Figures): void {
  const words = [
    `${name}:`.padEnd(26),
    `round ${summary(all)}`,
    `main thread ${summary(mainThread)}`,
  ];
  words.push(`event loop ${loopMs.toFixed(1)} ms a round`);
  console.log([...words, `child ${cpuMs.toFixed(1)} ms CPU a round`].join("  "));
}

function summary(all: readonly number[]): string {
  const sorted = all.toSorted((one, other) => one - other);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(1);
  return `${at(0.5)} ms (max ${at(1)})`;
}

async function main(): Promise<void> {
  using disks = new DisposableStack();
  for (let count = 1; count < Number(values.disks); count += 1) {
    const disk = disks.use(new LoopDevice(32));
    run("mkfs.ext4", "-q", disk.path);
    mkdirSync(join(disk.folder, "point"));
    run("mount", disk.path, join(disk.folder, "point"));
  }
  const ntfs = disks.use(new LoopDevice(16));
  run("mkfs.ntfs", "-q", "-F", "-f", ntfs.path);
  const point = join(ntfs.folder, "point");
  mkdirSync(point);
  run("ntfs-3g", ntfs.path, point);
  const server = Number(run("pgrep", "-f", `ntfs-3g ${ntfs.path}`).trim().split("\n")[0]);
  disks.defer(() => process.kill(server, "SIGCONT"));
  const inventory = new DiskInventory({
    ...{ children: nodeChildren(), clock: nodeClock, log: new Log("disks", () => {}) },
    ...{ periodMs: 3_600_000, ownDirectories: [] },
  });
  disks.defer(() => inventory.stop());
  const alive = setInterval(() => {}, 1000);
  disks.defer(() => clearInterval(alive));
  inventory.start();
  await inventory.look(["*"]);
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  console.log(`${inventory.disks.length} disks, ${rounds} rounds`);
  print("all answer", await measure(inventory));
  process.kill(server, "SIGSTOP");
  print("one hangs", await measure(inventory));
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  await inventory.look();
  const hanging = inventory.report.problems.join("; ");
  console.log(`said of it: ${hanging}`);
}

await main();

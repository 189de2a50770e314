/** The machine itself: runtime, memory, open files, clock. */
import type { Finding } from "#cli/doctor/finding.ts";
import { readableSize, readableTime } from "#cli/render/units.ts";
import { type Clock, nowSeconds } from "#platform/clock.ts";
import type { Machine } from "#platform/machine.ts";

const leastRuntime = 26;
const leastMemoryBytes = 256 * 1024 * 1024;
/** Enough for the default number of connections of three roles. */
const enoughOpenFiles = 65_536;
const fewOpenFiles = 1024;
/** 2026-01-01: nothing of this program is older. */
const earliestTime = 1_767_225_600;
/** 2100-01-01 */
const latestTime = 4_102_444_800;

export function checkRuntime(machine: Machine): Finding {
  const { runtimeVersion, system, cpuCount, memoryBytes } = machine;
  const finding = `Node ${runtimeVersion} on ${system}, ${cpuCount} CPUs, ${readableSize(memoryBytes)} of memory`;
  const major = Number.parseInt(runtimeVersion, 10);
  if (major < leastRuntime) {
    const advice = `cairn is made for Node ${leastRuntime}: run the Node that npm ci installs, or the executable`;
    return { check: "runtime", verdict: "bad", finding, advice };
  }
  if (!system.startsWith("Linux ")) {
    const advice = "cairn is made for Linux: durability elsewhere was never tested";
    return { check: "runtime", verdict: "warning", finding, advice };
  }
  if (memoryBytes < leastMemoryBytes) {
    const advice = "a node needs about 120 MiB for itself; leave room for the page cache";
    return { check: "runtime", verdict: "warning", finding, advice };
  }
  return { check: "runtime", verdict: "good", finding };
}

export async function checkOpenFiles(machine: Machine): Promise<Finding> {
  const check = "open files";
  const limit = await machine.openFilesLimit();
  if (limit === undefined) {
    return { check, verdict: "unknown", finding: "the system does not tell the limit" };
  }
  if (limit.soft === undefined) return { check, verdict: "good", finding: "without limit" };
  const finding = `at most ${limit.soft} files and connections at the same time`;
  if (limit.soft >= enoughOpenFiles) return { check, verdict: "good", finding };
  const verdict = limit.soft < fewOpenFiles ? "bad" : "warning";
  const advice = `raise it to ${enoughOpenFiles} (LimitNOFILE= in the unit, ulimit -n in a shell), or lower node.max_connections`;
  return { check, verdict, finding, advice };
}

export async function checkClock(machine: Machine, clock: Clock): Promise<Finding> {
  const check = "clock";
  const now = nowSeconds(clock);
  const finding = `it is ${readableTime(now)}`;
  if (now < earliestTime || now >= latestTime) {
    const advice = "file ids carry the time of their upload: set the clock before files are stored";
    return { check, verdict: "bad", finding, advice };
  }
  const isSynchronized = await machine.clockIsSynchronized();
  if (isSynchronized === undefined) {
    return {
      check,
      verdict: "good",
      finding: `${finding}; whether a time server keeps it is unknown`,
    };
  }
  if (isSynchronized)
    return { check, verdict: "good", finding: `${finding}, kept by a time server` };
  const advice = "systemd-timesyncd has not reached a time server: see timedatectl";
  return { check, verdict: "warning", finding, advice };
}

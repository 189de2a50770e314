/**
 * What is looked at every few seconds to know how disks are: the kernel's counters, mounts and log. None of it touches a disk. Taken in the
 * probe child and sent to the daemon, whose thread reads no file for it.
 */

import { hasCode } from "#base/app-error.ts";
import {
  choice,
  flag,
  list,
  readShape,
  record,
  type ShapeValue,
  text,
  wholeNumber,
} from "#base/schema.ts";
import {
  blockCountersShape,
  maxCountedDisks,
  readBlockCounters,
} from "#disks/health/block-counters.ts";
import { maxKernelLineLength, parseKernelLine } from "#disks/health/kernel-line.ts";
import type { KernelLog } from "#platform/kernel-log.ts";
import { isReadOnlyMount, parseMounts } from "#platform/mount-table.ts";
import type { SystemFiles } from "#platform/system-files.ts";

/** Between two looks. */
export const healthLookMs = 10_000;
/** Of one look; what is beyond says nothing that these do not. */
const maxFaults = 500;
const maxMounts = 256;

const fault = record({
  kind: choice("io-error", "reset", "file-system", "read-only", "attached", "mounted"),
  device: text({ maxLength: 64 }),
  words: text({ maxLength: maxKernelLineLength }),
  /** Unix seconds. */
  at: wholeNumber(),
});

const mount = record({
  source: text({ maxLength: 4096 }),
  point: text({ maxLength: 4096 }),
  readOnly: flag(),
});

const healthLook = record({
  counters: blockCountersShape,
  /** Of block devices. */
  mounts: list(mount, { max: maxMounts }),
  faults: list(fault, { max: maxFaults }),
  /** False where the kernel's log may not be read. */
  hearsKernel: flag(),
});

export type HealthLook = ShapeValue<typeof healthLook>;

export interface LookWorld {
  readonly files: Pick<SystemFiles, "readText" | "list">;
  readonly kernel: KernelLog;
}

/** RAM disks and the like have no health. */
const noDisk = /^(?:ram|zram|loop|dm-|md|nbd|fd|sr)\d/;

/** Never rejects, and waits for nothing but `journalctl` where that is asked. */
export async function takeHealthLook({ files, kernel }: LookWorld): Promise<HealthLook> {
  const names = files.list("/sys/block").filter((name) => !noDisk.test(name));
  const mounts = parseMounts(files.readText("/proc/self/mountinfo") ?? "")
    .filter(({ source }) => source.startsWith("/dev/"))
    .map((each) => ({ source: each.source, point: each.point, readOnly: isReadOnlyMount(each) }));
  const messages = await kernel.take();
  const faults = (messages ?? []).flatMap(({ text: line, atSeconds }) => {
    const found = parseKernelLine(line);
    return found === undefined ? [] : [{ ...found, at: Math.max(0, atSeconds) }];
  });
  return {
    counters: readBlockCounters(files, names.slice(0, maxCountedDisks)),
    mounts: mounts.slice(0, maxMounts),
    faults: faults.slice(-maxFaults),
    hearsKernel: messages !== undefined,
  };
}

/** Undefined for what is no look. */
export function parseHealthLook(value: unknown): HealthLook | undefined {
  try {
    return readShape(healthLook, value, { what: "look", surplus: "drop" });
  } catch (error) {
    if (hasCode(error, "shape-mismatch")) return undefined;
    throw error;
  }
}

/**
 * What the kernel counts for each disk, from `/sys/block/X`: reading it touches no disk and wakes none. How often a SCSI command failed
 * (`ioerr_cnt`) is a weak sign: questions that a bridge does not understand count as well, smartctl's and the kernel's own. Runs where
 * `SystemFiles` may be used: in the probe child.
 */
import { flag, list, optional, record, type ShapeValue, text, wholeNumber } from "#base/schema.ts";
import type { SystemFiles } from "#platform/system-files.ts";

export const maxCountedDisks = 64;

const counters = record({
  name: text({ maxLength: 40 }),
  /** Of this plugging; see `DiskFacts.sequence`. */
  sequence: optional(wholeNumber()),
  reads: wholeNumber(),
  readMs: wholeNumber(),
  writes: wholeNumber(),
  writeMs: wholeNumber(),
  flushes: wholeNumber(),
  flushMs: wholeNumber(),
  inFlight: wholeNumber(),
  /** Commands that failed, whosever. */
  failedCommands: optional(wholeNumber()),
  /** The kernel has put it to sleep. */
  suspended: flag(),
});

export const blockCountersShape = list(counters, { max: maxCountedDisks });

export type BlockCounters = ShapeValue<typeof counters>;

/** Of the disks of these names that are there. */
export function readBlockCounters(
  files: Pick<SystemFiles, "readText">,
  names: readonly string[],
): readonly BlockCounters[] {
  return names
    .slice(0, maxCountedDisks)
    .map((name) => countersOf(files, name))
    .filter((each) => each !== undefined);
}

function countersOf(files: Pick<SystemFiles, "readText">, name: string): BlockCounters | undefined {
  const at = `/sys/block/${name}`;
  const stat = parseBlockStat(files.readText(`${at}/stat`) ?? "");
  if (stat === undefined) return undefined;
  const failed = Number(files.readText(`${at}/device/ioerr_cnt`)?.trim() || Number.NaN);
  const sequence = Number(files.readText(`${at}/diskseq`)?.trim() || Number.NaN);
  return {
    name,
    sequence: Number.isSafeInteger(sequence) ? sequence : undefined,
    ...stat,
    failedCommands: Number.isSafeInteger(failed) ? failed : undefined,
    suspended: files.readText(`${at}/device/power/runtime_status`)?.trim() === "suspended",
  };
}

type StatCounters = Omit<BlockCounters, "name" | "sequence" | "failedCommands" | "suspended">;

/** Kernels before 4.18 have 11 fields, before 5.5 15 and now 17, of which the last two are flushes. */
export function parseBlockStat(text: string): StatCounters | undefined {
  const fields = text.trim().split(/\s+/).map(Number);
  if (fields.length < 11 || fields.some((each) => !Number.isSafeInteger(each) || each < 0)) {
    return undefined;
  }
  const [reads = 0, , , readMs = 0, writes = 0, , , writeMs = 0, inFlight = 0] = fields;
  const [flushes = 0, flushMs = 0] = fields.slice(15);
  return { reads, readMs, writes, writeMs, flushes, flushMs, inFlight };
}

/** Whether anything was asked of the disk between two looks. */
export function wasUsed(before: BlockCounters, now: BlockCounters): boolean {
  return (
    now.inFlight > 0 ||
    before.reads !== now.reads ||
    before.writes !== now.writes ||
    before.flushes !== now.flushes
  );
}

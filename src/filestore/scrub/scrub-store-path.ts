/**
 * A scrub of a store path that nobody serves, such as on a disk pulled from an old FastDFS server: no daemon, no database, nothing is
 * written. Packed files are compared with the binlog's names as well, where the disk carries one. Synchronous, in steps.
 */
import { BinlogReader } from "#filestore/binlog/binlog-reader.ts";
import { binlogStart } from "#filestore/binlog/position.ts";
import { slotKey } from "#filestore/inventory/inventory-entry.ts";
import { dataOf } from "#filestore/scrub/data-directory.ts";
import { emptyTally, type Finding, type ScrubTally } from "#filestore/scrub/findings.ts";
import { readOnlyFiles } from "#filestore/scrub/read-only-files.ts";
import { scrubDirectory } from "#filestore/scrub/scrub-directory.ts";
import { SideRecords } from "#filestore/scrub/side-records.ts";
import { SlotRegister } from "#filestore/scrub/slot-register.ts";
import { directoryNumbers } from "#filestore/worker/directory-tree.ts";
import { directoryName } from "#model/remote-filename.ts";
import { type Clock, nowSeconds } from "#platform/clock.ts";
import type { DiskReads } from "#platform/disk-reads.ts";
import { FileError, type Files } from "#platform/files.ts";

/** Damaged files that are listed; further ones are counted. */
export const maxListed = 100_000;

export interface ScrubbedDirectory {
  /** A store path, or the directory `data` of one. */
  readonly directory: string;
  readonly files: Files;
  readonly disk: DiskReads;
  readonly clock: Clock;
}

export interface ListedDamage extends Finding {
  /** The logical name of a packed file, where the binlog has it. */
  readonly name: string | undefined;
}

export interface StorePathReport {
  /** The directory `data`. */
  readonly data: string;
  readonly tally: ScrubTally;
  readonly damaged: readonly ListedDamage[];
  /** In trunk files, neither zeros nor a packed file, and no name of the binlog lies there. */
  readonly strange: readonly ListedDamage[];
  /** Whether names of packed files could be compared: `none` where there is no binlog, `part` where not all of it could be used. */
  readonly names: "all" | "part" | "none";
}

export interface ScrubProgress {
  readonly directories: number;
  readonly directoriesTotal: number;
  readonly tally: ScrubTally;
}

/** Throws `store-path-unfit` where there is no store path, and `FileError`. */
export function* scrubStorePath(
  scrubbed: ScrubbedDirectory,
): Generator<ScrubProgress, StorePathReport> {
  const files = readOnlyFiles(scrubbed.files);
  const data = dataOf(files, scrubbed.directory);
  const tally = emptyTally();
  const found: Finding[] = [];
  const register = new SlotRegister();
  const world = {
    files,
    disk: scrubbed.disk,
    tally,
    data,
    side: new SideRecords(files, `${data}/.cairn`, false),
    nowSeconds: () => nowSeconds(scrubbed.clock),
    readsAhead: () => true,
    isBusy: () => false,
    isSlotBusy: () => false,
    onSlot: (entry: Parameters<SlotRegister["add"]>[0]) => register.add(entry),
    found: (finding: Finding) => {
      if (found.length < maxListed) found.push(finding);
    },
  };
  const leaves = leavesIn(files, data);
  for (const [at, { high, low }] of leaves.entries()) {
    for (const _ of scrubDirectory(world, high, low)) {
      yield { directories: at, directoriesTotal: leaves.length, tally };
    }
  }
  const names = readNames(files, data, register);
  return { data, tally, ...judged(found, register, tally), names };
}

function leavesIn(files: Files, data: string): { readonly high: number; readonly low: number }[] {
  return directoryNumbers(files, data).flatMap((high) =>
    directoryNumbers(files, `${data}/${directoryName(high)}`).map((low) => ({ high, low })),
  );
}

/** A binlog that is missing, compressed or cannot be read tells less, that is all. */
function readNames(files: Files, data: string, register: SlotRegister): StorePathReport["names"] {
  const directory = `${data}/sync`;
  let records = 0;
  try {
    const reader = new BinlogReader({ files, directory, scratch: directory }, binlogStart);
    try {
      for (;;) {
        const chunk = reader.read();
        if (chunk.records.length === 0 && chunk.invalid.length === 0) break;
        for (const { entry } of chunk.records) register.follow(entry);
        records += chunk.records.length;
      }
    } finally {
      reader.close();
    }
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return records === 0 ? "none" : "part";
  }
  if (records === 0) return "none";
  return register.isWhole ? "all" : "part";
}

function judged(
  found: readonly Finding[],
  register: SlotRegister,
  tally: ScrubTally,
): Pick<StorePathReport, "damaged" | "strange"> {
  const damaged: ListedDamage[] = [];
  const strange: ListedDamage[] = [];
  const told = new Set<string>();
  for (const finding of found) {
    const { region } = finding;
    const key = region === undefined ? undefined : slotKey(region.fileId, region.offset);
    const name = key === undefined ? undefined : register.nameOf(key);
    if (finding.damage !== "slot-header") {
      damaged.push({ ...finding, name });
      if (key !== undefined) told.add(key);
    } else {
      strange.push({ ...finding, name });
    }
  }
  // What the binlog has there, and whose header says something else, or is gone.
  for (const { key, name, fileId, offset, slotSize, crc32 } of register.missing()) {
    if (told.has(key) || damaged.length >= maxListed) continue;
    const region = { fileId, offset, size: slotSize, before: undefined };
    const place = name.slice(name.indexOf("/") + 1);
    const sizeBytes = slotSize;
    damaged.push({ place, damage: "slot-header", sizeBytes, crc32, region, name });
    tally.damaged += 1;
  }
  return { damaged, strange };
}

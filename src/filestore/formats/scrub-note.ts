/**
 * `.cairn/scrub`: how far a scrub is and what it found, and `.cairn/scrub-times`: when each of the 65,536 directories was verified last. A
 * note that cannot be read begins anew; times that cannot be read count as never. Pure.
 */
import { crc32 } from "node:zlib";
import {
  formatKeyValueLines,
  parseCount,
  parseKeyValueLines,
} from "#filestore/formats/key-value-lines.ts";
import { leafCount } from "#filestore/inventory/inventory-table.ts";
import { emptyTally, type ScrubTally, tallyKeys } from "#filestore/scrub/findings.ts";

export interface ScrubNote {
  readonly state: "idle" | "running" | "paused";
  /** Unix seconds; 0 for never. Of the run under way, or the last one. */
  readonly begunAt: number;
  /** Of the last run that came to its end. */
  readonly endedAt: number;
  /** Directories before this one are done. */
  readonly leavesDone: number;
  /** Time spent so far, without pauses by a person. */
  readonly activeMs: number;
  /** Bytes a second at most; 0: as fast as the disk. */
  readonly rateBytes: number;
  /** Of the time, in percent, that is used while others wait for the disk. */
  readonly busyShare: number;
  /** Of the run under way, or the last one. */
  readonly tally: ScrubTally;
}

/** Before the first run. */
export function neverScrubbed(): ScrubNote {
  const numbers = { begunAt: 0, endedAt: 0, leavesDone: 0, activeMs: 0, rateBytes: 0 };
  return { state: "idle", ...numbers, busyShare: 3, tally: emptyTally() };
}

export function formatScrubNote(note: ScrubNote): string {
  return formatKeyValueLines([
    ["state", note.state],
    ["begun", note.begunAt],
    ["ended", note.endedAt],
    ["leaves_done", note.leavesDone],
    ["active_ms", Math.floor(note.activeMs)],
    ["rate", note.rateBytes],
    ["busy_share", note.busyShare],
    ...tallyKeys.map((key) => [key, note.tally[key]] as const),
  ]);
}

/** Undefined where a value is missing or is no number. */
export function parseScrubNote(text: string): ScrubNote | undefined {
  const values = parseKeyValueLines(text);
  const state = values.get("state");
  if (state !== "idle" && state !== "running" && state !== "paused") return undefined;
  const count = (key: string): number => parseCount(values.get(key)) ?? Number.NaN;
  const tally = emptyTally();
  for (const key of tallyKeys) tally[key] = count(key);
  const numbers = {
    begunAt: count("begun"),
    endedAt: count("ended"),
    leavesDone: count("leaves_done"),
    activeMs: count("active_ms"),
    rateBytes: count("rate"),
    busyShare: count("busy_share"),
  };
  const all = [...Object.values(numbers), ...tallyKeys.map((key) => tally[key])];
  if (all.some(Number.isNaN) || numbers.leavesDone > leafCount) return undefined;
  if (numbers.busyShare < 1 || numbers.busyShare > 100) return undefined;
  return { state, ...numbers, tally };
}

const timeBytes = 4;
const timesBytes = leafCount * timeBytes;

export function formatScrubTimes(times: Uint32Array): Buffer {
  const bytes = Buffer.alloc(timesBytes + timeBytes);
  for (let leaf = 0; leaf < leafCount; leaf += 1) {
    bytes.writeUInt32LE(times[leaf] ?? 0, leaf * timeBytes);
  }
  bytes.writeUInt32LE(crc32(bytes.subarray(0, timesBytes)), timesBytes);
  return bytes;
}

/** Undefined where it is none, or damaged. */
export function parseScrubTimes(bytes: Buffer): Uint32Array | undefined {
  if (bytes.length !== timesBytes + timeBytes) return undefined;
  if (crc32(bytes.subarray(0, timesBytes)) !== bytes.readUInt32LE(timesBytes)) return undefined;
  const times = new Uint32Array(leafCount);
  for (let leaf = 0; leaf < leafCount; leaf += 1)
    times[leaf] = bytes.readUInt32LE(leaf * timeBytes);
  return times;
}

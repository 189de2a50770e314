/**
 * One line of a log of trunk space (protocol §4.6): `timestamp op path high low id offset size`, op A where a slot becomes free and
 * D where it is free no longer. Trunk binlogs, their snapshots and our own trunk logs have it. Pure. Texts hold one byte a character.
 */
import type { TrunkLocation } from "#model/trunk-location.ts";

export interface TrunkLogEntry {
  /** Unix seconds. */
  readonly timestamp: number;
  readonly kind: "free" | "used";
  readonly location: TrunkLocation;
}

/** Of a line with its end; the longest one that our codec writes has 60. */
export const maxTrunkLogLineBytes = 128;

/** `highest` of each column behind the operation: path, high, low, id, offset, size. */
const highest = [255, 255, 255, 0x7fffffff, 0xffffffff, 0xffffffff] as const;

/** The line with its end. */
export function trunkLogLine(
  kind: TrunkLogEntry["kind"],
  timestamp: number,
  location: TrunkLocation,
): string {
  const { storePathIndex, high, low, fileId, offset, size } = location;
  const op = kind === "free" ? "A" : "D";
  return `${timestamp} ${op} ${storePathIndex} ${high} ${low} ${fileId} ${offset} ${size}\n`;
}

/**
 * Reads a line without its end; undefined for what is none. Snapshots of old releases have no timestamp and operation: such a line is
 * a free slot.
 */
export function parseTrunkLogLine(line: string): TrunkLogEntry | undefined {
  const words = line.split(" ");
  const old = words.length === highest.length;
  if (!old && words.length !== highest.length + 2) return undefined;
  const op = old ? "A" : words[1];
  if (op !== "A" && op !== "D") return undefined;
  const timestamp = old ? 0 : number(words[0], Number.MAX_SAFE_INTEGER);
  const first = old ? 0 : 2;
  const values = highest.map((limit, at) => number(words[first + at], limit));
  const [storePathIndex, high, low, fileId, offset, size] = values;
  if (timestamp === undefined || storePathIndex === undefined || high === undefined)
    return undefined;
  if (low === undefined || fileId === undefined || offset === undefined) return undefined;
  if (size === undefined || size === 0 || fileId === 0) return undefined;
  const location = { storePathIndex, high, low, fileId, offset, size };
  return { timestamp, kind: op === "A" ? "free" : "used", location };
}

function number(word: string | undefined, limit: number): number | undefined {
  if (word === undefined || !/^\d{1,16}$/.test(word)) return undefined;
  const value = Number(word);
  return value <= limit ? value : undefined;
}

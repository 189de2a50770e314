/**
 * What must be equal in two replies to the same request from different servers: everything but addresses, ports, times, counters,
 * sizes of disks, and the random part of names. Works on what the message declarations read, field by field.
 */
import { decodeBase } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";

export type Comparable =
  | null
  | boolean
  | number
  | string
  | readonly Comparable[]
  | { readonly [key: string]: Comparable };

/** What differs from server to server: only that it is there, and of which type. */
const masked = new Set([
  "address",
  "sourceAddress",
  "endpoint",
  "leader",
  "id",
  "port",
  "storagePort",
  "storePathIndex",
  "modifiedAt",
  "joinTime",
  "upTime",
  "lastHeartBeatTime",
  "connections",
  "statistics",
  "totalMb",
  "freeMb",
  "reservedMb",
  "availableMb",
  "currentWriteServer",
  "currentWritePath",
  "subdirCount",
]);

/** How many storages there are differs as well. */
const counts = new Set(["storageCount", "readableCount", "writableCount"]);
const lists = new Set(["servers", "storages", "trackers"]);

export function comparable(value: unknown): Comparable {
  if (value === undefined || value === null) return null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object") return value as Comparable;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, ofField(key, item)]));
}

function ofField(key: string, value: unknown): Comparable {
  if (key === "syncSource") return "any or none";
  if (masked.has(key)) return `a ${typeof value}`;
  if (counts.has(key)) return Number(value) > 0 ? "some" : "none";
  if (lists.has(key) && Array.isArray(value)) return distinct(value.map(comparable));
  if (key === "filename" && typeof value === "string") return comparableName(value);
  return comparable(value);
}

function distinct(values: readonly Comparable[]): Comparable {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

/** What a name says about its file, apart from who stored it, when, and what was drawn by lot. */
export function comparableName(filename: string): Comparable {
  const name = parseRemoteFilename(filename);
  const base = name === undefined ? undefined : decodeBase(name.base);
  if (name === undefined || base === undefined) return filename;
  const { size, crc32, isAppender, isTrunk, isSlave, extension } = base;
  // Behind the encoded part there are digits by lot up to the extension; a slave has its prefix there as well.
  const rest = name.base
    .slice(27)
    .replace(/^\d{1,7}/, (digits) => "9".repeat(isSlave ? 1 : digits.length));
  const kind = isAppender ? "appender" : isTrunk ? "trunk" : "normal";
  return {
    storePathIndex: name.storePathIndex,
    kind: isSlave ? `slave of ${kind}` : kind,
    size: size ?? null,
    crc32,
    length: name.base.length,
    rest,
    extension,
    source: base.source.kind,
  };
}

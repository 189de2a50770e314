/**
 * One thing that an inventory lists, as a line of text: what two storages have alike is the same line on both. A normal file is its
 * name, which says size and CRC-32; appender and slave files and metadata are name, size and time; a packed file is what stands in
 * front of it in its slot. Lines of one directory are ordered by their keys, bytewise. Pure; texts are latin1.
 */

import { base64Word, isBase64 } from "#model/base64.ts";
import { isTrunkBase, normalBaseLength, sizeFlags, trunkBaseLength } from "#model/file-id.ts";

/** A normal file; the key is the last component of its name. */
export interface NamedEntry {
  readonly kind: "named";
  readonly key: string;
}

/** A file whose name does not tell what is in it. */
export interface StatedEntry {
  readonly kind: "stated";
  readonly key: string;
  readonly sizeBytes: number;
  /** Unix seconds. */
  readonly modifiedSeconds: number;
}

export interface SlotEntry {
  readonly kind: "slot";
  readonly key: string;
  readonly fileId: number;
  readonly offset: number;
  readonly slotSize: number;
  readonly sizeBytes: number;
  readonly crc32: number;
  /** Unix seconds, as in its name. */
  readonly timestamp: number;
  readonly content: "file" | "link";
  /** The last seven characters of its name. */
  readonly tail: string;
}

export type InventoryEntry = NamedEntry | StatedEntry | SlotEntry;

/** Numbers have at most ten digits: `#`, file, `#`, offset. */
const numberDigits = 10;
const slotMark = "#";
/** Of one entry's line with its end, in bytes: a name of 127, and two numbers. */
export const maxEntryLine = 192;

/** What a base in a directory stands for, without a look at the file; undefined for what no inventory lists. */
export interface BaseFacts {
  readonly kind: "named" | "stated";
  readonly sourceWord: number;
  /** Unix seconds. */
  readonly timestamp: number;
}

const encoded = 27;

export function factsOfBase(base: string): BaseFacts | undefined {
  const { length } = base;
  if (length < normalBaseLength || !isBase64(base, 0, encoded)) return undefined;
  const high = base64Word(base, 0, 2);
  const isAppender = (high & sizeFlags.appender) !== 0;
  const isWhole = length === normalBaseLength || (length === trunkBaseLength && isTrunkBase(base));
  return {
    kind: isWhole && !isAppender ? "named" : "stated",
    sourceWord: base64Word(base, 0, 0),
    timestamp: base64Word(base, 0, 1),
  };
}

/** Before all names: `#` comes before every character that they begin with. */
export function slotKey(fileId: number, offset: number): string {
  const number = (value: number): string => String(value).padStart(numberDigits, "0");
  return `${slotMark}${number(fileId)}${slotMark}${number(offset)}`;
}

/** File and offset; undefined for the key of a name. */
export function parseSlotKey(
  key: string,
): { readonly fileId: number; readonly offset: number } | undefined {
  if (!/^#\d{10}#\d{10}$/.test(key)) return undefined;
  return { fileId: Number(key.slice(1, 1 + numberDigits)), offset: Number(key.slice(12)) };
}

/** The line, without its end. */
export function formatEntry(entry: InventoryEntry): string {
  switch (entry.kind) {
    case "named":
      return entry.key;
    case "stated":
      return `${entry.key} ${entry.sizeBytes} ${entry.modifiedSeconds}`;
    case "slot": {
      const { slotSize, sizeBytes, crc32, timestamp } = entry;
      const content = entry.content === "file" ? "F" : "L";
      return `${entry.key} ${slotSize} ${sizeBytes} ${crc32} ${timestamp} ${content} ${entry.tail}`;
    }
  }
}

/** Undefined where `line`, without its end, is none. */
export function parseEntry(line: string): InventoryEntry | undefined {
  const [key = "", ...words] = line.split(" ");
  if (key === "" || line.length >= maxEntryLine || !/^[\x21-\x7e]+$/.test(key)) return undefined;
  if (key.includes("/")) return undefined;
  if (key.startsWith(slotMark)) return parseSlot(key, words);
  if (words.length === 0) return { kind: "named", key };
  const [sizeBytes, modifiedSeconds] = words.map(wholeNumber);
  if (words.length !== 2 || sizeBytes === undefined || modifiedSeconds === undefined) {
    return undefined;
  }
  return { kind: "stated", key, sizeBytes, modifiedSeconds };
}

function parseSlot(key: string, words: readonly string[]): SlotEntry | undefined {
  const place = parseSlotKey(key);
  const [slotSize, sizeBytes, crc32, timestamp] = words.slice(0, 4).map(wholeNumber);
  const [content, tail = ""] = words.slice(4);
  if (place === undefined || words.length !== 6 || tail.length !== 7) return undefined;
  if (slotSize === undefined || sizeBytes === undefined) return undefined;
  if (crc32 === undefined || timestamp === undefined) return undefined;
  if (content !== "F" && content !== "L") return undefined;
  const numbers = { slotSize, sizeBytes, crc32, timestamp };
  return {
    kind: "slot",
    key,
    ...place,
    ...numbers,
    content: content === "F" ? "file" : "link",
    tail,
  };
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

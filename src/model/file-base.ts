/**
 * Making the last component of logical names: of new files, of slaves, of regenerated appenders (protocol §3.3 to §3.7). On the
 * path of every upload; randomness comes in from outside.
 */
import { AppError } from "#base/app-error.ts";
import { assert } from "#base/assert.ts";
import { encodeThreeWords, encodeTwoWords } from "#model/base64.ts";
import { type FileSource, sizeFlags, swapBytes, tailLength } from "#model/file-id.ts";
import { isIpv4 } from "#model/ip-address.ts";
import { numericStorageId } from "#model/storage-id.ts";
import type { TrunkSlot } from "#model/trunk-location.ts";

export interface NewBase {
  readonly source: FileSource;
  /** Unix seconds. */
  readonly timestamp: number;
  /** In bytes; appender files are named without it. */
  readonly size: number;
  /** Unsigned. */
  readonly crc32: number;
  /** Lets equal files of one second have different names: 0 … `randomBitsLimit` − 1. */
  readonly randomBits: number;
  readonly kind: "normal" | "appender" | "trunk";
  /** Present exactly for trunk files. */
  readonly trunk?: TrunkSlot;
  /** The random digits and the extension, as `makeTail` makes them. */
  readonly tail: string;
}

export const randomBitsLimit = 2 ** 23;
export const randomDigitsLimit = 10 ** 7;
export const maxExtensionLength = 6;
export const maxPrefixLength = 16;

const twoTo32 = 4294967296;

/** `base` of a new file: 34 characters, or 50 in a trunk file. Throws `AppError("file-source-invalid")`. */
export function makeBase(file: NewBase): string {
  const { kind, size, trunk } = file;
  assert((kind === "trunk") === (trunk !== undefined), "a slot for trunk files alone");
  assert(file.tail.length === tailLength, "digits and extension have 7 characters");
  const long = kind === "normal" && size >= twoTo32;
  const high = long ? Math.floor(size / twoTo32) : flagsOf(kind, file.randomBits);
  const low = kind === "appender" ? 0 : size % twoTo32;
  const name =
    encodeThreeWords(encodeSource(file.source), file.timestamp, high) +
    encodeTwoWords(low, file.crc32);
  if (trunk === undefined) return name + file.tail;
  return name + encodeThreeWords(trunk.fileId, trunk.offset, trunk.size) + file.tail;
}

/** Random decimal digits and the extension, 7 characters together; `randomDigits` is below `randomDigitsLimit`. */
export function makeTail(extension: string, randomDigits: number): string {
  const count = extension === "" ? tailLength : maxExtensionLength - extension.length;
  if (count === 0) return `.${extension}`;
  const digits = String(randomDigits % 10 ** count).padStart(count, "0");
  return extension === "" ? digits : `${digits}.${extension}`;
}

/**
 * True where `base` ends as `makeTail` makes ends. Names of slaves with short prefixes can be as long as those of other files, and tell
 * size and CRC-32 of their masters; nearly all of them end otherwise.
 */
export function hasMadeTail(base: string): boolean {
  const tail = tailOf(base);
  let digits = 0;
  while (
    digits < tailLength &&
    tail.charCodeAt(digits) >= 0x30 &&
    tail.charCodeAt(digits) <= 0x39
  ) {
    digits += 1;
  }
  if (digits === tailLength) return true;
  return digits < maxExtensionLength && tail.charAt(digits) === ".";
}

/** What a regenerated name keeps of the appender's: its last 7 characters. */
export function tailOf(base: string): string {
  return base.slice(-tailLength);
}

/** Name of a slave, logical or base, from that of its master: the extension gives way to prefix and own extension. */
export function slaveName(master: string, prefix: string, extension: string): string {
  const dot = master.indexOf(".", Math.max(0, master.length - tailLength));
  const stem = dot < 0 ? master : master.slice(0, dot);
  if (extension === "") return stem + prefix;
  return extension.startsWith(".") ? stem + prefix + extension : `${stem}${prefix}.${extension}`;
}

/** True when a requested extension (or, with 16, prefix) has at most `maxLength` of `[A-Za-z0-9_.-]`. */
export function isNamePart(text: string, maxLength: number): boolean {
  if (text.length > maxLength) return false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const letter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
    const digit = code >= 0x30 && code <= 0x39;
    if (!letter && !digit && code !== 0x2d && code !== 0x2e && code !== 0x5f) return false;
  }
  return true;
}

/** The first four bytes of a name as one big-endian word. Throws `AppError("file-source-invalid")` for IPv6 addresses. */
export function encodeSource(source: FileSource): number {
  if (source.kind === "id") {
    const numeric = numericStorageId(source.id);
    if (numeric !== undefined) return swapBytes(numeric);
  } else if (isIpv4(source.address)) {
    return addressWord(source.address);
  }
  const text = source.kind === "id" ? source.id : source.address;
  throw new AppError(
    "file-source-invalid",
    `files cannot be named after ${text}: give the storage an IPv4 address or a numeric storage id`,
  );
}

function flagsOf(kind: NewBase["kind"], randomBits: number): number {
  const flags = sizeFlags.short + (randomBits % randomBitsLimit);
  if (kind === "normal") return flags;
  return flags + (kind === "trunk" ? sizeFlags.trunk : sizeFlags.appender);
}

/** The four bytes of an IPv4 text that has been checked. */
function addressWord(address: string): number {
  let word = 0;
  let part = 0;
  for (let at = 0; at < address.length; at += 1) {
    const code = address.charCodeAt(at);
    if (code !== 0x2e) {
      part = part * 10 + (code - 0x30);
      continue;
    }
    word = word * 256 + part;
    part = 0;
  }
  return word * 256 + part;
}

/**
 * A file id is a group and a logical name; the name tells when, where, how large and of which kind the file is (protocol §3).
 * Here: taking ids apart and reading names. `file-base.ts` makes names. Every download comes through, hence words and no big
 * integers; sizes are exact up to 2^53.
 */
import type { Brand } from "#base/brand.ts";
import { base64Word, isBase64 } from "#model/base64.ts";
import { type GroupName, isGroupName } from "#model/group-name.ts";
import type { StorageId } from "#model/storage-id.ts";
import type { TrunkSlot } from "#model/trunk-location.ts";

/** `group1/M00/00/00/…`, as clients hold it. */
export type FileId = Brand<string, "FileId">;

/** Which storage took the upload: by IPv4 address, or by numeric id. */
export type FileSource =
  | { readonly kind: "address"; readonly address: string }
  | { readonly kind: "id"; readonly id: StorageId };

/** What the last component of a logical name says. */
export interface DecodedBase {
  readonly source: FileSource;
  /** Unix seconds: last change at the end of the upload; trunk files: its begin; links: their creation. */
  readonly timestamp: number;
  /** In bytes; undefined where only the storage knows: appender and slave files. */
  readonly size: number | undefined;
  /** Unsigned. Of a slave's master; of an appender's first content; meaningless in links. */
  readonly crc32: number;
  /** Can be changed after its upload. */
  readonly isAppender: boolean;
  /** Lies in a slot of a trunk file, which `trunk` describes. */
  readonly isTrunk: boolean;
  /** Named after another file, its master; by C's rule, which misses some short names of trunk masters. */
  readonly isSlave: boolean;
  readonly trunk: TrunkSlot | undefined;
  /** Without dot; empty where there is none. */
  readonly extension: string;
}

/** Characters of the encoded 20 bytes, of the encoded trunk slot, and of random digits with extension. */
export const encodedLength = 27;
export const encodedSlotLength = 16;
export const tailLength = 7;
/** Length of the last component of normal and of trunk files. */
export const normalBaseLength = encodedLength + tailLength;
export const trunkBaseLength = encodedLength + encodedSlotLength + tailLength;

/** Bits of the size word's upper half: "only the lower half is the size", trunk file, appender file. */
export const sizeFlags = { short: 0x80000000, trunk: 0x08000000, appender: 0x04000000 } as const;

const twoTo32 = 4294967296;
const maxNumericSource = 0xffffff;

/** Joins the two parts. */
export function formatFileId(group: GroupName, filename: string): FileId {
  return `${group}/${filename}` as FileId;
}

/** Takes an id apart at its first slash, or undefined when no group stands in front. The name is not checked. */
export function splitFileId(
  text: string,
): { readonly group: GroupName; readonly filename: string } | undefined {
  const at = text.indexOf("/");
  if (at < 1 || at === text.length - 1) return undefined;
  const group = text.slice(0, at);
  return isGroupName(group) ? { group, filename: text.slice(at + 1) } : undefined;
}

/** Reads the last component of a logical name; undefined when it does not begin with 27 characters of base64. */
export function decodeBase(base: string): DecodedBase | undefined {
  if (!isBase64(base, 0, encodedLength)) return undefined;
  const high = base64Word(base, 0, 2);
  const hasTrunkBit = (high & sizeFlags.trunk) !== 0;
  const isAppender = (high & sizeFlags.appender) !== 0;
  const isSlave = isSlaveBase(base, high);
  const isTrunk = hasTrunkBit && hasSlot(base);
  return {
    source: decodeSource(base64Word(base, 0, 0)),
    timestamp: base64Word(base, 0, 1),
    size: isSlave || isAppender ? undefined : decodeSize(high, base64Word(base, 0, 3)),
    crc32: base64Word(base, 0, 4),
    isAppender,
    isTrunk,
    isSlave,
    trunk: isTrunk ? decodeSlot(base) : undefined,
    extension: extensionOf(base, isSlave),
  };
}

/** The timestamp alone, for routing; undefined when the name does not decode. */
export function decodeTimestamp(base: string): number | undefined {
  return isBase64(base, 0, encodedLength) ? base64Word(base, 0, 1) : undefined;
}

/** The size alone, for the choice of a buffer: undefined where only the storage knows it, or the name does not decode. */
export function sizeInName(base: string): number | undefined {
  if (!isBase64(base, 0, encodedLength)) return undefined;
  const high = base64Word(base, 0, 2);
  if ((high & sizeFlags.appender) !== 0 || isSlaveBase(base, high)) return undefined;
  return decodeSize(high, base64Word(base, 0, 3));
}

/** The CRC-32 that a name says of its own content: undefined for appenders, slaves, and what does not decode. */
export function crcInName(base: string): number | undefined {
  if (!isBase64(base, 0, encodedLength)) return undefined;
  const high = base64Word(base, 0, 2);
  if ((high & sizeFlags.appender) !== 0 || isSlaveBase(base, high)) return undefined;
  return base64Word(base, 0, 4);
}

/** True where `base` names a packed file. */
export function isTrunkBase(base: string): boolean {
  if (!hasSlot(base) || !isBase64(base, 0, encodedLength)) return false;
  return (base64Word(base, 0, 2) & sizeFlags.trunk) !== 0;
}

/** The source as it stands in the name, see `decodeSource`; undefined when the name does not decode. */
export function sourceWordInName(base: string): number | undefined {
  return isBase64(base, 0, encodedLength) ? base64Word(base, 0, 0) : undefined;
}

/** The source alone; undefined when the name does not decode. */
export function sourceInName(base: string): FileSource | undefined {
  return isBase64(base, 0, encodedLength) ? decodeSource(base64Word(base, 0, 0)) : undefined;
}

function hasSlot(base: string): boolean {
  return base.length === trunkBaseLength && isBase64(base, encodedLength, encodedSlotLength);
}

function isSlaveBase(base: string, high: number): boolean {
  if (base.length > trunkBaseLength) return true;
  return base.length > normalBaseLength && (high & sizeFlags.trunk) === 0;
}

/**
 * The source from the first four bytes as one big-endian word. A little-endian value up to 2^24 − 1 is a numeric id; an IPv4
 * address that ends in `.0` reads as one, too.
 */
export function decodeSource(word: number): FileSource {
  const numeric = swapBytes(word);
  if (numeric >= 1 && numeric <= maxNumericSource) {
    return { kind: "id", id: String(numeric) as StorageId };
  }
  const address = `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
  return { kind: "address", address };
}

/** The four bytes of `word` in reverse order. */
export function swapBytes(word: number): number {
  const outer = (word << 24) | (word >>> 24);
  return (outer | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00)) >>> 0;
}

function decodeSize(high: number, low: number): number | undefined {
  if ((high & (sizeFlags.short | sizeFlags.trunk)) !== 0) return low;
  const size = high * twoTo32 + low;
  return Number.isSafeInteger(size) ? size : undefined;
}

function decodeSlot(base: string): TrunkSlot {
  return {
    fileId: base64Word(base, encodedLength, 0),
    offset: base64Word(base, encodedLength, 1),
    size: base64Word(base, encodedLength, 2),
  };
}

/** Random digits come before the first dot of the last 7 characters; a slave's prefix may have dots of its own. */
function extensionOf(base: string, isSlave: boolean): string {
  const from = base.length - tailLength;
  const at = isSlave ? base.lastIndexOf(".") : base.indexOf(".", from);
  return at < from || at < 0 ? "" : base.slice(at + 1);
}

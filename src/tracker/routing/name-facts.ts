/**
 * What routing reads from a logical file name: its source, its time, and whether it is an appender or slave file (protocol
 * §3.3, §3.6). Reads the 16 characters that matter without validation, as C does: a malformed name leads to an arbitrary choice
 * and not to an error (§2.2). Pure, and part of every download.
 */

export interface NameFacts {
  /** The source's number, or its IPv4 address, as the four bytes stand in the name (little-endian). */
  readonly sourceKey: number;
  /** Unix seconds. */
  readonly timestamp: number;
  /** Written once, and the name is its own: neither appender nor slave. */
  readonly isNormal: boolean;
}

/** In front of the encoded part: `M00/00/00/`. */
const prefixLength = 10;
/** Without the part for trunk files, a slave's prefix, or both. */
const plainLength = 44;
const trunkLength = 60;
/** Bits 59 and 58 of the size word, in its upper half. */
const trunkBit = 0x08000000;
const appenderBit = 0x04000000;
const maxNumericKey = 0xffffff;

/** The value of each character code; what is no base64 character counts as 0. */
const values = new Uint8Array(256);
for (const [value, letter] of [
  ..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
].entries()) {
  values[letter.charCodeAt(0)] = value;
}

export function nameFacts(filename: string): NameFacts {
  const first = threeBytes(filename, prefixLength);
  const second = threeBytes(filename, prefixLength + 4);
  const third = threeBytes(filename, prefixLength + 8);
  const fourth = threeBytes(filename, prefixLength + 12);
  // Twelve bytes: source (0 to 3), timestamp (4 to 7), upper half of the size word (8 to 11).
  const sourceKey =
    ((first >>> 16) | (first & 0xff00) | ((first & 0xff) << 16) | ((second >>> 16) << 24)) >>> 0;
  const timestamp = (((second & 0xffff) << 16) | (third >>> 8)) >>> 0;
  const sizeHigh = (((third & 0xff) << 24) | fourth) >>> 0;
  const isSlave =
    filename.length > trunkLength || (filename.length > plainLength && (sizeHigh & trunkBit) === 0);
  return { sourceKey, timestamp, isNormal: !isSlave && (sizeHigh & appenderBit) === 0 };
}

/** True when a key stands for a number and not for an address. */
export function isNumericKey(key: number): boolean {
  return key >= 1 && key <= maxNumericKey;
}

/** The key of `10.9.0.2`, or undefined when the text is no dotted quad. */
export function addressKey(address: string): number | undefined {
  const parts = address.split(".");
  if (parts.length !== 4) return undefined;
  let key = 0;
  for (const [at, part] of parts.entries()) {
    const value = Number(part);
    if (!Number.isInteger(value) || value < 0 || value > 255) return undefined;
    key += value * 256 ** at;
  }
  return key;
}

function threeBytes(text: string, at: number): number {
  return (
    (valueAt(text, at) << 18) |
    (valueAt(text, at + 1) << 12) |
    (valueAt(text, at + 2) << 6) |
    valueAt(text, at + 3)
  );
}

function valueAt(text: string, at: number): number {
  return values[text.charCodeAt(at) & 0xff] as number;
}

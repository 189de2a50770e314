/**
 * The base64 of file names: RFC 4648's URL alphabet, most significant bits first, without padding (protocol §3.2). Decoding
 * yields 32-bit words and allocates nothing, because every download decodes a name.
 */

const invalid = 255;
/** Value of each ASCII character, built once and never changed. */
const values: Uint8Array = new Uint8Array(128).fill(invalid);
for (const [value, character] of [
  ..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
].entries()) {
  values[character.charCodeAt(0)] = value;
}

/** The unpadded text of `bytes`. */
export function encodeBase64(bytes: Buffer): string {
  return bytes.toString("base64url");
}

/** True when `count` characters from `at` on are of the alphabet. */
export function isBase64(text: string, at: number, count: number): boolean {
  if (text.length < at + count) return false;
  for (let index = at; index < at + count; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 127 || values[code] === invalid) return false;
  }
  return true;
}

/**
 * The `index`th big-endian 32-bit word, unsigned, of the bytes whose text starts at `start`. The characters have been checked
 * with `isBase64`. Words start 0, 2 or 4 bits inside of a character, by turns.
 */
export function base64Word(text: string, start: number, index: number): number {
  const bit = index * 32;
  const at = start + Math.floor(bit / 6);
  const skip = bit % 6;
  const first = sextet(text, at) & (0x3f >> skip);
  const second = (sextet(text, at + 1) << 6) | sextet(text, at + 2);
  const third = (sextet(text, at + 3) << 6) | sextet(text, at + 4);
  const kept = (first << 24) | (second << 12) | third;
  // 30 − skip bits are there; the rest are the upper bits of the last character.
  const missing = 2 + skip;
  return ((kept << missing) | (sextet(text, at + 5) >> (6 - missing))) >>> 0;
}

function sextet(text: string, at: number): number {
  return values[text.charCodeAt(at)] as number;
}

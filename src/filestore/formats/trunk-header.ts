/**
 * The 24 bytes in front of a packed file in its slot (protocol §4.2, §4.3). Everything in them but the type follows from the
 * logical name, and a slot holds the named file only where all of them agree. Pure.
 */
import { type DecodedBase, encodedLength, encodedSlotLength, tailLength } from "#model/file-id.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";

export type TrunkSlotContent = "file" | "link";

const tailAt = 17;
const fileType = 0x46;
const linkType = 0x4c;

export interface TrunkHeaderFields {
  /** Of the slot, in bytes. */
  readonly slotSize: number;
  /** Of the content, in bytes. */
  readonly size: number;
  readonly crc32: number;
  /** Unix seconds. */
  readonly timestamp: number;
  /** The last seven characters of the name. */
  readonly tail: string;
  /** A file where this is not said. */
  readonly content?: TrunkSlotContent;
}

/** Writes the header of a file, or of a link, into `target` at `at`. */
export function writeTrunkHeader(target: Buffer, at: number, fields: TrunkHeaderFields): void {
  target[at] = fields.content === "link" ? linkType : fileType;
  target.writeUInt32BE(fields.slotSize, at + 1);
  target.writeUInt32BE(fields.size, at + 5);
  target.writeUInt32BE(fields.crc32, at + 9);
  target.writeUInt32BE(fields.timestamp, at + 13);
  const { tail } = fields;
  for (let index = 0; index < tailLength; index += 1) {
    target[at + tailAt + index] = index < tail.length ? tail.charCodeAt(index) : 0;
  }
}

/** The header of the file that `base` names. `decoded` is what `base` says and must describe a slot. */
export function encodeTrunkHeader(
  base: string,
  decoded: DecodedBase,
  content: TrunkSlotContent,
): Buffer {
  const header = Buffer.allocUnsafe(trunkHeaderSize);
  const fields = {
    slotSize: decoded.trunk?.size ?? 0,
    size: decoded.size ?? 0,
    crc32: decoded.crc32,
    timestamp: decoded.timestamp,
    tail: base.slice(encodedLength + encodedSlotLength),
    content,
  };
  writeTrunkHeader(header, 0, fields);
  return header;
}

/** What the slot with this header holds of the file that `base` names; undefined where it is another's, or nobody's. */
export function matchTrunkHeader(
  header: Uint8Array,
  base: string,
  decoded: DecodedBase,
): TrunkSlotContent | undefined {
  const content = header[0] === fileType ? "file" : header[0] === linkType ? "link" : undefined;
  if (content === undefined || header.length < trunkHeaderSize) return undefined;
  const expected = encodeTrunkHeader(base, decoded, content);
  return expected.equals(header.subarray(0, trunkHeaderSize)) ? content : undefined;
}

/** Large contents are replaced by what a rule makes, of the same size and with the same CRC-32, so that names still fit. */
import { crc32 } from "node:zlib";
import { decodeBase } from "#model/file-id.ts";
import type { RecordedFrame } from "../../../support/recordings.ts";

const headerSize = 10;
/** Frames up to this size stay as they are. */
const maxFrame = 8192;
/** The fixed part of an upload; downloads have none. */
const uploadHead = headerSize + 15;
const upload = 11;
const reply = 100;

/** `request` is what a reply belongs to: a download of which the capture lacks packets has the CRC-32 of the file's name. */
export function shorten(frame: Buffer, request?: Buffer): RecordedFrame {
  const size = headerSize + Number(frame.readBigInt64BE(0));
  if (size <= maxFrame && size === frame.length) return frame.toString("hex");
  const command = frame.readUInt8(8);
  if (command !== upload && command !== reply) throw new Error(`command ${command} is too long`);
  const head = command === upload ? uploadHead : headerSize;
  const content =
    size === frame.length ? crc32(frame.subarray(head)) : crc32OfName(request ?? Buffer.alloc(0));
  return { head: frame.toString("hex", 0, head), content: { size: size - head, crc32: content } };
}

function crc32OfName(request: Buffer): number {
  const filename = request.toString("latin1", headerSize + 32);
  const base = decodeBase(filename.slice(filename.lastIndexOf("/") + 1));
  if (base === undefined) throw new Error(`no download of a file: ${filename}`);
  return base.crc32;
}

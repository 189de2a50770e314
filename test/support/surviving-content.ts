/** What a disk in memory (`memory-files.ts`) has of a file after a power cut, and how much room a file takes there. */
import type { Random } from "#platform/random.ts";
import type { FileContent } from "./file-content.ts";

/** Of each sector that was overwritten the new or the old content. */
function mixedSectors(now: Buffer, durable: Buffer, random: Random): Buffer {
  const mixed = Buffer.from(durable);
  for (let at = 0; at < mixed.length; at += sectorBytes) {
    const end = Math.min(at + sectorBytes, mixed.length);
    if (now.compare(durable, at, end, at, end) === 0) continue;
    if (random.below(2) === 0) now.copy(mixed, at, at, end);
  }
  return mixed;
}

const sectorBytes = 512;

/** All, nothing, or the beginning of what was written since the last flush. */
export function survivingContent(content: FileContent, random: Random | undefined): Buffer {
  const durable = content.durableBytes();
  if (random === undefined) return durable;
  const now = content.bytes;
  const same = now.subarray(0, durable.length).equals(durable);
  const isLonger = now.length > durable.length;
  if (now.length === durable.length) return mixedSectors(now, durable, random);
  if (!same || !isLonger) return random.below(2) === 0 ? now : durable;
  const more = random.below(now.length - durable.length + 1);
  return now.subarray(0, durable.length + more);
}

/** As on a file system that knows holes, with blocks of 4 KiB. */
export function allocatedIn(content: Buffer): number {
  let blocks = 0;
  for (let at = 0; at < content.length; at += zeroBlock.length) {
    const length = Math.min(zeroBlock.length, content.length - at);
    if (content.compare(zeroBlock, 0, length, at, at + length) !== 0) blocks += 1;
  }
  return blocks * zeroBlock.length;
}

const zeroBlock = Buffer.alloc(4096);

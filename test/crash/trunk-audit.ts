/** Looks at trunk files from outside, byte by byte: a reader who has a name finds whatever header stands at the place that it says. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { decodeBase } from "#model/file-id.ts";
import { type TrunkSlot, trunkFilename, trunkHeaderSize } from "#model/trunk-location.ts";

const fileType = 0x46;

/** `M00/HH/LL/000001` */
export function isTrunkFile(name: string): boolean {
  return /^\d{6,}$/.test(name.slice(10));
}

export function isPacked(name: string): boolean {
  return slotOf(name) !== undefined;
}

function slotOf(name: string): TrunkSlot | undefined {
  return decodeBase(name.slice(10))?.trunk;
}

/** `packed`: what should be in them. Slots that share bytes, and slots that nobody asked for. */
export function auditTrunkFiles(
  directory: string,
  trunkFiles: readonly string[],
  packed: readonly string[],
): string[] {
  const problems: string[] = [];
  const slots = Map.groupBy(packed, (name) => {
    const slot = slotOf(name);
    return `${name.slice(0, 10)}${trunkFilename(slot?.fileId ?? 0)}`;
  });
  for (const trunkFile of trunkFiles) {
    const bytes = readFileSync(join(directory, "data", trunkFile.slice(4)));
    const names = (slots.get(trunkFile) ?? []).toSorted(
      (one, other) => (slotOf(one)?.offset ?? 0) - (slotOf(other)?.offset ?? 0),
    );
    let end = 0;
    for (const name of names) {
      const { offset = 0, size = 0 } = slotOf(name) ?? {};
      if (offset < end) problems.push(`${name} shares bytes with another slot of ${trunkFile}`);
      end = Math.max(end, offset + size);
      bytes.fill(0, offset, offset + size);
    }
    problems.push(
      ...strangers(bytes).map((at) => `${trunkFile} has a slot at ${at} without a name`),
    );
  }
  return problems;
}

/** Where slots stand whose content is what their header says. */
function strangers(bytes: Buffer): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(fileType); at >= 0; at = bytes.indexOf(fileType, at + 1)) {
    if (at + trunkHeaderSize > bytes.length) break;
    const slotSize = bytes.readUInt32BE(at + 1);
    const size = bytes.readUInt32BE(at + 5);
    const content = at + trunkHeaderSize;
    if (slotSize < size + trunkHeaderSize || at + slotSize > bytes.length) continue;
    if (crc32(bytes.subarray(content, content + size)) === bytes.readUInt32BE(at + 9)) {
      found.push(at);
    }
  }
  return found;
}

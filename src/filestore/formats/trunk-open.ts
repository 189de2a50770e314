/**
 * `.cairn/trunk-open`: the trunk files that slots are being taken from, with what was free in them when all records before `position`
 * were carried out and none behind it. A start after a crash takes from that what the records since then speak of; what else is
 * written there is nobody's. Pure.
 */
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { parseTrunkFileWords, trunkFileWords } from "#filestore/formats/trunk-files.ts";
import { FreeExtents } from "#filestore/trunk/free-extents.ts";
import type { TrunkFile } from "#filestore/trunk/trunk-space.ts";

export interface OpenTrunkFile {
  readonly file: TrunkFile;
  readonly free: FreeExtents;
}

export interface TrunkOpenNote {
  readonly position: BinlogPosition;
  readonly open: readonly OpenTrunkFile[];
}

const heading = "trunk-open 1";

export function formatTrunkOpen(note: TrunkOpenNote): string {
  const { position, open } = note;
  const lines = [`${heading} ${position.index} ${position.offset}\n`];
  for (const { file, free } of open) {
    lines.push(`file ${trunkFileWords(file)}\n`);
    for (const { offset, size } of free) lines.push(`${offset} ${size}\n`);
  }
  lines.push(`end ${lines.length}\n`);
  return lines.join("");
}

/** Undefined where a part of it is missing or wrong: half of it would be worse than nothing. */
export function parseTrunkOpen(text: string): TrunkOpenNote | undefined {
  const lines = text.split("\n");
  const first = lines.shift() ?? "";
  const at = /^trunk-open 1 (\d{1,9}) (\d{1,16})$/.exec(first);
  const last = lines.pop();
  const end = lines.pop();
  if (at === null || last !== "" || end !== `end ${lines.length + 1}`) return undefined;
  const open: OpenTrunkFile[] = [];
  for (const line of lines) {
    const words = line.split(" ");
    if (words[0] === "file") {
      const file = parseTrunkFileWords(words.slice(1));
      if (file === undefined) return undefined;
      open.push({ file, free: new FreeExtents() });
    } else if (!takeExtent(open.at(-1), words)) return undefined;
  }
  return { position: { index: Number(at[1]), offset: Number(at[2]) }, open };
}

function takeExtent(open: OpenTrunkFile | undefined, words: readonly string[]): boolean {
  if (open === undefined || words.length !== 2) return false;
  if (!words.every((word) => /^\d{1,10}$/.test(word))) return false;
  const [offset = 0, size = 0] = words.map(Number);
  return size > 0 && offset + size <= open.file.sizeBytes && open.free.add(offset, size);
}

/**
 * `.cairn/trunk-files`: the trunk files of a store path whose space is this node's own, because it leased their numbers. All others, of
 * a C storage or of peers, are read and cleared by name and never given out. A line a file, and a last one with their number. Pure.
 */
import type { TrunkFile } from "#filestore/trunk/trunk-space.ts";

export interface TrunkFilesNote {
  readonly files: readonly TrunkFile[];
  /** False where lines are missing or illegible; those that can be read are in `files`. */
  readonly whole: boolean;
}

export function formatTrunkFiles(files: Iterable<TrunkFile>): string {
  const lines: string[] = [];
  for (const file of files) lines.push(`${trunkFileWords(file)}\n`);
  return `${lines.join("")}end ${lines.length}\n`;
}

export function parseTrunkFiles(text: string): TrunkFilesNote {
  const files = new Map<number, TrunkFile>();
  const lines = text.split("\n");
  const legible = lines.filter((line) => {
    const file = parseTrunkFileWords(line.split(" "));
    if (file !== undefined) files.set(file.id, file);
    return file !== undefined;
  });
  const whole =
    lines.length === legible.length + 2 &&
    lines.at(-2) === `end ${legible.length}` &&
    lines.at(-1) === "" &&
    files.size === legible.length;
  return { files: [...files.values()], whole };
}

/** `id high low size` */
export function trunkFileWords(file: TrunkFile): string {
  return `${file.id} ${file.high} ${file.low} ${file.sizeBytes}`;
}

const maxInt32 = 2 ** 31 - 1;

/** Undefined for what describes no trunk file. */
export function parseTrunkFileWords(words: readonly string[]): TrunkFile | undefined {
  if (words.length !== 4 || !words.every((word) => /^\d{1,10}$/.test(word))) return undefined;
  const [id = 0, high = 0, low = 0, sizeBytes = 0] = words.map(Number);
  if (id < 1 || id > maxInt32 || high > 255 || low > 255) return undefined;
  return sizeBytes < 1 || sizeBytes > maxInt32 ? undefined : { id, high, low, sizeBytes };
}

/** The system's randomness, drawn in blocks because a system call for each number costs more than the number is worth. */
import { randomBytes } from "node:crypto";
import type { Random } from "#platform/random.ts";

const blockSizeBytes = 4096;

/** A source of its own for each caller; nothing is shared between threads. */
export function nodeRandom(): Random {
  let block = randomBytes(blockSizeBytes);
  let used = 0;
  return {
    below(limit: number): number {
      if (used + 4 > blockSizeBytes) {
        block = randomBytes(blockSizeBytes);
        used = 0;
      }
      const word = block.readUInt32BE(used);
      used += 4;
      // The bias of taking a 32-bit word modulo a small limit is far below what names need.
      return word % limit;
    },
    bytes: (count: number) => randomBytes(count),
  };
}

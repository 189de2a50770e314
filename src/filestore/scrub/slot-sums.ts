/**
 * One number for all packed files that a scrub found in a trunk file, to be compared with that of the names that the binlog has for it: the
 * scrub keeps some bytes a trunk file in mind instead of some hundred a packed file. Where the two numbers are the same, each header is what
 * its name says. Where they are not, something may be wrong with one of them, or a record came twice or late. Pure.
 */
import { trunkHeaderSize } from "#model/trunk-location.ts";

interface SummedTrunk {
  /** Unix seconds; what is recorded from then on counts for nothing here. */
  readonly beganSeconds: number;
  found: number;
  named: number;
  /** Packed files that were found. */
  count: number;
}

const headerWords = [1, 5, 9, 13, 17, trunkHeaderSize - 4] as const;

export class SlotSums {
  readonly #trunks = new Map<number, SummedTrunk>();

  /** A trunk file is looked through, for the first time or anew. */
  begin(fileId: number, beganSeconds: number): void {
    this.#trunks.set(fileId, { beganSeconds, found: 0, named: 0, count: 0 });
  }

  /** There is a packed file whose content is what its header says. `hash`: `slotHash`. */
  add(fileId: number, hash: number): void {
    const trunk = this.#trunks.get(fileId);
    if (trunk === undefined) return;
    trunk.found = (trunk.found + hash) | 0;
    trunk.count += 1;
  }

  /** Whether a record of this trunk file and time is to be followed. */
  counts(fileId: number, timestamp: number): boolean {
    const trunk = this.#trunks.get(fileId);
    return trunk !== undefined && timestamp < trunk.beganSeconds;
  }

  /** The binlog has a name for a slot, or (`isThere` false) none any more. */
  follow(fileId: number, hash: number, isThere: boolean): void {
    const trunk = this.#trunks.get(fileId);
    if (trunk !== undefined) trunk.named = (trunk.named + (isThere ? hash : -hash)) | 0;
  }

  /** Trunk files whose numbers differ, with how many packed files were found there. */
  *differing(): Generator<{ readonly fileId: number; readonly count: number }, void> {
    for (const [fileId, { found, named, count }] of this.#trunks) {
      if (found !== named) yield { fileId, count };
    }
  }
}

/** Of all of a header but its type, which stands at `at` and belongs to the slot at `offset` of a trunk file. */
export function slotHash(header: Buffer, at: number, offset: number): number {
  let hash = Math.imul(offset ^ 0x9e3779b9, 0x85ebca6b);
  for (const word of headerWords) {
    hash = Math.imul(hash ^ (hash >>> 15) ^ header.readUInt32BE(at + word), 0xc2b2ae35);
  }
  return hash ^ (hash >>> 13);
}

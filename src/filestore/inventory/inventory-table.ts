/**
 * What one walk over a store path found: for each of the 65,536 directories how many entries, and the sum of their hashes, so that the
 * order in which they were met does not matter. Two equal tables mean the same entries; the tree above the leaves is sums of them. 1 MiB
 * at most, however many files there are. Not against forgery: whoever can make files here needs no collisions.
 */

export const leafCount = 65_536;
/** Leaves of one node of the middle level; the root has as many such nodes. */
export const fanOut = 256;
/** Of one node in `bytes`: count and the two halves of the sum, u32 each. */
export const nodeBytes = 12;

/** Of a number of names, u32. */
export const countBytes = 4;

/** A leaf, or the sum of some. */
export interface InventoryNode {
  /** Modulo 2³². */
  readonly count: number;
  /** The sum's two halves. */
  readonly low: number;
  readonly high: number;
}

const words = nodeBytes / 4;
const twoTo32 = 4294967296;

export class InventoryTable {
  /** By leaf: count, low, high. */
  readonly #words = new Uint32Array(leafCount * words);

  /** Counts one entry, by its line, in the directory `leaf` = high × 256 + low. */
  add(leaf: number, line: string): void {
    // Two lanes of MurmurHash3's mixing, begun with the leaf: a file in another directory is another file.
    let one = leaf ^ 0x9e3779b9;
    let two = Math.imul(leaf + 1, 0x85ebca6b);
    for (let at = 0; at < line.length; at += 1) {
      const code = line.charCodeAt(at);
      one = Math.imul(one ^ code, 0xcc9e2d51);
      one = (one << 15) | (one >>> 17);
      two = Math.imul(two ^ code, 0x1b873593);
      two = (two << 13) | (two >>> 19);
    }
    this.#sum(leaf, 1, { low: finish(one ^ two), high: finish(two + Math.imul(one, 5)) });
  }

  leaf(leaf: number): InventoryNode {
    return this.#node(leaf, 1);
  }

  /** The sum over the directories of one upper directory, 0 … 255. */
  upper(upper: number): InventoryNode {
    return this.#node(upper * fanOut, fanOut);
  }

  get root(): InventoryNode {
    return this.#node(0, leafCount);
  }

  /** Leaves from `from` on, as many as `target` has room for; returns their bytes. */
  write(from: number, target: Uint8Array): number {
    const count = Math.min(leafCount - from, Math.floor(target.length / nodeBytes));
    const view = new DataView(target.buffer, target.byteOffset, target.length);
    for (let at = 0; at < count * words; at += 1) {
      view.setUint32(at * 4, this.#words[from * words + at] as number);
    }
    return count * nodeBytes;
  }

  /** Takes over what `write` wrote; returns the next leaf. */
  read(from: number, source: Uint8Array): number {
    const count = Math.min(leafCount - from, Math.floor(source.length / nodeBytes));
    const view = new DataView(source.buffer, source.byteOffset, source.length);
    for (let at = 0; at < count * words; at += 1) {
      this.#words[from * words + at] = view.getUint32(at * 4);
    }
    return from + count;
  }

  #sum(leaf: number, count: number, hash: { readonly low: number; readonly high: number }): void {
    const at = leaf * words;
    const low = (this.#words[at + 1] as number) + hash.low;
    this.#words[at] = (this.#words[at] as number) + count;
    this.#words[at + 1] = low;
    this.#words[at + 2] = (this.#words[at + 2] as number) + hash.high + (low >= twoTo32 ? 1 : 0);
  }

  #node(from: number, leaves: number): InventoryNode {
    let count = 0;
    let low = 0;
    let high = 0;
    for (let at = from * words; at < (from + leaves) * words; at += words) {
      count += this.#words[at] as number;
      low += this.#words[at + 1] as number;
      high += this.#words[at + 2] as number;
    }
    const carry = Math.floor(low / twoTo32);
    return { count: count % twoTo32, low: low % twoTo32, high: (high + carry) % twoTo32 };
  }
}

export function sameNode(one: InventoryNode, other: InventoryNode): boolean {
  return one.count === other.count && one.low === other.low && one.high === other.high;
}

function finish(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

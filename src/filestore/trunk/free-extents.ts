/**
 * The free space of one trunk file: extents in the order of their offsets, neighbours always merged, none empty, none overlapping.
 * Two arrays of numbers, because a trunk file may have a hundred thousand of them. Pure.
 */

export interface Extent {
  readonly offset: number;
  readonly size: number;
}

/** So many extents with enough room are compared for the best fit: the first exact one ends the search. */
const maxCompared = 64;

export class FreeExtents {
  readonly #offsets: number[] = [];
  readonly #sizes: number[] = [];
  #bytes = 0;
  /** No extent is larger; exact after a search that found nothing. */
  #largest = 0;

  constructor(extents: Iterable<Extent> = []) {
    for (const { offset, size } of extents) this.merge(offset, size);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#offsets.length;
  }

  *[Symbol.iterator](): Generator<Extent, void> {
    for (let at = 0; at < this.#offsets.length; at += 1) yield this.#extent(at);
  }

  /** Frees what is not free; false, and nothing changed, where a part of it is already. */
  add(offset: number, size: number): boolean {
    if (this.touches(offset, size)) return false;
    this.#insert(this.#indexAfter(offset), offset, size);
    return true;
  }

  /** True where a part of it is free. */
  touches(offset: number, size: number): boolean {
    const at = this.#indexAfter(offset);
    if (at > 0 && this.#end(at - 1) > offset) return true;
    return at < this.#offsets.length && this.#start(at) < offset + size;
  }

  /** Makes all of it free, whatever of it was so before. */
  merge(offset: number, size: number): void {
    this.remove(offset, size);
    this.add(offset, size);
  }

  /** Takes what is free; false, and nothing changed, where a part of it is not. */
  take(offset: number, size: number): boolean {
    const at = this.#indexAfter(offset) - 1;
    if (at < 0 || this.#end(at) < offset + size) return false;
    this.#cut(at, offset, size);
    return true;
  }

  /** Nothing of it is free any more, whatever of it was so before. */
  remove(offset: number, size: number): void {
    let at = Math.max(0, this.#indexAfter(offset) - 1);
    while (at < this.#offsets.length && this.#start(at) < offset + size) {
      const from = Math.max(offset, this.#start(at));
      const to = Math.min(offset + size, this.#end(at));
      if (from >= to) at += 1;
      else at = this.#cut(at, from, to - from);
    }
  }

  /** The parts of it that are not free. */
  gaps(offset: number, size: number): readonly Extent[] {
    const gaps: Extent[] = [];
    const end = offset + size;
    let from = offset;
    for (let at = Math.max(0, this.#indexAfter(offset) - 1); at < this.#offsets.length; at += 1) {
      if (this.#start(at) >= end) break;
      if (this.#start(at) > from) gaps.push({ offset: from, size: this.#start(at) - from });
      from = Math.max(from, this.#end(at));
    }
    if (from < end) gaps.push({ offset: from, size: end - from });
    return gaps;
  }

  /** True where all of it is free. */
  covers(offset: number, size: number): boolean {
    const at = this.#indexAfter(offset) - 1;
    return at >= 0 && this.#end(at) >= offset + size;
  }

  /** An extent with room for `size`, of those that come first the one that leaves least; undefined where there is none. */
  bestFit(size: number): Extent | undefined {
    if (size > this.#largest) return undefined;
    const sizes = this.#sizes;
    let best = -1;
    let bestSize = Number.POSITIVE_INFINITY;
    let compared = 0;
    let largest = 0;
    for (let at = 0; at < sizes.length && compared < maxCompared; at += 1) {
      const room = sizes[at] as number;
      if (room > largest) largest = room;
      if (room < size) continue;
      compared += 1;
      if (room >= bestSize) continue;
      best = at;
      bestSize = room;
      if (room === size) break;
    }
    if (best >= 0) return this.#extent(best);
    this.#largest = largest;
    return undefined;
  }

  #extent(at: number): Extent {
    return { offset: this.#start(at), size: this.#sizes[at] as number };
  }

  #start(at: number): number {
    return this.#offsets[at] as number;
  }

  #end(at: number): number {
    return (this.#offsets[at] as number) + (this.#sizes[at] as number);
  }

  /** Index of the first extent that begins behind `offset`. */
  #indexAfter(offset: number): number {
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#offsets[middle] as number) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** `at` is where it belongs, and it overlaps nothing. */
  #insert(at: number, offset: number, size: number): void {
    if (size === 0) return;
    this.#bytes += size;
    const joinsBefore = at > 0 && this.#end(at - 1) === offset;
    const joinsAfter = at < this.#offsets.length && this.#start(at) === offset + size;
    let merged = size;
    if (joinsBefore && joinsAfter) {
      merged += (this.#sizes[at - 1] as number) + (this.#sizes[at] as number);
      this.#sizes[at - 1] = merged;
      this.#offsets.splice(at, 1);
      this.#sizes.splice(at, 1);
    } else if (joinsBefore) {
      merged += this.#sizes[at - 1] as number;
      this.#sizes[at - 1] = merged;
    } else if (joinsAfter) {
      merged += this.#sizes[at] as number;
      this.#offsets[at] = offset;
      this.#sizes[at] = merged;
    } else {
      this.#offsets.splice(at, 0, offset);
      this.#sizes.splice(at, 0, size);
    }
    if (merged > this.#largest) this.#largest = merged;
  }

  /** Cuts a part out of the extent at `at`; returns the index of what stands behind the part. */
  #cut(at: number, offset: number, size: number): number {
    const start = this.#start(at);
    const end = this.#end(at);
    const left = offset - start;
    const right = end - offset - size;
    this.#bytes -= size;
    if (left === 0 && right === 0) {
      this.#offsets.splice(at, 1);
      this.#sizes.splice(at, 1);
      return at;
    }
    if (left === 0) {
      this.#offsets[at] = offset + size;
      this.#sizes[at] = right;
      return at;
    }
    this.#sizes[at] = left;
    if (right > 0) {
      this.#offsets.splice(at + 1, 0, offset + size);
      this.#sizes.splice(at + 1, 0, right);
    }
    return at + 1;
  }
}

/**
 * The slots that `GroupAllocator` keeps: found by size for each store path, and by place in each trunk file. No two of them overlap:
 * the caller asks `overlaps` before it adds. Pure state.
 */
import type { TrunkLocation } from "#model/trunk-location.ts";

export interface GroupSlot {
  readonly location: TrunkLocation;
  /** Given to somebody who has not confirmed yet: takes part in overlaps only. */
  readonly held: boolean;
}

/** Free slots of one store path. A list of sizes in order, and for each the slots that have it. */
interface PathSlots {
  readonly sizes: number[];
  readonly bySize: Map<number, Set<GroupSlot>>;
}

export class GroupFreeSlots {
  readonly #paths = new Map<number, PathSlots>();
  /** Of each trunk file by offset. */
  readonly #files = new Map<string, GroupSlot[]>();
  #count = 0;
  #freeBytes = 0;

  get count(): number {
    return this.#count;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  *all(): Generator<GroupSlot> {
    for (const slots of this.#files.values()) yield* slots;
  }

  add(location: TrunkLocation, held: boolean): GroupSlot {
    const slot: GroupSlot = { location, held };
    const key = fileKey(location);
    const slots = this.#files.get(key);
    if (slots === undefined) this.#files.set(key, [slot]);
    else slots.splice(firstFrom(slots, location.offset), 0, slot);
    this.#count += 1;
    if (held) return slot;
    this.#freeBytes += location.size;
    const path = this.#path(location.storePathIndex);
    const same = path.bySize.get(location.size);
    if (same !== undefined) same.add(slot);
    else {
      path.bySize.set(location.size, new Set([slot]));
      path.sizes.splice(firstSize(path.sizes, location.size), 0, location.size);
    }
    return slot;
  }

  /** `slot` must be one of ours. */
  remove(slot: GroupSlot): void {
    const { location } = slot;
    const key = fileKey(location);
    const slots = this.#files.get(key) ?? [];
    slots.splice(firstFrom(slots, location.offset), 1);
    if (slots.length === 0) this.#files.delete(key);
    this.#count -= 1;
    if (slot.held) return;
    this.#freeBytes -= location.size;
    const path = this.#path(location.storePathIndex);
    const same = path.bySize.get(location.size);
    same?.delete(slot);
    if (same?.size !== 0) return;
    path.bySize.delete(location.size);
    path.sizes.splice(firstSize(path.sizes, location.size), 1);
  }

  /** A slot of exactly that place and size. */
  find(location: TrunkLocation): GroupSlot | undefined {
    const slots = this.#files.get(fileKey(location)) ?? [];
    const slot = slots[firstFrom(slots, location.offset)];
    const same = slot?.location.offset === location.offset && slot.location.size === location.size;
    return same ? slot : undefined;
  }

  /** The free slot in which all of `location` lies. */
  freeAround(location: TrunkLocation): GroupSlot | undefined {
    const [slot] = this.#overlapping(location);
    if (slot === undefined || slot.held) return undefined;
    const { offset, size } = slot.location;
    const inside = offset <= location.offset && location.offset + location.size <= offset + size;
    return inside ? slot : undefined;
  }

  overlaps(location: TrunkLocation): boolean {
    return this.#overlapping(location).length > 0;
  }

  /** The free slot of the smallest size that suffices, the oldest of them. */
  bestFit(storePathIndex: number, sizeBytes: number): GroupSlot | undefined {
    const path = this.#paths.get(storePathIndex);
    if (path === undefined) return undefined;
    const size = path.sizes[firstSize(path.sizes, sizeBytes)];
    if (size === undefined) return undefined;
    const [slot] = path.bySize.get(size) ?? [];
    return slot;
  }

  /** Takes `location` out of whatever is free there. False where it was not one free slot as a whole. */
  cut(location: TrunkLocation): boolean {
    const exact = this.find(location);
    if (exact !== undefined) {
      this.remove(exact);
      return true;
    }
    const end = location.offset + location.size;
    for (const slot of this.#overlapping(location)) {
      this.remove(slot);
      const { offset, size } = slot.location;
      const before = location.offset - offset;
      const after = offset + size - end;
      if (before > 0) this.add({ ...slot.location, size: before }, false);
      if (after > 0) this.add({ ...slot.location, offset: end, size: after }, false);
    }
    return false;
  }

  /** Of each trunk file the runs of two and more free slots without a gap. What it has yielded may be removed. */
  *runs(): Generator<readonly (readonly GroupSlot[])[]> {
    for (const key of [...this.#files.keys()]) {
      const runs: GroupSlot[][] = [];
      let run: GroupSlot[] = [];
      for (const slot of this.#files.get(key) ?? []) {
        const last = run.at(-1)?.location;
        const follows = last !== undefined && last.offset + last.size === slot.location.offset;
        if (slot.held || !follows) {
          if (run.length > 1) runs.push(run);
          run = slot.held ? [] : [slot];
        } else {
          run.push(slot);
        }
      }
      if (run.length > 1) runs.push(run);
      if (runs.length > 0) yield runs;
    }
  }

  /** By trunk file, those of which so many bytes are free. What it has yielded may be removed. */
  *files(freeBytes: number): Generator<readonly GroupSlot[]> {
    for (const key of [...this.#files.keys()]) {
      const slots = [...(this.#files.get(key) ?? [])];
      const free = slots.reduce((sum, { held, location }) => sum + (held ? 0 : location.size), 0);
      if (free === freeBytes) yield slots;
    }
  }

  #overlapping(location: TrunkLocation): readonly GroupSlot[] {
    const slots = this.#files.get(fileKey(location)) ?? [];
    const end = location.offset + location.size;
    let from = firstFrom(slots, location.offset);
    const before = slots[from - 1]?.location;
    if (before !== undefined && before.offset + before.size > location.offset) from -= 1;
    let to = from;
    while ((slots[to]?.location.offset ?? end) < end) to += 1;
    return slots.slice(from, to);
  }

  #path(index: number): PathSlots {
    const known = this.#paths.get(index);
    if (known !== undefined) return known;
    const path: PathSlots = { sizes: [], bySize: new Map() };
    this.#paths.set(index, path);
    return path;
  }
}

function fileKey({ storePathIndex, high, low, fileId }: TrunkLocation): string {
  return `${storePathIndex}/${high}/${low}/${fileId}`;
}

/** Position of the first slot at `offset` or behind it. */
function firstFrom(slots: readonly GroupSlot[], offset: number): number {
  let low = 0;
  let high = slots.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((slots[middle]?.location.offset ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Position of the first size that is at least `wanted`. */
function firstSize(sizes: readonly number[], wanted: number): number {
  let low = 0;
  let high = sizes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sizes[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

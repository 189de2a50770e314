/**
 * Where the trunk files of one store path have room, and which of it is given out (protocol §4.5, for files that this node leased
 * whole). Slots are taken from the few files that are *active* only: those are noted on the disk before, so that a start after a crash
 * knows where unrecorded slots may lie. All others only get back what is deleted in them. A slot that was taken belongs to nobody else
 * until it is given back. Pure.
 */
import { assert } from "#base/assert.ts";
import type { Packing } from "#filestore/packing.ts";
import { FreeExtents } from "#filestore/trunk/free-extents.ts";
import type { TrunkSlot } from "#model/trunk-location.ts";

export interface TrunkFile {
  readonly id: number;
  /** Its directory. */
  readonly high: number;
  readonly low: number;
  readonly sizeBytes: number;
}

/** What is known of a trunk file's space. */
export interface TrunkFileSpace {
  readonly file: TrunkFile;
  /** Where it lies. */
  readonly path: string;
  /** Undefined where it is not known: nothing is taken then. */
  free: FreeExtents | undefined;
  /** Freed while the rest was not known, or while a step-wise work on the file was going on. */
  readonly late: FreeExtents;
  /** `busy`: walked or compacted in the background. `ending`: still active, but no further slots are taken. */
  use: "resting" | "active" | "ending" | "busy";
  /** What is free here has been seen to be zeros, or was made so by this process. */
  verified: boolean;
}

/** The size of the slot for a file with its header, in bytes (protocol §4.5). */
export function slotSizeFor(neededBytes: number, packing: Packing): number {
  const { slotMinBytes, alignmentBytes } = packing;
  if (neededBytes <= slotMinBytes) return slotMinBytes;
  if (alignmentBytes <= 1) return neededBytes;
  return Math.ceil(neededBytes / alignmentBytes) * alignmentBytes;
}

export class TrunkSpace {
  readonly #files = new Map<number, TrunkFileSpace>();
  /** In the order in which they are used up. */
  readonly #active: TrunkFileSpace[] = [];

  /** Nothing is given out of these for now. */
  #held: ReadonlySet<TrunkFileSpace> = new Set();

  get files(): Iterable<TrunkFileSpace> {
    return this.#files.values();
  }

  get active(): readonly TrunkFileSpace[] {
    return this.#active;
  }

  find(fileId: number): TrunkFileSpace | undefined {
    return this.#files.get(fileId);
  }

  /** A file of ours; `free` where that is known. */
  register(file: TrunkFile, path: string, free?: FreeExtents): TrunkFileSpace {
    assert(!this.#files.has(file.id), "a trunk file is registered once");
    const space: TrunkFileSpace = {
      file,
      path,
      free,
      late: new FreeExtents(),
      use: "resting",
      verified: false,
    };
    this.#files.set(file.id, space);
    return space;
  }

  /** It is not ours any more, or gone. */
  forget(space: TrunkFileSpace): void {
    this.rest(space);
    this.#files.delete(space.file.id);
  }

  activate(space: TrunkFileSpace): void {
    assert(space.use === "resting" && space.free !== undefined, "only what is known gives slots");
    space.use = "active";
    this.#active.push(space);
  }

  rest(space: TrunkFileSpace): void {
    const at = this.#active.indexOf(space);
    if (at >= 0) this.#active.splice(at, 1);
    space.use = "resting";
  }

  /** Until `release` no space is given out of the files that there are: a record that was lost may have given it to a file that peers have. */
  hold(): void {
    this.#held = new Set(this.#files.values());
  }

  release(): void {
    this.#held = new Set();
  }

  isHeld(space: TrunkFileSpace): boolean {
    return this.#held.has(space);
  }

  /** Takes a slot for a file with its header from an active file. Undefined where none has room. */
  allocate(
    neededBytes: number,
    packing: Packing,
  ): { space: TrunkFileSpace; slot: TrunkSlot } | undefined {
    const wanted = slotSizeFor(neededBytes, packing);
    for (const space of this.#active) {
      const isClosed = space.use === "ending" || this.isHeld(space);
      const extent = isClosed ? undefined : space.free?.bestFit(wanted);
      if (extent === undefined) continue;
      const { offset } = extent;
      const size = extent.size - wanted < packing.slotMinBytes ? extent.size : wanted;
      space.free?.take(offset, size);
      return { space, slot: { fileId: space.file.id, offset, size } };
    }
    return undefined;
  }

  /** The slot holds nothing any more. False where its file is not ours, or a part of it was free already. */
  free(slot: TrunkSlot): boolean {
    const space = this.#files.get(slot.fileId);
    if (space === undefined || slot.offset + slot.size > space.file.sizeBytes) return false;
    if (space.free === undefined || space.use === "busy") {
      return space.late.add(slot.offset, slot.size);
    }
    return space.free.add(slot.offset, slot.size);
  }

  /** The file's space, now that it is known; what became free meanwhile is added. */
  learn(space: TrunkFileSpace, free: FreeExtents, verified: boolean): void {
    const late = [...space.late];
    for (const { offset, size } of late) {
      free.merge(offset, size);
      space.late.remove(offset, size);
    }
    space.free = free;
    space.verified = verified;
  }

  /** The resting file with most room that has an extent of `sizeBytes`, among those that `may` lets through. */
  roomiest(
    sizeBytes: number,
    may: (space: TrunkFileSpace, free: FreeExtents) => boolean,
  ): TrunkFileSpace | undefined {
    let best: TrunkFileSpace | undefined;
    let bestBytes = 0;
    for (const space of this.#files.values()) {
      const { free } = space;
      if (free === undefined || space.use !== "resting" || free.bytes <= bestBytes) continue;
      if (this.isHeld(space)) continue;
      if (free.bestFit(sizeBytes) === undefined || !may(space, free)) continue;
      best = space;
      bestBytes = free.bytes;
    }
    return best;
  }
}

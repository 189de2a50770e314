/**
 * The free space in the trunk files of a whole group, as its trunk server divides it (protocol §4.5). A slot is free, or held for
 * who asked for it until that one confirms; free and held slots never overlap. Every change comes back as the lines that the trunk
 * binlog gets: replaying them gives the same state, in which what was held is free. Pure state; the caller owns time and files.
 */
import { GroupFreeSlots, type GroupSlot } from "#filestore/trunk/group-free-slots.ts";
import { hashedDirectory, trunkFileHashText } from "#model/directory-distribution.ts";
import type { TrunkLocation } from "#model/trunk-location.ts";

/** What a tracker says about slots (protocol §4.1), in bytes. */
export interface SlotRules {
  readonly slotMinBytes: number;
  readonly slotMaxBytes: number;
  /** 0 aligns nothing. */
  readonly alignmentBytes: number;
  readonly trunkFileBytes: number;
}

/** A line of the trunk binlog to be, without its time. */
export interface SlotEvent {
  readonly kind: "free" | "used";
  readonly location: TrunkLocation;
}

export interface Allocation {
  readonly location: TrunkLocation;
  readonly events: readonly SlotEvent[];
  /** Its trunk file is a new one; the tracker is to be told its number. */
  readonly isNewFile: boolean;
}

/** Free slots beyond this are written to the binlog and not kept in mind, so that memory stays bounded; about 200 bytes each. */
export const maxGroupSlots = 1_000_000;

export class GroupAllocator {
  readonly #rules: SlotRules;
  readonly #subdirCount: number;
  readonly #slots = new GroupFreeSlots();
  #currentFileId = 0;
  #isComplete = true;

  constructor(rules: SlotRules, subdirCount: number) {
    this.#rules = rules;
    this.#subdirCount = subdirCount;
  }

  /** The highest number of a trunk file that was given out or seen. */
  get currentFileId(): number {
    return this.#currentFileId;
  }

  /** Free, without what is held. */
  get freeBytes(): number {
    return this.#slots.freeBytes;
  }

  /** Every free slot is in mind: there were never more than `maxGroupSlots`. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  get slotCount(): number {
    return this.#slots.count;
  }

  /** Free slots, and held ones among them, in no particular order. */
  *slots(): Generator<TrunkLocation & { readonly held: boolean }> {
    for (const slot of this.#slots.all()) yield { ...slot.location, held: slot.held };
  }

  /** A number that others have given out. */
  noteFileId(fileId: number): void {
    this.#currentFileId = Math.max(this.#currentFileId, fileId);
  }

  /** Replays one line of a trunk binlog or snapshot. False where it contradicts those before; the rest is as good as it was. */
  replay({ kind, location }: SlotEvent): boolean {
    this.noteFileId(location.fileId);
    if (kind === "used") return this.#slots.cut(location);
    if (this.#slots.overlaps(location)) return false;
    this.#keep(location);
    return true;
  }

  /**
   * A slot for `sizeBytes`, its header included, which is held from now on. 1 <= sizeBytes <= slotMaxBytes. Undefined where the numbers of
   * trunk files are used up.
   */
  allocate(storePathIndex: number, sizeBytes: number): Allocation | undefined {
    const wanted = slotSizeFor(this.#rules, sizeBytes);
    const events: SlotEvent[] = [];
    let slot = this.#slots.bestFit(storePathIndex, wanted);
    const isNewFile = slot === undefined;
    slot ??= this.#newFile(storePathIndex, events);
    if (slot === undefined) return undefined;
    const { location } = slot;
    this.#slots.remove(slot);
    events.push({ kind: "used", location });
    const rest = location.size - wanted;
    const isSplit = rest >= this.#rules.slotMinBytes;
    if (isSplit) {
      const remainder = { ...location, offset: location.offset + wanted, size: rest };
      this.#keep(remainder);
      events.push({ kind: "free", location: remainder });
    }
    const taken = isSplit ? { ...location, size: wanted } : location;
    this.#slots.add(taken, true);
    events.push({ kind: "free", location: taken });
    return { location: taken, events, isNewFile };
  }

  /** A further trunk file, all of it free. Undefined where the numbers are used up. */
  addFile(storePathIndex: number): readonly SlotEvent[] | undefined {
    const events: SlotEvent[] = [];
    return this.#newFile(storePathIndex, events) === undefined ? undefined : events;
  }

  /**
   * `kept`: the slot is in use for good; otherwise it is free again. Undefined where no such slot is held. A slot that is free is kept all
   * the same: it was held in the time of another trunk server, and parts of it must not be given to anybody else.
   */
  confirm(location: TrunkLocation, kept: boolean): readonly SlotEvent[] | undefined {
    const slot = this.#slots.find(location);
    if (slot?.held !== true) return kept ? this.#takeOut(location) : undefined;
    this.#slots.remove(slot);
    if (kept) return [{ kind: "used", location: slot.location }];
    this.#slots.add(slot.location, false);
    return [];
  }

  /**
   * Undefined where it overlaps a slot that is free or held; nothing happens with slots below the smallest size. One that `rests` is held
   * until it is confirmed as not kept.
   */
  free(location: TrunkLocation, rests = false): readonly SlotEvent[] | undefined {
    if (location.size < this.#rules.slotMinBytes) return [];
    if (this.#slots.overlaps(location)) return undefined;
    this.noteFileId(location.fileId);
    if (rests) this.#slots.add(location, true);
    else this.#keep(location);
    return [{ kind: "free", location }];
  }

  /** Joins neighbouring free slots of one trunk file after the other; each step is one file. Held slots stay as they are. */
  *merge(): Generator<readonly SlotEvent[], void> {
    for (const run of this.#slots.runs()) {
      const events: SlotEvent[] = [];
      for (const neighbours of run) {
        const [first] = neighbours;
        if (first === undefined) continue;
        const size = neighbours.reduce((total, slot) => total + slot.location.size, 0);
        for (const slot of neighbours) {
          this.#slots.remove(slot);
          events.push({ kind: "used", location: slot.location });
        }
        const location = { ...first.location, size };
        this.#keep(location);
        events.push({ kind: "free", location });
      }
      yield events;
    }
  }

  /** Trunk files in which nothing is used or held leave the free list for good, their numbers with them; each step is one file. */
  *leaveUnused(): Generator<readonly SlotEvent[], void> {
    for (const slots of this.#slots.files(this.#rules.trunkFileBytes)) {
      for (const slot of slots) this.#slots.remove(slot);
      yield slots.map(({ location }) => ({ kind: "used", location }));
    }
  }

  #takeOut(location: TrunkLocation): readonly SlotEvent[] | undefined {
    const around = this.#slots.freeAround(location);
    if (around === undefined) return undefined;
    const { offset, size } = around.location;
    const end = location.offset + location.size;
    this.#slots.remove(around);
    const events: SlotEvent[] = [{ kind: "used", location: around.location }];
    const rests = [
      { ...location, offset, size: location.offset - offset },
      { ...location, offset: end, size: offset + size - end },
    ];
    for (const rest of rests) {
      if (rest.size < this.#rules.slotMinBytes) continue;
      this.#keep(rest);
      events.push({ kind: "free", location: rest });
    }
    return events;
  }

  #keep(location: TrunkLocation): void {
    if (this.#slots.count < maxGroupSlots) this.#slots.add(location, false);
    else this.#isComplete = false;
  }

  #newFile(storePathIndex: number, events: SlotEvent[]): GroupSlot | undefined {
    if (this.#currentFileId >= maxFileId) return undefined;
    this.#currentFileId += 1;
    const fileId = this.#currentFileId;
    const directory = hashedDirectory(trunkFileHashText(fileId), this.#subdirCount);
    const location = {
      storePathIndex,
      ...directory,
      fileId,
      offset: 0,
      size: this.#rules.trunkFileBytes,
    };
    events.push({ kind: "free", location });
    return this.#slots.add(location, false);
  }
}

const maxFileId = 0x7fffffff;

/** The smallest slot, or the size rounded up to the alignment (protocol §4.5). */
export function slotSizeFor(rules: SlotRules, sizeBytes: number): number {
  if (sizeBytes <= rules.slotMinBytes) return rules.slotMinBytes;
  const { alignmentBytes } = rules;
  return alignmentBytes > 1 ? Math.ceil(sizeBytes / alignmentBytes) * alignmentBytes : sizeBytes;
}

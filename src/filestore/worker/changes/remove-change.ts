/**
 * Removes a file, and with it its metadata and, for a slave that is a link, the file that it means (protocol §2.6/12). One record
 * each. Worker thread.
 */
import { recordLine } from "#filestore/binlog/entry.ts";
import type { LentDescriptor } from "#filestore/trunk/trunk-descriptors.ts";
import { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { type FilePlace, lockKey } from "#filestore/worker/file-layout.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import type { TrunkSlotPlace } from "#filestore/worker/trunk-slot.ts";
import type { FlushTarget } from "#platform/flusher.ts";

export interface Removal {
  readonly place: FilePlace;
  /** Where it is packed into a trunk file: the slot, which is overwritten by zeros. */
  readonly slot?: TrunkSlotPlace;
  /** Unix seconds, where it is later than the one of the record. */
  readonly timestamp?: number;
  /** It is not here: nothing but the record is to be made. */
  readonly isAbsent?: boolean;
}

export interface RemovalRecord {
  /** Unix seconds. */
  readonly timestamp: number;
  /** A peer did it first. */
  readonly replica?: boolean;
  /** What to answer with. */
  readonly outcome?: string;
  /** See `StagedChange.secondKey`. */
  readonly secondKey?: string;
}

export class RemoveChange extends StagedChange {
  readonly #store: StorePath;
  readonly #removals: readonly Removal[];
  readonly #how: RemovalRecord;
  #removed = 0;
  /** The trunk file of what was packed, until it is flushed; only where too many others are to be. */
  #trunkFile: LentDescriptor | undefined;
  /** Slots that are zeros from begin to end, for others to have. */
  readonly #cleared: TrunkSlotPlace[] = [];

  /** The first of `removals` is the file itself. */
  constructor(store: StorePath, removals: readonly [Removal, ...Removal[]], how: RemovalRecord) {
    const { name } = removals[0].place;
    super({
      key: lockKey(name),
      lines: removals
        .map((each) => recordLine("delete", recordOf(each, how), each.place.name))
        .join(""),
      doing: `delete ${name}`,
      made: how.outcome ?? "",
      ...(how.secondKey === undefined ? {} : { secondKey: how.secondKey }),
    });
    this.#store = store;
    this.#removals = removals;
    this.#how = how;
  }

  override get needsRoom(): boolean {
    return false;
  }

  apply(): void {
    for (const { place, slot } of this.#removals.slice(this.#removed)) {
      if (slot === undefined) this.#store.files.remove(place.path);
      else this.#clear(slot);
      this.#removed += 1;
    }
  }

  /** Without its file the rest means nothing: once that is gone, all of the records are to stand. */
  amends(): string {
    if (this.isOwed) return "";
    const here = this.#removals.filter(({ isAbsent }) => isAbsent !== true);
    return here.map(({ place }) => recordLine("create", this.#how, place.name)).join("");
  }

  override get isOwed(): boolean {
    const isBegun = this.#removals
      .slice(0, this.#removed)
      .some(({ isAbsent }) => isAbsent !== true);
    return isBegun && this.#removed < this.#removals.length;
  }

  override appliedTargets(): readonly FlushTarget[] {
    const { layout } = this.#store;
    const directories = this.#removals
      .filter(({ slot }) => slot === undefined)
      .map(({ place }) => ({ kind: "directory", path: layout.directoryOf(place) }) as const);
    if (this.#trunkFile === undefined) return directories;
    return [...directories, { kind: "file", ...this.#trunkFile }];
  }

  override cleanUp(): void {
    if (this.#trunkFile !== undefined) {
      this.#store.packed.descriptors.giveBack(this.#trunkFile);
    }
    this.#trunkFile = undefined;
  }

  override succeed(): void {
    for (const slot of this.#cleared) this.#store.packed.freed(slot);
    for (const removal of this.#removals) {
      const { timestamp } = recordOf(removal, this.#how);
      this.#store.removed.note(removal.place.name, timestamp);
    }
    super.succeed();
  }

  #clear(slot: TrunkSlotPlace): void {
    const { packed } = this.#store;
    if (!packed.unflushed.add(slot.path)) this.#trunkFile ??= packed.descriptors.lend(slot.path);
    if (packed.clear(slot)) this.#cleared.push(slot);
  }
}

function recordOf({ timestamp }: Removal, how: RemovalRecord): RemovalRecord {
  return timestamp === undefined ? how : { ...how, timestamp };
}

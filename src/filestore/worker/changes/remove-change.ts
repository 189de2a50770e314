/**
 * Removes a file, and with it its metadata and, for a slave that is a link, the file that it means (protocol §2.6/12). One record
 * each. Worker thread.
 */
import { sourceLine } from "#filestore/binlog/entry.ts";
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
}

export class RemoveChange extends StagedChange {
  readonly #store: StorePath;
  readonly #removals: readonly Removal[];
  readonly #timestamp: number;
  #removed = 0;
  /** The trunk file of what was packed, until it is flushed. */
  #trunkFile: LentDescriptor | undefined;
  /** Slots that are zeros from begin to end, for others to have. */
  readonly #cleared: TrunkSlotPlace[] = [];

  /** The first of `removals` is the file itself. */
  constructor(store: StorePath, removals: readonly [Removal, ...Removal[]], timestamp: number) {
    const { name } = removals[0].place;
    super({
      key: lockKey(name),
      lines: removals.map(({ place }) => sourceLine("delete", timestamp, place.name)).join(""),
      doing: `delete ${name}`,
    });
    this.#store = store;
    this.#removals = removals;
    this.#timestamp = timestamp;
  }

  apply(): void {
    for (const { place, slot } of this.#removals) {
      if (slot === undefined) this.#store.files.remove(place.path);
      else this.#clear(slot);
      this.#removed += 1;
    }
  }

  /** Without its file the rest means nothing: once that is gone, all of the records are to stand. */
  amends(): string {
    if (this.isOwed) return "";
    return this.#removals
      .map(({ place }) => sourceLine("create", this.#timestamp, place.name))
      .join("");
  }

  override get isOwed(): boolean {
    return this.#removed > 0 && this.#removed < this.#removals.length;
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
    super.succeed();
  }

  #clear(slot: TrunkSlotPlace): void {
    const { packed } = this.#store;
    this.#trunkFile ??= packed.descriptors.lend(slot.path);
    if (packed.clear(slot)) this.#cleared.push(slot);
  }
}

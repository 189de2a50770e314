/**
 * Prepares peers' changes that come without a body (protocol §2.7/16 with a status, 17, 19, 37, 40). What does not fit what is here
 * becomes an answer, not an error, and changes nothing; a name that is said to be gone does not come back by a file that comes late.
 * Names must not be locked. Worker thread.
 */
import { linkRecord, neverHereLine, recordLine } from "#filestore/binlog/entry.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { PlaceChange } from "#filestore/worker/changes/place-change.ts";
import { RecordChange } from "#filestore/worker/changes/record-change.ts";
import { type Removal, RemoveChange } from "#filestore/worker/changes/remove-change.ts";
import { RenameChange } from "#filestore/worker/changes/rename-change.ts";
import type { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { TruncateChange } from "#filestore/worker/changes/truncate-change.ts";
import { onDisk } from "#filestore/worker/disk-failure.ts";
import {
  type FilePlace,
  isMetadataBase,
  lockKey,
  metadataPlace,
} from "#filestore/worker/file-layout.ts";
import type { FileReader } from "#filestore/worker/file-reader.ts";
import { toldBy } from "#filestore/worker/replicas/replica-content.ts";
import { slotLockKey } from "#filestore/worker/replicas/replica-slot.ts";
import { writeLinkSlot } from "#filestore/worker/replicas/replica-slot-writer.ts";
import { StagedFile } from "#filestore/worker/staged-files.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { findSlot, slotPlace, type TrunkSlotPlace } from "#filestore/worker/trunk-slot.ts";
import { isTrunkBase } from "#model/file-id.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";
import { FileError, type FileStat } from "#platform/files.ts";

type Outcome = "" | "already" | "missing" | "differs";

/** The file, or its file system, takes no further name for it. */
const noFurtherName = ["EMLINK", "EPERM", "EACCES", "EXDEV", "EOPNOTSUPP", "ENOTSUP", "ENOSYS"];

export class ReplicaPreparer {
  readonly #store: StorePath;
  readonly #reader: FileReader;

  constructor(store: StorePath, reader: FileReader) {
    this.#store = store;
    this.#reader = reader;
  }

  /** The record alone of a file that is here. Throws `file-missing`, and so do the others for names that are none: `file-invalid`. */
  record(name: string, timestamp: number, replaced: boolean): StagedChange {
    const place = this.#store.layout.place(name);
    if (!this.#isHere(place)) throw fileStoreError("file-missing", `there is no file ${name}`);
    const kind = replaced ? "update" : "create";
    return this.#outcome(place, "", recordLine(kind, { timestamp, replica: true }, place.name));
  }

  /** Its metadata goes with it: whoever deleted the file need not have had any, and would send no record of that. */
  remove(name: string, timestamp: number): StagedChange {
    const store = this.#store;
    const place = store.layout.place(name);
    const how = { timestamp, replica: true };
    const metadata = this.#metadataOf(place, timestamp);
    if (isTrunkBase(place.base)) {
      const slot = this.#slot(place);
      if (slot === undefined) return this.#gone(place, timestamp, "");
      const secondKey = slotLockKey(slot);
      if (store.locks.has(secondKey)) {
        throw fileStoreError("store-path-unready", `the slot of ${place.name} is being changed`);
      }
      const removals = [{ place, slot }, ...metadata] as const;
      return this.#locked(new RemoveChange(store, removals, { ...how, secondKey }));
    }
    const stat = this.#stat(place);
    if (stat === undefined && metadata.length === 0) {
      return this.#gone(place, timestamp, recordLine("delete", how, place.name));
    }
    if (stat === undefined) {
      const removals = [{ place, isAbsent: true }, ...metadata] as const;
      return this.#locked(new RemoveChange(store, removals, { ...how, outcome: "missing" }));
    }
    if (stat.kind !== "file" && stat.kind !== "link") {
      throw fileStoreError("file-invalid", `${place.name} is not a regular file`);
    }
    return this.#locked(new RemoveChange(store, [{ place }, ...metadata], how));
  }

  truncate(change: {
    readonly name: string;
    readonly oldSize: number;
    readonly newSize: number;
    readonly timestamp: number;
    /** See `ReplicaTruncation.versioned`. */
    readonly versioned?: boolean;
  }): StagedChange {
    const { name, oldSize, newSize, timestamp, versioned = false } = change;
    for (const size of [oldSize, newSize]) requireSize(size);
    const place = this.#store.layout.place(name);
    const stat = this.#stat(place);
    if (stat === undefined) return this.#outcome(place, "missing");
    const isSameTime = !versioned || stat.modifiedSeconds === timestamp;
    const isDone = stat.sizeBytes === newSize && isSameTime;
    if (stat.kind !== "file" || isDone) return this.#outcome(place, "already");
    const isLater = versioned && stat.modifiedSeconds > timestamp;
    if (isLater || stat.sizeBytes !== oldSize) return this.#outcome(place, "differs");
    const truncation = { place, oldSize, newSize, timestamp, replica: true };
    return this.#locked(new TruncateChange(this.#store, truncation));
  }

  /**
   * An appender file got a name that tells its content, which is compared in steps. Where the content is another one, or the new name
   * is there already or was removed since, the old one only goes. Both names are locked from the call on: run the generator to its end, or end it.
   */
  rename(names: ReplicaNames): Generator<undefined, StagedChange> {
    const place = this.#store.layout.place(names.name);
    const source = this.#store.layout.place(names.source);
    for (const each of [place, source]) this.#store.locks.add(lockKey(each.name));
    return this.#rename({ place, source, timestamp: names.timestamp });
  }

  /** A further name for a file of this path; `differs` where it can have none, and must come as a file. */
  link({ name, source, timestamp }: ReplicaNames): StagedChange {
    const { layout, staged, tree } = this.#store;
    const place = layout.place(name);
    const from = layout.find(source);
    if (this.#isHere(place)) return this.#outcome(place, "already");
    if (this.#isRemoved(place, timestamp)) return this.#outcome(place, "already");
    if (isTrunkBase(place.base)) return this.#linkSlot(place, source, timestamp);
    if (from === undefined || isTrunkBase(from.base)) return this.#outcome(place, "differs");
    const stat = this.#stat(from);
    if (stat === undefined) return this.#outcome(place, "missing");
    const told = toldBy(place.base);
    const isFit = stat.kind === "file" && (told === undefined || told.size === stat.sizeBytes);
    if (!isFit || this.#store.locks.has(lockKey(from.name))) return this.#outcome(place, "differs");
    return onDisk(`link ${place.name}`, () => {
      tree.ensure(place);
      const part = staged.newPart();
      if (!this.#linked(part, from)) return this.#outcome(place, "differs");
      return this.#locked(
        new PlaceChange(this.#store, {
          key: lockKey(place.name),
          staged: new StagedFile(this.#store, part, undefined),
          target: place,
          line: linkRecord({ timestamp, replica: true }, place.name, from.name),
          amends: neverHereLine(place.name),
          made: "",
          linked: true,
          bound: true,
        }),
      );
    });
  }

  #linkSlot(place: FilePlace, source: string, timestamp: number): StagedChange {
    const slot = slotPlace(this.#store.layout, place);
    if (slot === undefined || slot.sizeBytes !== source.length) {
      return this.#outcome(place, "differs");
    }
    const link = { place, slot, source, timestamp };
    const change = onDisk(`link ${place.name}`, () => writeLinkSlot(this.#store, link));
    return change ?? this.#outcome(place, "already");
  }

  *#rename(names: PlacedNames): Generator<undefined, StagedChange> {
    let change: StagedChange | undefined;
    try {
      change = yield* this.#renamed(names);
      return change;
    } finally {
      for (const { name } of [names.place, names.source]) {
        const key = lockKey(name);
        if (change?.key !== key && change?.secondKey !== key) this.#store.locks.delete(key);
      }
    }
  }

  *#renamed({ place, source, timestamp }: PlacedNames): Generator<undefined, StagedChange> {
    const how = { timestamp, replica: true };
    const old = this.#stat(source);
    const isThere = this.#stat(place) !== undefined || this.#isRemoved(place, timestamp);
    if (old === undefined && isThere) return this.#outcome(place, "already");
    if (old === undefined) {
      return this.#gone(source, timestamp, recordLine("delete", how, source.name));
    }
    const told = isThere ? undefined : toldBy(place.base);
    const isSame = told?.size === old.sizeBytes && (yield* this.#crc(source)) === told.crc32;
    if (isSame) return new RenameChange(this.#store, { old: source, new: place, ...how });
    const outcome = isThere ? "already" : "differs";
    return new RemoveChange(this.#store, [{ place: source }], { ...how, outcome });
  }

  *#crc(place: FilePlace): Generator<undefined, number> {
    return yield* this.#reader.crc(place.name);
  }

  /** True where `path` is a further name of the file. Throws `FileError`. */
  #linked(path: string, from: FilePlace): boolean {
    try {
      this.#store.files.makeHardLink(path, from.path);
      return true;
    } catch (error) {
      if (error instanceof FileError && noFurtherName.includes(error.code)) return false;
      throw error;
    }
  }

  /** What is to go with a file that is removed at `timestamp`; never before it was made itself. */
  #metadataOf(file: FilePlace, timestamp: number): readonly Removal[] {
    if (isMetadataBase(file.base)) return [];
    const place = metadataPlace(file);
    const stat = this.#stat(place);
    if (stat?.kind !== "file") return [];
    return [{ place, timestamp: Math.max(timestamp, stat.modifiedSeconds) }];
  }

  #gone(place: FilePlace, timestamp: number, lines: string): StagedChange {
    const removed = { name: place.name, timestamp };
    const key = lockKey(place.name);
    const outcome = this.#wentWithItsFile(place, timestamp) ? "already" : "missing";
    return this.#locked(new RecordChange(this.#store, { key, lines, outcome, removed }));
  }

  /** Metadata that the deletion of its file took along: C deletes it by itself, and is told that it did. */
  #wentWithItsFile(place: FilePlace, timestamp: number): boolean {
    const { removed } = this.#store;
    return onDisk("look for a removal", () => removed.coversOwner(place, { timestamp }));
  }

  #outcome(place: FilePlace, outcome: Outcome, lines = ""): StagedChange {
    const key = lockKey(place.name);
    return this.#locked(new RecordChange(this.#store, { key, lines, outcome }));
  }

  #isRemoved(place: FilePlace, timestamp: number): boolean {
    const { removed } = this.#store;
    return onDisk("look for a removal", () => removed.covers(place, { timestamp }));
  }

  #isHere(place: FilePlace): boolean {
    if (isTrunkBase(place.base)) return this.#slot(place) !== undefined;
    return this.#stat(place) !== undefined;
  }

  #slot(place: FilePlace): TrunkSlotPlace | undefined {
    const header = Buffer.allocUnsafe(trunkHeaderSize);
    return onDisk(`find ${place.name}`, () => findSlot(this.#store, place, header))?.place;
  }

  #stat(place: FilePlace): FileStat | undefined {
    return onDisk(`find ${place.name}`, () => this.#store.files.stat(place.path, false));
  }

  #locked(change: StagedChange): StagedChange {
    this.#store.locks.add(change.key);
    if (change.secondKey !== undefined) this.#store.locks.add(change.secondKey);
    return change;
  }
}

export interface ReplicaNames {
  readonly name: string;
  readonly source: string;
  /** Unix seconds. */
  readonly timestamp: number;
}

interface PlacedNames {
  readonly place: FilePlace;
  readonly source: FilePlace;
  readonly timestamp: number;
}

function requireSize(size: number): void {
  if (Number.isSafeInteger(size) && size >= 0) return;
  throw fileStoreError("file-invalid", `no size: ${size}`);
}

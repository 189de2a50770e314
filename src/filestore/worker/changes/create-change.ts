/**
 * A new file whose whole body waits in memory, where nothing is flushed: its record is written first, then the file, under its final
 * name. There is nothing to stage and nothing to rename, and never a file without a record; a record without its whole file, which a
 * kill in between leaves, is amended by the next start (see `roll-forward.ts`). Worker thread.
 */
import { neverHereLine, recordLine } from "#filestore/binlog/entry.ts";
import { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { type FilePlace, lockKey } from "#filestore/worker/file-layout.ts";
import { fileTimeLagMs } from "#filestore/worker/limits.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { type FileDescriptor, FileError } from "#platform/files.ts";

export interface Creation {
  /** Claimed, or a peer's whose name is locked. Its name tells size and CRC-32 of the body. */
  readonly place: FilePlace;
  /** Stays as it is until the change ends, and is not looked at afterwards. */
  readonly body: Uint8Array;
  /** When the name was made, whose time is the whole second; taken from `NameTimes`. */
  readonly namedMs: number;
}

/** As a peer made it first. */
export interface ReplicaCreation extends Omit<Creation, "namedMs"> {
  /** See `lockKey`. */
  readonly key: string;
  /** Unix seconds; becomes the file's time. */
  readonly timestamp: number;
  readonly replica: true;
}

const nothing = new Uint8Array(0);

export class CreateChange extends StagedChange {
  readonly #store: StorePath;
  readonly #place: FilePlace;
  readonly #namedMs: number | undefined;
  readonly #timestamp: number;
  #body: Uint8Array;
  /** Somebody else's file has the name, which the record is true of. */
  #isTaken = false;
  /** A part of it could not be removed. */
  #isHalf = false;

  constructor(store: StorePath, creation: Creation | ReplicaCreation) {
    const { place, body } = creation;
    const namedMs = "replica" in creation ? undefined : creation.namedMs;
    const timestamp =
      "replica" in creation ? creation.timestamp : Math.floor((namedMs ?? 0) / 1000);
    const replica = namedMs === undefined;
    super({
      key: "replica" in creation ? creation.key : lockKey(place.name),
      lines: recordLine("create", { timestamp, replica }, place.name),
      doing: `store ${place.name}`,
      made: replica ? "" : place.name,
      namedMs,
    });
    this.#store = store;
    this.#place = place;
    this.#namedMs = namedMs;
    this.#timestamp = timestamp;
    this.#body = body;
  }

  override discard(): void {
    this.#body = nothing;
  }

  apply(): void {
    const { files } = this.#store;
    const descriptor = this.#open();
    try {
      try {
        if (this.#body.length > 0) files.write(descriptor, this.#body);
      } finally {
        files.close(descriptor);
      }
      this.#alignTime();
    } catch (error) {
      this.#undo();
      throw error;
    }
  }

  amends(): string {
    if (this.#isTaken) return "";
    const { name } = this.#place;
    if (this.#namedMs === undefined) return neverHereLine(name);
    return recordLine("delete", { timestamp: this.#timestamp }, name);
  }

  override get isOwed(): boolean {
    return this.#isHalf;
  }

  override cleanUp(): void {
    this.#body = nothing;
  }

  #open(): FileDescriptor {
    const { files, tree } = this.#store;
    const { path } = this.#place;
    try {
      return files.open(path, "create");
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#isTaken = error.code === "EEXIST";
      if (error.code !== "ENOENT") throw error;
    }
    tree.forget(this.#place);
    tree.ensure(this.#place);
    return files.open(path, "create");
  }

  /** The file's time is the one of the record: here they differ only around the turn of a second, and a peer's is some time ago. */
  #alignTime(): void {
    const { files, clock } = this.#store;
    const timestamp = this.#timestamp;
    const nowMs = clock.nowMs();
    const sameSecond = Math.floor(nowMs / 1000) === timestamp;
    if (sameSecond && (this.#namedMs ?? nowMs) % 1000 >= fileTimeLagMs) return;
    files.setModified(this.#place.path, timestamp);
  }

  #undo(): void {
    try {
      this.#store.files.remove(this.#place.path);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#isHalf = true;
      const problem = error.message;
      this.#store.log.error("file-not-removed", { name: this.#place.name, problem });
    }
  }
}

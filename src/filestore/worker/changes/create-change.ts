/**
 * A new file whose whole body waits in memory, where nothing is flushed: its record is written first, then the file, under its final
 * name. There is nothing to stage and nothing to rename, and never a file without a record; a record without its whole file, which a
 * kill in between leaves, is amended by the next start (see `roll-forward.ts`). Worker thread.
 */
import { sourceLine } from "#filestore/binlog/entry.ts";
import { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { type FilePlace, lockKey } from "#filestore/worker/file-layout.ts";
import { fileTimeLagMs } from "#filestore/worker/limits.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { type FileDescriptor, FileError } from "#platform/files.ts";

export interface Creation {
  /** Claimed. Its name tells size and CRC-32 of the body. */
  readonly place: FilePlace;
  /** Stays as it is until the change ends, and is not looked at afterwards. */
  readonly body: Uint8Array;
  /** When the name was made, whose time is the whole second. */
  readonly namedMs: number;
}

const nothing = new Uint8Array(0);

export class CreateChange extends StagedChange {
  readonly #store: StorePath;
  readonly #place: FilePlace;
  readonly #namedMs: number;
  #body: Uint8Array;
  /** Somebody else's file has the name, which the record is true of. */
  #isTaken = false;
  /** A part of it could not be removed. */
  #isHalf = false;

  constructor(store: StorePath, { place, body, namedMs }: Creation) {
    super({
      key: lockKey(place.name),
      lines: sourceLine("create", Math.floor(namedMs / 1000), place.name),
      doing: `store ${place.name}`,
      made: place.name,
    });
    this.#store = store;
    this.#place = place;
    this.#namedMs = namedMs;
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
    return sourceLine("delete", Math.floor(this.#namedMs / 1000), this.#place.name);
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

  /** The file's time is the one in its name: they differ only around the turn of a second. */
  #alignTime(): void {
    const { files, clock } = this.#store;
    const timestamp = Math.floor(this.#namedMs / 1000);
    const sameSecond = Math.floor(clock.nowMs() / 1000) === timestamp;
    if (sameSecond && this.#namedMs % 1000 >= fileTimeLagMs) return;
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

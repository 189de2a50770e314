/** Receives what is appended to an appender file, or overwrites a part of it. Its name is locked from the start. Worker thread. */
import { fileStoreError } from "#filestore/errors.ts";
import { timeOfChange } from "#filestore/file-version.ts";
import { SpliceChange } from "#filestore/worker/changes/splice-change.ts";
import { EmptyChange, type StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { onDisk } from "#filestore/worker/disk-failure.ts";
import { type FilePlace, lockKey } from "#filestore/worker/file-layout.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { StagedBody, type WriteHandle } from "#filestore/worker/write-handle.ts";

export interface SpliceTarget {
  readonly kind: "append" | "modify";
  readonly place: FilePlace;
  readonly offset: number;
  readonly oldSize: number;
  /** Unix seconds, of the file before. */
  readonly modifiedSeconds: number;
}

export class SpliceWriter implements WriteHandle {
  readonly #store: StorePath;
  readonly #target: SpliceTarget;
  readonly body: StagedBody;
  #finished = false;

  constructor(store: StorePath, target: SpliceTarget) {
    this.#store = store;
    this.#target = target;
    this.body = new StagedBody(store);
    store.locks.add(lockKey(target.place.name));
  }

  write(bytes: Uint8Array): void {
    this.body.write(bytes);
  }

  finish(): StagedChange {
    const { kind, place, offset, oldSize, modifiedSeconds } = this.#target;
    const { received: length } = this.body;
    if (length === 0) {
      this.#finished = true;
      return new EmptyChange(lockKey(place.name));
    }
    this.#checkRoom(offset + length - oldSize);
    const staged = this.body.take();
    this.#finished = true;
    const now = Math.floor(this.#store.clock.nowMs() / 1000);
    const timestamp = timeOfChange(now, modifiedSeconds, offset + length > oldSize);
    const splice = { kind, place, staged, offset, length, oldSize, modifiedSeconds, timestamp };
    return new SpliceChange(this.#store, splice);
  }

  abort(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.body.drop();
    this.#store.locks.delete(lockKey(this.#target.place.name));
  }

  /** The body lies on this disk already and is going to be copied: better refused than found out half-way. */
  #checkRoom(growth: number): void {
    if (growth <= 0) return;
    const { files, layout } = this.#store;
    const { freeBytes } = onDisk("ask for room", () => files.space(layout.data));
    if (freeBytes > growth) return;
    const problem = `no room for ${growth} more bytes of ${this.#target.place.name}`;
    throw fileStoreError("store-full", problem, { details: { errno: "ENOSPC" } });
  }
}

/**
 * Receives a new file: normal, appender or slave. A body that comes in one piece, as small ones do, is written straight to the
 * staged file under its final name, without a further rename. Worker thread.
 */
import { crc32 } from "node:zlib";
import { sourceLine } from "#filestore/binlog/entry.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { formatNew } from "#filestore/formats/staged-name.ts";
import { PlaceChange } from "#filestore/worker/changes/place-change.ts";
import { diskFailure, onDisk } from "#filestore/worker/disk-failure.ts";
import { type FilePlace, lockKey } from "#filestore/worker/file-layout.ts";
import { fileTimeLagMs } from "#filestore/worker/limits.ts";
import { claimNewPlace } from "#filestore/worker/new-name.ts";
import type { StagedFile } from "#filestore/worker/staged-files.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { StagedBody, type WriteHandle } from "#filestore/worker/write-handle.ts";

export interface NewFile {
  readonly kind: "normal" | "appender";
  readonly extension: string;
  /** As announced; only an estimate where the end alone tells it. */
  readonly lengthBytes: number;
}

export class NewFileWriter implements WriteHandle {
  readonly #store: StorePath;
  readonly #file: NewFile;
  readonly #body: StagedBody;
  #crc = 0;
  /** Claimed when the whole content is known. */
  #place: FilePlace | undefined;
  #timestamp = 0;
  #finished = false;

  constructor(store: StorePath, file: NewFile) {
    this.#store = store;
    this.#file = file;
    this.#body = new StagedBody(store);
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#crc = crc32(bytes, this.#crc);
    if (this.#place !== undefined) this.#goOn();
    if (this.#body.received === 0 && bytes.length === this.#file.lengthBytes) this.#whole(bytes);
    else this.#body.write(bytes);
  }

  finish(): PlaceChange {
    if (this.#body.received === 0 && this.#place === undefined) this.#whole(new Uint8Array(0));
    const staged = this.#body.take();
    const place = this.#place ?? onDisk("name a file", () => this.#rename(staged));
    this.#finished = true;
    return new PlaceChange(this.#store, {
      key: lockKey(place.name),
      staged,
      target: place,
      line: sourceLine("create", this.#timestamp, place.name),
      amends: sourceLine("delete", this.#timestamp, place.name),
      made: place.name,
      bound: false,
    });
  }

  abort(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#body.drop();
    if (this.#place !== undefined) this.#store.locks.delete(lockKey(this.#place.name));
  }

  #whole(bytes: Uint8Array): void {
    onDisk("store a file", () => {
      const nowMs = this.#store.clock.nowMs();
      const place = this.#claim(nowMs, bytes.length);
      const staged = this.#stagedPath(place);
      this.#body.writeWhole(staged, bytes);
      this.#alignTime(staged, nowMs);
    });
  }

  /** The announced length was an estimate, which the first piece happened to have: more came. */
  #goOn(): void {
    onDisk("store a file", () => this.#body.reopen());
    if (this.#place !== undefined) this.#store.locks.delete(lockKey(this.#place.name));
    this.#place = undefined;
  }

  /** The file's time is the one in its name: they differ only around the turn of a second. */
  #alignTime(staged: string, nowMs: number): void {
    const doneMs = this.#store.clock.nowMs();
    const sameSecond = Math.floor(doneMs / 1000) === this.#timestamp;
    if (sameSecond && nowMs % 1000 >= fileTimeLagMs) return;
    this.#store.files.setModified(staged, this.#timestamp);
  }

  #rename(staged: StagedFile): FilePlace {
    try {
      const place = this.#claim(this.#store.clock.nowMs(), this.#body.received);
      staged.rename(this.#stagedPath(place));
      this.#store.files.setModified(staged.path, this.#timestamp);
      return place;
    } catch (error) {
      staged.drop();
      throw error;
    }
  }

  #claim(nowMs: number, size: number): FilePlace {
    this.#timestamp = Math.floor(nowMs / 1000);
    const { kind, extension } = this.#file;
    const name = { kind, extension, timestamp: this.#timestamp, size, crc32: this.#crc };
    const place = claimNewPlace(this.#store, name);
    this.#place = place;
    return place;
  }

  #stagedPath(place: FilePlace): string {
    return `${this.#store.layout.tmp}/${formatNew(place)}`;
  }
}

export class SlaveWriter implements WriteHandle {
  readonly #store: StorePath;
  readonly #place: FilePlace;
  readonly #body: StagedBody;
  #finished = false;

  constructor(store: StorePath, place: FilePlace) {
    this.#store = store;
    this.#place = place;
    this.#body = new StagedBody(store);
  }

  write(bytes: Uint8Array): void {
    this.#body.write(bytes);
  }

  /** Of several uploads of one slave at a time, the first that is whole wins. */
  finish(): PlaceChange {
    const place = this.#place;
    const key = lockKey(place.name);
    const timestamp = Math.floor(this.#store.clock.nowMs() / 1000);
    onDisk(`store ${place.name}`, () => {
      const { files, tree, locks } = this.#store;
      if (locks.has(key) || files.stat(place.path, false) !== undefined) throw slaveExists(place);
      tree.ensure(place);
    });
    const staged = this.#body.take();
    try {
      this.#store.files.setModified(staged.path, timestamp);
    } catch (error) {
      staged.drop();
      throw diskFailure(error, `store ${place.name}`);
    }
    this.#store.locks.add(key);
    this.#finished = true;
    return new PlaceChange(this.#store, {
      key,
      staged,
      target: place,
      line: sourceLine("create", timestamp, place.name),
      amends: sourceLine("delete", timestamp, place.name),
      made: place.name,
      bound: true,
    });
  }

  abort(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#body.drop();
  }
}

/** For a slave whose name is taken. */
export function slaveExists(place: FilePlace): Error {
  return fileStoreError("file-exists", `${place.name} is there already`);
}

/**
 * Receives a new file: normal, appender or slave. A body that comes in one piece, as small ones do, is written straight to the
 * staged file under its final name, without a further rename; where nothing is flushed and it stays in memory until the change ends,
 * it is not staged at all. Worker thread.
 */
import { createHash, type Hash, hash as hashOf } from "node:crypto";
import { crc32 } from "node:zlib";
import { sourceLine } from "#filestore/binlog/entry.ts";
import type { Content, ContentHolder } from "#filestore/dedup/content-links.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { formatNew } from "#filestore/formats/staged-name.ts";
import { CreateChange, type Creation } from "#filestore/worker/changes/create-change.ts";
import { PlaceChange } from "#filestore/worker/changes/place-change.ts";
import { diskFailure, onDisk } from "#filestore/worker/disk-failure.ts";
import { type FilePlace, lockKey } from "#filestore/worker/file-layout.ts";
import { fileTimeLagMs } from "#filestore/worker/limits.ts";
import { claimNewPlace } from "#filestore/worker/new-name.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { StagedBody, type WriteHandle } from "#filestore/worker/write-handle.ts";

export interface NewFile {
  readonly kind: "normal" | "appender";
  readonly extension: string;
  /** As announced; only an estimate where the end alone tells it. */
  readonly lengthBytes: number;
  /** Content that is not on this path is held for others to be asked, see `WriteHandle.held`. */
  readonly hold?: boolean;
}

export class NewFileWriter implements WriteHandle {
  readonly #store: StorePath;
  readonly #file: NewFile;
  readonly body: StagedBody;
  #crc = 0;
  /** Of what comes in pieces; undefined where nobody wants to know. */
  #hash: Hash | undefined;
  /** Known when the whole has come, and asked for by nobody where it stays undefined. */
  #content: Content | undefined;
  /** Who held the content, where it got a further name. */
  #linked: ContentHolder | undefined;
  /** Claimed when the whole content is known. */
  #place: FilePlace | undefined;
  /** Of a body that is not staged. */
  #creation: Creation | undefined;
  /** When the name was made. */
  #namedMs: number | undefined;
  #finished = false;

  constructor(store: StorePath, file: NewFile) {
    this.#store = store;
    this.#file = file;
    this.body = new StagedBody(store);
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#crc = crc32(bytes, this.#crc);
    if (this.#place !== undefined) this.#goOn();
    const { lengthBytes, hold } = this.#file;
    if (this.body.received === 0 && bytes.length === lengthBytes && hold !== true) {
      this.#whole(bytes);
      return;
    }
    if (this.body.received === 0 && this.#sharesContent) this.#hash = createHash("sha256");
    this.#hash?.update(bytes);
    this.body.write(bytes);
  }

  writeWhole(bytes: Uint8Array): void {
    if (!this.#isDirect) {
      this.write(bytes);
      return;
    }
    this.#crc = crc32(bytes);
    this.#create(bytes);
  }

  held(): Content | undefined {
    const content = this.#file.hold === true ? this.#wholeContent() : undefined;
    const isHere = content !== undefined && this.#store.contents?.has(content) === true;
    return isHere ? undefined : content;
  }

  finish(): CreateChange | PlaceChange {
    if (this.body.received === 0 && this.#place === undefined) {
      const nothing = new Uint8Array(0);
      if (this.#isDirect) this.#create(nothing);
      else this.#whole(nothing);
    }
    if (this.#creation !== undefined) {
      this.#finished = true;
      return new CreateChange(this.#store, this.#creation);
    }
    const place = this.#place ?? onDisk("name a file", () => this.#name());
    const staged = this.body.take();
    this.#finished = true;
    const content = this.#content;
    if (content !== undefined) this.#store.contents?.note(content, place, this.#linked);
    return new PlaceChange(this.#store, {
      key: lockKey(place.name),
      staged,
      target: place,
      line: sourceLine("create", this.#timestamp, place.name),
      amends: sourceLine("delete", this.#timestamp, place.name),
      made: place.name,
      namedMs: this.#namedMs,
      linked: this.#linked !== undefined,
      bound: false,
    });
  }

  abort(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.body.drop();
    this.#unname();
  }

  /**
   * The record of what is not staged comes before the file, so that a kill in between leaves a record that is not true: the next
   * start has to see that, from the size in the name. What is held may be given up after all.
   */
  get #isDirect(): boolean {
    const { flushed, contents } = this.#store;
    const { kind, hold } = this.#file;
    return !flushed && contents === undefined && kind === "normal" && hold !== true;
  }

  #create(body: Uint8Array): void {
    onDisk("store a file", () => {
      const namedMs = this.#takeTime();
      this.#creation = { place: this.#claim(body.length), body, namedMs };
    });
  }

  /** An empty one takes no room, and would have more names than any other. */
  get #sharesContent(): boolean {
    return this.#store.contents !== undefined && this.#file.kind === "normal";
  }

  #wholeContent(): Content | undefined {
    const hash = this.#hash;
    if (hash === undefined) return this.#content;
    this.#hash = undefined;
    this.#content = { hash: hash.digest(), sizeBytes: this.body.received, crc32: this.#crc };
    return this.#content;
  }

  #whole(bytes: Uint8Array): void {
    onDisk("store a file", () => {
      const sizeBytes = bytes.length;
      if (sizeBytes > 0 && this.#sharesContent) {
        const hash = hashOf("sha256", bytes, "buffer");
        this.#content = { hash, sizeBytes, crc32: this.#crc };
      }
      const place = this.#claim(sizeBytes);
      const staged = this.#stagedPath(place);
      if (this.#link(staged)) return;
      this.body.writeWhole(staged, bytes);
      this.#alignTime(staged);
    });
  }

  /** True where the content is here and `staged` is a further name of it. */
  #link(staged: string): boolean {
    const content = this.#content;
    if (content === undefined) return false;
    this.#linked = this.#store.contents?.link(content, staged);
    if (this.#linked === undefined) return false;
    this.body.linked(staged, content.sizeBytes);
    return true;
  }

  /** The announced length was an estimate, which the first piece happened to have: more came. */
  #goOn(): void {
    onDisk("store a file", () => this.body.reopen());
    this.#unname();
    // Its first piece was not kept for the hash of the whole, and it is rare enough to be stored as it is.
    this.#content = undefined;
    this.#linked = undefined;
  }

  /** The file's time is the one in its name: they differ only around the turn of a second. */
  #alignTime(staged: string): void {
    const nowMs = this.#takeTime();
    const doneMs = this.#store.clock.nowMs();
    const sameSecond = Math.floor(doneMs / 1000) === this.#timestamp;
    if (sameSecond && nowMs % 1000 >= fileTimeLagMs) return;
    this.#store.files.setModified(staged, this.#timestamp);
  }

  /** Of what came in pieces. Throws `FileError`; `abort` drops what there is then. */
  #name(): FilePlace {
    this.#wholeContent();
    const place = this.#claim(this.body.received);
    const staged = this.#stagedPath(place);
    const part = this.body.path;
    try {
      if (this.#link(staged)) return place;
    } finally {
      if (part !== undefined && this.body.path !== part) this.#store.staged.drop(part);
    }
    this.body.rename(staged);
    this.#store.files.setModified(staged, this.#timestamp);
    return place;
  }

  #takeTime(): number {
    this.#namedMs ??= this.#store.names.take();
    return this.#namedMs;
  }

  /** Unix seconds. */
  get #timestamp(): number {
    return Math.floor(this.#takeTime() / 1000);
  }

  /** The name, where there is one, is nobody's. */
  #unname(): void {
    const { locks, names } = this.#store;
    if (this.#place !== undefined) locks.delete(lockKey(this.#place.name));
    if (this.#namedMs !== undefined) names.give(this.#namedMs);
    this.#place = undefined;
    this.#namedMs = undefined;
  }

  #claim(size: number): FilePlace {
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
  readonly body: StagedBody;
  #finished = false;

  constructor(store: StorePath, place: FilePlace) {
    this.#store = store;
    this.#place = place;
    this.body = new StagedBody(store);
  }

  write(bytes: Uint8Array): void {
    this.body.write(bytes);
  }

  /** Of several uploads of one slave at a time, the first that is whole wins. */
  finish(): PlaceChange {
    const place = this.#place;
    const key = lockKey(place.name);
    const timestamp = onDisk(`store ${place.name}`, () => {
      const { files, tree, locks, removed, clock } = this.#store;
      if (locks.has(key) || files.stat(place.path, false) !== undefined) throw slaveExists(place);
      tree.ensure(place);
      return removed.timeOfNew(place, Math.floor(clock.nowMs() / 1000));
    });
    const staged = this.body.take();
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
    this.body.drop();
  }
}

/** For a slave whose name is taken. */
export function slaveExists(place: FilePlace): Error {
  return fileStoreError("file-exists", `${place.name} is there already`);
}

/**
 * Receives a file that a peer made or replaced. Small ones are stored as small uploads are: without a further rename, and where nothing is
 * flushed without being staged at all. Its name is locked from the begin to the end. Worker thread.
 */
import { createHash, type Hash, hash as hashOf } from "node:crypto";
import { crc32 } from "node:zlib";
import { assert } from "#base/assert.ts";
import { neverHereLine, replicaLine } from "#filestore/binlog/entry.ts";
import type { Content, ContentHolder } from "#filestore/dedup/content-links.ts";
import { contentOf } from "#filestore/dedup/content-walk.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { formatNew } from "#filestore/formats/staged-name.ts";
import { CreateChange } from "#filestore/worker/changes/create-change.ts";
import { PlaceChange } from "#filestore/worker/changes/place-change.ts";
import { RecordChange } from "#filestore/worker/changes/record-change.ts";
import type { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { onDisk } from "#filestore/worker/disk-failure.ts";
import { type FilePlace, lockKey } from "#filestore/worker/file-layout.ts";
import { type Incoming, PresentFile, toldBy } from "#filestore/worker/replicas/replica-content.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { StagedBody, type WriteHandle } from "#filestore/worker/write-handle.ts";

export interface ReplicaTarget extends Incoming {
  readonly place: FilePlace;
  /** Of the content; undefined where only the name may tell. */
  readonly crc32: number | undefined;
  /** See `ReplicaWriteTarget`. */
  readonly isUnlikely?: boolean | undefined;
}

const nothing = new Uint8Array(0);

export class ReplicaWriter implements WriteHandle {
  readonly #store: StorePath;
  readonly #target: ReplicaTarget;
  readonly #told: ReturnType<typeof toldBy>;
  /** Whether it is here is seen when it is created. */
  readonly #isUnlooked: boolean;
  readonly #present: PresentFile | undefined;
  /** The same text each time: looking for another one of equal content costs half a microsecond. */
  readonly #key: string;
  readonly body: StagedBody;
  #crc = 0;
  /** Of what comes in pieces, where others may be linked to it. */
  #hash: Hash | undefined;
  #content: Content | undefined;
  /** Who held the content, where it got a further name. */
  #linked: ContentHolder | undefined;
  /** A body that is not staged. */
  #whole: Uint8Array | undefined;
  #finished = false;

  /** Throws `AppError<FileStoreErrorCode>`; then nothing is locked. */
  constructor(store: StorePath, target: ReplicaTarget) {
    const { place, lengthBytes } = target;
    this.#store = store;
    this.#target = target;
    this.body = new StagedBody(store);
    this.#told = toldBy(place.base);
    this.#isUnlooked = target.isUnlikely === true && this.#canCreate;
    this.#present = this.#isUnlooked
      ? undefined
      : onDisk(`store ${place.name}`, () => PresentFile.find(store, place, lengthBytes));
    this.#key = lockKey(place.name);
    store.locks.add(this.#key);
  }

  write(bytes: Uint8Array): void {
    assert(!this.#isUnlooked, "what is not looked for comes in one piece");
    if (bytes.length === 0) return;
    this.#look(bytes);
    if (this.body.received === 0 && this.#sharesContent) this.#hash = createHash("sha256");
    this.#hash?.update(bytes);
    this.body.write(bytes);
  }

  writeWhole(bytes: Uint8Array): void {
    this.#look(bytes);
    if (bytes.length > 0 && this.#sharesContent) {
      const hash = hashOf("sha256", bytes, "buffer");
      this.#content = { hash, sizeBytes: bytes.length, crc32: this.#crc };
    }
    this.#whole = bytes;
  }

  finish(): StagedChange {
    const { place } = this.#target;
    const isStaged = this.body.received > 0;
    if (!isStaged) this.#whole ??= nothing;
    this.#requireRight();
    return onDisk(`store ${place.name}`, () => {
      const outcome = this.#outcome();
      if (outcome !== undefined) return this.#kept(outcome);
      this.#store.tree.ensure(place);
      const change = isStaged ? this.#placed() : this.#placedWhole(this.#whole ?? nothing);
      this.#end();
      return change;
    });
  }

  abort(): void {
    if (this.#finished) return;
    this.#end();
    this.body.drop();
    this.#store.locks.delete(this.#key);
  }

  #end(): void {
    this.#finished = true;
    this.#present?.close();
  }

  #look(bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc);
    const present = this.#present;
    if (present !== undefined) onDisk("compare a file", () => present.compare(bytes));
  }

  /** Throws `content-damaged`. */
  #requireRight(): void {
    const { place, crc32: told, lengthBytes } = this.#target;
    const named = this.#told;
    const size = named?.size ?? lengthBytes;
    const received = this.#whole?.length ?? this.body.received;
    const crc = told ?? named?.crc32 ?? this.#crc;
    if (received === size && received === lengthBytes && this.#crc === crc) return;
    const found = `${received} bytes with CRC-32 ${this.#crc}`;
    const problem = `${place.name} came damaged: ${found} instead of ${size} with ${crc}`;
    throw fileStoreError("content-damaged", problem);
  }

  /** Undefined where it is to be put in its place. */
  #outcome(): "already" | "later" | undefined {
    const { place, mode, versioned } = this.#target;
    const { removed } = this.#store;
    const outcome = this.#present?.outcome(this.#target);
    if (outcome !== undefined) return outcome;
    // What replaces may be a heal, but for what has a version: that is as old as its removal, or made anew.
    const isRemoved =
      mode === "create" || versioned === true
        ? removed.covers(place, this.#target)
        : removed.coversOwner(place, this.#target);
    return isRemoved ? "already" : undefined;
  }

  #kept(outcome: "already" | "later"): StagedChange {
    this.#end();
    this.body.drop();
    return new RecordChange(this.#store, { key: this.#key, lines: "", outcome });
  }

  #placedWhole(bytes: Uint8Array): StagedChange {
    const { place, timestamp } = this.#target;
    const isNew = this.#present === undefined;
    if (isNew && this.#canCreate) {
      const creation = { place, key: this.#key, body: bytes, timestamp, replica: true } as const;
      return new CreateChange(this.#store, creation);
    }
    const isDirect = isNew && this.#told !== undefined;
    const path = isDirect ? this.#stagedPath : this.#store.staged.newPart();
    if (!this.#link(path)) this.body.writeWhole(path, bytes);
    return this.#change(!isDirect);
  }

  /** Only where the name tells its size a start can see that a file that was not staged is not whole. */
  get #canCreate(): boolean {
    const { flushed, contents } = this.#store;
    const isNamed = this.#told !== undefined && this.#target.mode === "create";
    return isNamed && !flushed && contents === undefined;
  }

  #placed(): StagedChange {
    const hash = this.#hash?.digest();
    if (hash !== undefined) {
      this.#content = { hash, sizeBytes: this.body.received, crc32: this.#crc };
    }
    const part = this.body.path;
    if (this.#link(this.#store.staged.newPart()) && part !== undefined) {
      this.#store.staged.drop(part);
    }
    return this.#change(true);
  }

  #change(bound: boolean): StagedChange {
    const { place, mode, timestamp } = this.#target;
    const { path } = this.body;
    if (this.#linked === undefined && path !== undefined) {
      this.#store.files.setModified(path, timestamp);
    }
    const staged = this.body.take();
    const content = this.#content;
    if (content !== undefined) this.#store.contents?.note(content, place, this.#linked);
    this.#store.removed.forget(place.name);
    return new PlaceChange(this.#store, {
      key: this.#key,
      staged,
      target: place,
      line: replicaLine(mode === "create" ? "create" : "update", timestamp, place.name),
      amends: this.#present === undefined ? neverHereLine(place.name) : "",
      made: "",
      linked: this.#linked !== undefined,
      bound,
    });
  }

  /** An empty file takes no room; and where the name says another CRC-32 nothing can be linked. */
  get #sharesContent(): boolean {
    const { contents } = this.#store;
    if (contents === undefined) return false;
    const { base } = this.#target.place;
    const told = this.#told === undefined ? undefined : contentOf(base);
    return told !== undefined && told.crc32 === (this.#target.crc32 ?? told.crc32);
  }

  /** True where the content is here and `path` is a further name of it. */
  #link(path: string): boolean {
    const content = this.#content;
    if (content === undefined) return false;
    this.#linked = this.#store.contents?.link(content, path);
    if (this.#linked === undefined) return false;
    this.body.linked(path, content.sizeBytes);
    return true;
  }

  get #stagedPath(): string {
    return `${this.#store.layout.tmp}/${formatNew(this.#target.place)}`;
  }
}

/**
 * Checks what is asked for against the rules of names and kinds (protocol §2.6), and prepares the change that does it. Nothing
 * is visible, and nothing recorded, before the change is committed. Worker thread.
 */
import { assert } from "#base/assert.ts";
import { sourceLine } from "#filestore/binlog/entry.ts";
import { fileStoreError } from "#filestore/errors.ts";
import type { MetadataMode } from "#filestore/file-store.ts";
import { timeOfChange } from "#filestore/file-version.ts";
import { PlaceChange } from "#filestore/worker/changes/place-change.ts";
import { type Removal, RemoveChange } from "#filestore/worker/changes/remove-change.ts";
import { RenameChange } from "#filestore/worker/changes/rename-change.ts";
import type { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { TruncateChange } from "#filestore/worker/changes/truncate-change.ts";
import { type FileStoreError, onDisk } from "#filestore/worker/disk-failure.ts";
import {
  type FilePlace,
  isMetadataBase,
  lockKey,
  metadataPlace,
} from "#filestore/worker/file-layout.ts";
import type { FileReader } from "#filestore/worker/file-reader.ts";
import { maxMetadataBytes } from "#filestore/worker/limits.ts";
import { findNameFor } from "#filestore/worker/new-name.ts";
import type { StagedFile } from "#filestore/worker/staged-files.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { findSlot, type TrunkSlotPlace } from "#filestore/worker/trunk-slot.ts";
import { StagedBody } from "#filestore/worker/write-handle.ts";
import { tailOf } from "#model/file-base.ts";
import { decodeBase, isTrunkBase, normalBaseLength } from "#model/file-id.ts";
import { mergeMetadata, normalizeMetadata } from "#model/file-metadata.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";
import type { FileStat } from "#platform/files.ts";

export class ChangePreparer {
  readonly #store: StorePath;
  readonly #reader: FileReader;

  constructor(store: StorePath, reader: FileReader) {
    this.#store = store;
    this.#reader = reader;
  }

  remove(name: string): StagedChange {
    const file = this.#free(name);
    const removals: [Removal, ...Removal[]] = [this.#removal(file)];
    const target = this.#linkedFile(file);
    if (target !== undefined) removals.push({ place: target });
    const metadata = this.#metadataOf(file);
    if (metadata !== undefined) removals.push({ place: metadata });
    const timestamp = this.#timeOfRemoval(removals);
    return this.#locked(new RemoveChange(this.#store, removals, { timestamp }));
  }

  truncate(name: string, newSize: number): StagedChange | undefined {
    if (!Number.isSafeInteger(newSize) || newSize < 0) throw invalid(`no size: ${newSize}`);
    const { place, stat } = this.appender(name);
    const oldSize = stat.sizeBytes;
    if (oldSize === newSize) return undefined;
    const timestamp = timeOfChange(this.#now(), stat.modifiedSeconds, newSize > oldSize);
    const truncation = { place, oldSize, newSize, timestamp };
    return this.#locked(new TruncateChange(this.#store, truncation));
  }

  metadata(name: string, mode: MetadataMode, text: Uint8Array): StagedChange | undefined {
    const file = this.#free(name);
    this.requireFile(file);
    const place = metadataPlace(file);
    const before = this.#stat(place);
    const there = before !== undefined;
    if (text.length === 0) {
      if (mode === "merge" || !there) return undefined;
      const timestamp = Math.max(this.#now(), before.modifiedSeconds);
      return this.#locked(new RemoveChange(this.#store, [{ place }], { timestamp }));
    }
    const content =
      mode === "merge" && there
        ? mergeMetadata(this.#readAll(place), text)
        : normalizeMetadata(text);
    const timestamp = there
      ? timeOfChange(this.#now(), before.modifiedSeconds, false)
      : this.#timeOfNew(place);
    const change = new PlaceChange(this.#store, {
      key: lockKey(file.name),
      staged: this.#stageWhole(content, timestamp),
      target: place,
      line: sourceLine(there ? "update" : "create", timestamp, place.name),
      amends: there ? "" : sourceLine("delete", timestamp, place.name),
      made: "",
      bound: true,
    });
    return this.#locked(change);
  }

  readMetadata(name: string): Uint8Array {
    const file = this.#store.layout.place(name);
    this.requireFile(file);
    return this.#readAll(metadataPlace(file));
  }

  /** The name is locked at once; the generator must be run, or ended with `return` after its first step. */
  regenerate(name: string): Generator<undefined, StagedChange> {
    const { place } = this.appender(name);
    if (decodeBase(place.base)?.isSlave === true) throw invalid(`${name} is a slave`);
    this.#store.locks.add(lockKey(place.name));
    return this.#regenerate(place);
  }

  /** An appender file that may be changed now: throws `file-missing`, `file-invalid` for other kinds. */
  appender(name: string): { readonly place: FilePlace; readonly stat: FileStat } {
    const place = this.#free(name);
    const stat = this.#reader.statOrMissing(place, false);
    const isAppender = decodeBase(place.base)?.isAppender === true && !isMetadataBase(place.base);
    if (stat.kind === "file" && isAppender) return { place, stat };
    throw invalid(`${place.name} is not an appender file`);
  }

  /** Throws `file-missing`, and `file-invalid` for what is no file. */
  requireFile(place: FilePlace): void {
    if (isTrunkBase(place.base)) this.#slot(place);
    else if (this.#reader.statOrMissing(place, true).kind !== "file") throw notRegular(place);
  }

  *#regenerate(old: FilePlace): Generator<undefined, StagedChange> {
    let prepared: StagedChange | undefined;
    let namedMs: number | undefined;
    try {
      const crc32 = yield* this.#reader.crc(old.name);
      const size = this.#reader.statOrMissing(old, false).sizeBytes;
      namedMs = this.#store.names.take();
      const timestamp = Math.floor(namedMs / 1000);
      const request = { kind: "normal", timestamp, size, crc32 } as const;
      const place = onDisk("name a file", () =>
        findNameFor(this.#store, request, { directory: old, tail: tailOf(old.base) }),
      );
      const renaming = { old, new: place, timestamp, namedMs };
      prepared = this.#locked(new RenameChange(this.#store, renaming));
      return prepared;
    } finally {
      if (prepared === undefined) {
        this.#store.locks.delete(lockKey(old.name));
        if (namedMs !== undefined) this.#store.names.give(namedMs);
      }
    }
  }

  #removal(place: FilePlace): Removal {
    if (isTrunkBase(place.base)) return { place, slot: this.#slot(place) };
    const { kind } = this.#reader.statOrMissing(place, false);
    if (kind === "file" || kind === "link") return { place };
    throw notRegular(place);
  }

  /** Names of slaves and metadata can be given again, and count as that where their file is later than the deletion. */
  #timeOfRemoval(removals: readonly Removal[]): number {
    let timestamp = this.#now();
    for (const { place, slot } of removals) {
      if (slot !== undefined || place.base.length === normalBaseLength) continue;
      timestamp = Math.max(timestamp, this.#stat(place)?.modifiedSeconds ?? 0);
    }
    return timestamp;
  }

  #timeOfNew(place: FilePlace): number {
    const { removed } = this.#store;
    return onDisk("look for a removal", () => removed.timeOfNew(place, this.#now()));
  }

  /** Undefined where there is none. */
  #metadataOf(file: FilePlace): FilePlace | undefined {
    const { issued, source } = this.#store;
    if (isMetadataBase(file.base) || issued.lacksMetadata(file.base, source)) return undefined;
    const metadata = metadataPlace(file);
    return this.#stat(metadata) === undefined ? undefined : metadata;
  }

  /** A C storage may keep slaves as links to files that nothing else names: they go together. */
  #linkedFile(place: FilePlace): FilePlace | undefined {
    if (place.base.length === normalBaseLength) return undefined;
    if (decodeBase(place.base)?.isSlave !== true) return undefined;
    if (this.#stat(place)?.kind !== "link") return undefined;
    const { files, layout, settings, log } = this.#store;
    const path = onDisk(`delete ${place.name}`, () => files.readLink(place.path));
    const below = path.startsWith(`${layout.data}/`) ? path.slice(layout.data.length + 1) : "";
    const [high = "", low = "", base = ""] = below.split("/");
    const index = settings.index.toString(16).toUpperCase().padStart(2, "0");
    const target = layout.find(`M${index}/${high}/${low}/${base}`);
    if (target === undefined) log.notice("linked-file-kept", { link: place.name, target: path });
    return target !== undefined && this.#stat(target) !== undefined ? target : undefined;
  }

  #slot(place: FilePlace): TrunkSlotPlace {
    const header = Buffer.allocUnsafe(trunkHeaderSize);
    const slot = onDisk(`find ${place.name}`, () => findSlot(this.#store, place, header));
    if (slot === undefined) throw fileStoreError("file-missing", `there is no file ${place.name}`);
    return slot.place;
  }

  #stageWhole(content: Uint8Array, timestamp: number): StagedFile {
    const body = new StagedBody(this.#store);
    try {
      if (content.length > 0) body.write(content);
      const { path } = body;
      if (path !== undefined) {
        onDisk("set a time", () => this.#store.files.setModified(path, timestamp));
      }
      return body.take();
    } catch (error) {
      body.drop();
      throw error;
    }
  }

  #readAll(place: FilePlace): Uint8Array {
    const handle = this.#reader.open(place.name);
    try {
      if (handle.sizeBytes > maxMetadataBytes) throw invalid(`${place.name} is too long`);
      const bytes = Buffer.allocUnsafe(handle.sizeBytes);
      return bytes.subarray(0, handle.read(bytes, 0));
    } finally {
      handle.close();
    }
  }

  #stat(place: FilePlace): FileStat | undefined {
    return onDisk(`find ${place.name}`, () => this.#store.files.stat(place.path, false));
  }

  #free(name: string): FilePlace {
    const place = this.#store.layout.place(name);
    const taken = this.#store.locks.has(lockKey(place.name));
    assert(!taken, "a file has one change at a time: ask isLocked before");
    return place;
  }

  #locked(change: StagedChange): StagedChange {
    this.#store.locks.add(change.key);
    if (change.secondKey !== undefined) this.#store.locks.add(change.secondKey);
    return change;
  }

  #now(): number {
    return Math.floor(this.#store.clock.nowMs() / 1000);
  }
}

function invalid(problem: string): FileStoreError {
  return fileStoreError("file-invalid", problem);
}

function notRegular(place: FilePlace): FileStoreError {
  return invalid(`${place.name} is not a regular file`);
}

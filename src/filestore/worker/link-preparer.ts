/**
 * Further names that are asked for as such: of content that another store path's upload brought, and of a file that is named
 * (CREATE_LINK, protocol §2.6/20). A further name is staged as a body would be, and committed as any new file. Where none can be
 * had, because the file is packed, can be changed, or has as many names as the file system allows, the file is copied: that is what the name promises,
 * and other than a slot that holds the name of another one it does not end with that. Worker thread.
 */

import { linkRecord, sourceLine } from "#filestore/binlog/entry.ts";
import type { Content } from "#filestore/dedup/content-links.ts";
import { contentOf } from "#filestore/dedup/content-walk.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { formatNew } from "#filestore/formats/staged-name.ts";
import type { ChangePreparer } from "#filestore/worker/change-preparer.ts";
import { PlaceChange } from "#filestore/worker/changes/place-change.ts";
import type { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { onDisk } from "#filestore/worker/disk-failure.ts";
import { type FilePlace, isMetadataBase, lockKey } from "#filestore/worker/file-layout.ts";
import type { FileReader } from "#filestore/worker/file-reader.ts";
import { stepBytes } from "#filestore/worker/limits.ts";
import { SlaveWriter } from "#filestore/worker/new-file-writer.ts";
import { claimNewPlace } from "#filestore/worker/new-name.ts";
import { StagedFile } from "#filestore/worker/staged-files.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import type { WriteHandle } from "#filestore/worker/write-handle.ts";
import { requirePart, slavePlace, startWrite } from "#filestore/worker/write-start.ts";
import { maxExtensionLength } from "#model/file-base.ts";
import { decodeBase, isTrunkBase } from "#model/file-id.ts";
import { FileError } from "#platform/files.ts";

/** The file, or its file system, takes no further name for it. */
const noFurtherName = ["EMLINK", "EPERM", "EACCES", "EXDEV", "EOPNOTSUPP", "ENOTSUP", "ENOSYS"];

export interface LinkRequest {
  /** Logical name of the file that gets another name. */
  readonly source: string;
  /** Without dot. */
  readonly extension: string;
  /** Logical name of the file whose slave the new name is; empty for a name of its own. */
  readonly master: string;
  /** Of a slave. */
  readonly prefix: string;
}

export class LinkPreparer {
  readonly #store: StorePath;
  readonly #preparer: ChangePreparer;
  readonly #reader: FileReader;

  constructor(store: StorePath, preparer: ChangePreparer, reader: FileReader) {
    this.#store = store;
    this.#preparer = preparer;
    this.#reader = reader;
  }

  /** A new file of content that lies on this path; undefined where it does not, or where no further name can be had. */
  content(content: Content, extension: string): StagedChange | undefined {
    const { contents, settings } = this.#store;
    requirePart(extension, maxExtensionLength);
    if (contents === undefined || settings.readOnly || !contents.has(content)) return undefined;
    const claimed = this.#claim(extension, content);
    const { place, timestamp } = claimed;
    const staged = this.#stagedPath(place);
    const holder = contents.link(content, staged);
    if (holder === undefined) {
      this.#unclaim(claimed);
      return undefined;
    }
    contents.note(content, place, holder);
    const line = sourceLine("create", timestamp, place.name);
    return this.#change(claimed, { staged, line, bound: false });
  }

  /**
   * Another name for a file. The file is locked from the call on: run the generator to its end, or end it with `return` after its
   * first step. Throws `file-missing`, `file-invalid` for what is no regular file, `file-exists` for a slave that is there.
   */
  file(request: LinkRequest): Generator<undefined, StagedChange> {
    const source = this.#store.layout.place(request.source);
    if (isMetadataBase(source.base)) throw notRegular(source);
    if (request.master === "") requirePart(request.extension, maxExtensionLength);
    if (this.#store.settings.readOnly && request.master === "") {
      const problem = `store path ${this.#store.settings.index} takes no new files`;
      throw fileStoreError("disk-failed", problem, { details: { errno: "EROFS" } });
    }
    const packed = isTrunkBase(source.base);
    if (packed) this.#preparer.requireFile(source);
    else if (this.#reader.statOrMissing(source, false).kind !== "file") throw notRegular(source);
    this.#store.locks.add(lockKey(source.name));
    // What is changed under one of its names is changed under all, and the new name says what the content is now.
    const copies = packed || decodeBase(source.base)?.isAppender === true;
    return this.#file(source, request, copies);
  }

  *#file(
    source: FilePlace,
    request: LinkRequest,
    copies: boolean,
  ): Generator<undefined, StagedChange> {
    try {
      if (copies) return yield* this.#copy(source, request);
      const crc32 = contentOf(source.base)?.crc32 ?? (yield* this.#reader.crc(source.name));
      const linked = onDisk(`link ${source.name}`, () => this.#link(source, request, crc32));
      return linked ?? (yield* this.#copy(source, request));
    } finally {
      this.#store.locks.delete(lockKey(source.name));
    }
  }

  /** Undefined where the file can have no further name. Throws `FileError`, `AppError`. */
  #link(source: FilePlace, request: LinkRequest, crc32: number): StagedChange | undefined {
    const { files, staged, removed } = this.#store;
    const { sizeBytes, modifiedSeconds } = this.#reader.statOrMissing(source, false);
    const isSlave = request.master !== "";
    const claimed = isSlave
      ? this.#claimSlave(request)
      : this.#claim(request.extension, { sizeBytes, crc32 });
    const { place, timestamp } = claimed;
    // Its time would be that of the file, and older than what was removed under its name.
    if (isSlave && removed.timeOfNew(place, modifiedSeconds) > modifiedSeconds) {
      this.#unclaim(claimed);
      return undefined;
    }
    const path = isSlave ? staged.newPart() : this.#stagedPath(place);
    try {
      files.makeHardLink(path, source.path);
    } catch (error) {
      this.#unclaim(claimed);
      if (error instanceof FileError && noFurtherName.includes(error.code)) return undefined;
      throw error;
    }
    const line = linkRecord({ timestamp }, place.name, source.name);
    return this.#change(claimed, { staged: path, line, bound: isSlave });
  }

  *#copy(source: FilePlace, request: LinkRequest): Generator<undefined, StagedChange> {
    const from = this.#reader.open(source.name);
    let to: WriteHandle | undefined;
    let change: StagedChange | undefined;
    try {
      to = this.#writer(request, from.sizeBytes);
      const buffer = Buffer.allocUnsafe(Math.min(stepBytes, Math.max(1, from.sizeBytes)));
      for (let done = 0; done < from.sizeBytes; ) {
        const got = from.read(buffer, done);
        if (got === 0) break;
        to.write(buffer.subarray(0, got));
        done += got;
        yield;
      }
      change = to.finish() as StagedChange;
      return change;
    } finally {
      from.close();
      if (change === undefined) to?.abort();
    }
  }

  #writer(request: LinkRequest, lengthBytes: number): WriteHandle {
    if (request.master !== "") {
      return new SlaveWriter(this.#store, this.#slavePlace(request));
    }
    const target = { kind: "normal", extension: request.extension } as const;
    return startWrite(this.#store, this.#preparer, { target, lengthBytes, exact: true });
  }

  #claim(extension: string, content: Pick<Content, "sizeBytes" | "crc32">): ClaimedName {
    const { sizeBytes: size, crc32 } = content;
    const { names } = this.#store;
    const namedMs = names.take();
    const timestamp = Math.floor(namedMs / 1000);
    try {
      const place = onDisk("name a file", () =>
        claimNewPlace(this.#store, { kind: "normal", extension, timestamp, size, crc32 }),
      );
      return { place, timestamp, namedMs };
    } catch (error) {
      names.give(namedMs);
      throw error;
    }
  }

  #claimSlave(request: LinkRequest): ClaimedName {
    const place = this.#slavePlace(request);
    this.#store.tree.ensure(place);
    this.#store.locks.add(lockKey(place.name));
    const timestamp = Math.floor(this.#store.clock.nowMs() / 1000);
    return { place, timestamp, namedMs: undefined };
  }

  #unclaim({ place, namedMs }: ClaimedName): void {
    const { locks, names } = this.#store;
    locks.delete(lockKey(place.name));
    if (namedMs !== undefined) names.give(namedMs);
  }

  #slavePlace(request: LinkRequest): FilePlace {
    const place = slavePlace(this.#store, this.#preparer, { kind: "slave", ...request });
    if (!this.#store.locks.has(lockKey(place.name))) return place;
    throw fileStoreError("file-exists", `${place.name} is there already`);
  }

  #change(
    { place, timestamp, namedMs }: ClaimedName,
    how: {
      readonly staged: string;
      readonly line: string;
      readonly bound: boolean;
    },
  ): StagedChange {
    return new PlaceChange(this.#store, {
      key: lockKey(place.name),
      staged: new StagedFile(this.#store, how.staged, undefined),
      target: place,
      line: how.line,
      amends: sourceLine("delete", timestamp, place.name),
      made: place.name,
      linked: true,
      namedMs,
      bound: how.bound,
    });
  }

  #stagedPath(place: FilePlace): string {
    return `${this.#store.layout.tmp}/${formatNew(place)}`;
  }
}

/** The place of a new name; its time is that of a slave's upload where `namedMs` is undefined. */
interface ClaimedName {
  readonly place: FilePlace;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly namedMs: number | undefined;
}

function notRegular(place: FilePlace): Error {
  return fileStoreError("file-invalid", `${place.name} is not a regular file`);
}

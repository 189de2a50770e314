/**
 * Whether the file that is here is the one that a peer sends, and which of both is to stay. Equal size is never taken for equal content:
 * what is here is read along with what comes. Worker thread.
 */
import { crc32 } from "node:zlib";
import { fileStoreError } from "#filestore/errors.ts";
import { compareVersions } from "#filestore/file-version.ts";
import type { FilePlace } from "#filestore/worker/file-layout.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { hasMadeTail } from "#model/file-base.ts";
import { crcInName, normalBaseLength, sizeInName } from "#model/file-id.ts";
import type { FileDescriptor, FileStat } from "#platform/files.ts";

/** What a name tells of its own content; undefined for those of slaves, appender files and metadata. */
export function toldBy(
  base: string,
): { readonly size: number; readonly crc32: number } | undefined {
  if (base.length !== normalBaseLength || !hasMadeTail(base)) return undefined;
  const size = sizeInName(base);
  const crc = crcInName(base);
  return size === undefined || crc === undefined ? undefined : { size, crc32: crc };
}

export interface Incoming {
  readonly mode: "create" | "replace";
  /** Unix seconds, of the change at its source. */
  readonly timestamp: number;
  readonly lengthBytes: number;
  /** See `ReplicaFile.versioned`. */
  readonly versioned?: boolean | undefined;
}

/** A file of the same size, or a range that lies within it, compared piece by piece. */
export class Comparison {
  readonly #store: StorePath;
  #descriptor: FileDescriptor | undefined;
  #compared = 0;
  #crc = 0;
  /** Of the first bytes that are not the same. */
  #order = 0;

  constructor(store: StorePath, descriptor: FileDescriptor, from = 0) {
    this.#store = store;
    this.#descriptor = descriptor;
    this.#compared = from;
  }

  get crc(): number {
    return this.#crc;
  }

  get isSame(): boolean {
    return this.#order === 0;
  }

  /** Above 0 where what is here comes later in the order of bytes: which of two stays must not depend on where that is asked. */
  get order(): number {
    return this.#order;
  }

  /** Throws `FileError`. */
  next(bytes: Uint8Array): void {
    if (this.#descriptor === undefined || bytes.length === 0) return;
    const here = Buffer.allocUnsafe(bytes.length);
    const got = this.#store.files.read(this.#descriptor, here, this.#compared);
    this.#compared += bytes.length;
    const found = here.subarray(0, got);
    this.#crc = crc32(found, this.#crc);
    if (this.#order === 0) this.#order = Buffer.compare(found, bytes);
  }

  close(): void {
    if (this.#descriptor !== undefined) this.#store.files.close(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** What is in the place of a file that comes. */
export class PresentFile {
  readonly #place: FilePlace;
  readonly #stat: FileStat;
  readonly #comparison: Comparison | undefined;

  private constructor(place: FilePlace, stat: FileStat, comparison: Comparison | undefined) {
    this.#place = place;
    this.#stat = stat;
    this.#comparison = comparison;
  }

  /** Undefined where nothing is, or a link that leads nowhere. Throws `file-irregular` where no file can be put, and `FileError`. */
  static find(store: StorePath, place: FilePlace, lengthBytes: number): PresentFile | undefined {
    const stat = store.files.stat(place.path, true);
    if (stat === undefined) return undefined;
    if (stat.kind !== "file") {
      throw fileStoreError("file-irregular", `${place.name} is not a regular file`);
    }
    const comparable = stat.sizeBytes === lengthBytes;
    const descriptor = comparable ? store.files.open(place.path, "read") : undefined;
    const comparison = descriptor === undefined ? undefined : new Comparison(store, descriptor);
    return new PresentFile(place, stat, comparison);
  }

  /** The next piece of what comes. Throws `FileError`. */
  compare(bytes: Uint8Array): void {
    this.#comparison?.next(bytes);
  }

  /** Asked for when all of it has come. Undefined where it is to take the place of what is here. */
  outcome(incoming: Incoming): "already" | "later" | undefined {
    const { mode, timestamp, lengthBytes, versioned = false } = incoming;
    const { sizeBytes, modifiedSeconds } = this.#stat;
    const isSame = this.#comparison?.isSame === true;
    const told = toldBy(this.#place.base);
    if (told === undefined && versioned) {
      if (isSame) return modifiedSeconds >= timestamp ? "already" : undefined;
      const comes = { modifiedSeconds: timestamp, sizeBytes: lengthBytes };
      const order = compareVersions(this.#stat, comes) || (this.#comparison?.order ?? 0);
      return order > 0 ? "later" : undefined;
    }
    if (mode === "replace") return isSame && modifiedSeconds >= timestamp ? "already" : undefined;
    if (isSame) return "already";
    if (told !== undefined) {
      const isRight = told.size === sizeBytes && this.#comparison?.crc === told.crc32;
      return isRight ? "already" : undefined;
    }
    // What can be changed: a creation comes with all changes that its source knows, and those that are known here may be later.
    return modifiedSeconds > timestamp && sizeBytes >= lengthBytes ? "already" : undefined;
  }

  close(): void {
    this.#comparison?.close();
  }
}

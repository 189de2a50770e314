/**
 * Fills the index of contents from the files themselves: after it was lost, or was begun on a path that has files. Only what is as
 * its name says is entered, by size and CRC-32, since others are going to be linked to it. Worker thread.
 */
import { createHash, type Hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { allDirectories, type ContentIndex } from "#filestore/dedup/content-index.ts";
import type { Content } from "#filestore/dedup/content-links.ts";
import { maxRememberedInodes } from "#filestore/dedup/limits.ts";
import { directoryNumbers } from "#filestore/worker/directory-tree.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import { stepBytes } from "#filestore/worker/limits.ts";
import { type DecodedBase, decodeBase, normalBaseLength } from "#model/file-id.ts";
import { directoryName } from "#model/remote-filename.ts";
import { type FileDescriptor, FileError, type Files } from "#platform/files.ts";

const levelSize = 256;

export interface WalkParts {
  readonly files: Files;
  readonly layout: FileLayout;
  readonly index: ContentIndex;
  /** The content has a holder already, which is still there. */
  readonly has: (content: Content) => boolean;
}

/** What a name says of a file whose content can have several names; undefined for all others. */
export function contentOf(base: string): (DecodedBase & { readonly size: number }) | undefined {
  if (base.length !== normalBaseLength) return undefined;
  const decoded = decodeBase(base);
  if (decoded === undefined || decoded.isAppender || decoded.isTrunk) return undefined;
  const { size } = decoded;
  return size === undefined || size === 0 ? undefined : { ...decoded, size };
}

/** Goes on where the index says, to the last directory. Each step lists one directory, or reads at most 1 MiB. */
export function* walkContents(parts: WalkParts): Generator<void, void> {
  const { index } = parts;
  const walk = new Walk(parts);
  while (index.nextDirectory < allDirectories) {
    const from = index.nextDirectory;
    const directory = walk.existing(from);
    yield* walk.enter(directory);
    // Not where the index was begun anew meanwhile.
    index.walkedTo(from, directory + 1);
    yield;
  }
}

class Walk {
  readonly #parts: WalkParts;
  /** Of files with several names: they are read once. */
  readonly #seen = new Set<number>();
  readonly #buffer = Buffer.allocUnsafe(stepBytes);
  /** The directories of one upper directory. */
  #upper = -1;
  #lowers: readonly number[] = [];

  constructor(parts: WalkParts) {
    this.#parts = parts;
  }

  /** The first directory from `from` on that is there, as far as its upper directory goes; else the last one of that. */
  existing(from: number): number {
    const { files, layout } = this.#parts;
    const high = Math.floor(from / levelSize);
    if (high !== this.#upper) {
      this.#upper = high;
      this.#lowers = unlessGone(
        () => directoryNumbers(files, `${layout.data}/${directoryName(high)}`),
        [],
      );
    }
    const low = this.#lowers.find((number) => number >= from % levelSize);
    return high * levelSize + (low ?? levelSize - 1);
  }

  *enter(directory: number): Generator<void, void> {
    const { files, layout } = this.#parts;
    const high = Math.floor(directory / levelSize);
    const low = directory % levelSize;
    const path = `${layout.data}/${directoryName(high)}/${directoryName(low)}`;
    const names = unlessGone(() => files.list(path), undefined) ?? [];
    for (const base of names) yield* this.#file({ high, low, base });
  }

  *#file(place: {
    readonly high: number;
    readonly low: number;
    readonly base: string;
  }): Generator<void, void> {
    const content = contentOf(place.base);
    if (content === undefined) return;
    const { path } = this.#parts.layout.placeOf(place);
    const hash = yield* this.#hash(path, content);
    const { index, has } = this.#parts;
    if (hash === undefined) return;
    if (has({ hash, sizeBytes: content.size, crc32: content.crc32 })) return;
    const name = `${directoryName(place.high)}/${directoryName(place.low)}/${place.base}`;
    index.note(hash, { name, former: "" }, content.timestamp);
  }

  /** Undefined where it was read already, or is not what its name says, or has gone. */
  *#hash(
    path: string,
    expected: { readonly size: number; readonly crc32: number },
  ): Generator<void, Buffer | undefined> {
    const descriptor = unlessGone(() => this.#open(path, expected.size), undefined);
    if (descriptor === undefined) return undefined;
    try {
      const hash = createHash("sha256");
      let crc = 0;
      for (let done = 0; done < expected.size; ) {
        const piece = this.#read(descriptor, { done, size: expected.size, hash });
        if (piece === undefined) return undefined;
        crc = crc32(piece, crc);
        done += piece.length;
        yield;
      }
      return crc === expected.crc32 ? hash.digest() : undefined;
    } finally {
      this.#parts.files.close(descriptor);
    }
  }

  #open(path: string, size: number): FileDescriptor | undefined {
    const { files } = this.#parts;
    const stat = files.stat(path, false);
    if (stat?.kind !== "file" || stat.sizeBytes !== size) return undefined;
    if (stat.links > 1) {
      if (this.#seen.has(stat.inode)) return undefined;
      if (this.#seen.size >= maxRememberedInodes) this.#seen.clear();
      this.#seen.add(stat.inode);
    }
    return files.open(path, "read");
  }

  #read(
    descriptor: FileDescriptor,
    at: { readonly done: number; readonly size: number; readonly hash: Hash },
  ): Buffer | undefined {
    const piece = this.#buffer.subarray(0, Math.min(stepBytes, at.size - at.done));
    const got = unlessGone(() => this.#parts.files.read(descriptor, piece, at.done), 0);
    if (got < piece.length) return undefined;
    at.hash.update(piece);
    return piece;
  }
}

/** A file that cannot be read is one that nothing is linked to; what is wrong with it shows elsewhere. */
function unlessGone<Result>(look: () => Result, otherwise: Result): Result {
  try {
    return look();
  } catch (error) {
    if (error instanceof FileError) return otherwise;
    throw error;
  }
}

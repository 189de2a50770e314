/**
 * The directories `HH/HH` of one store path. Made when the first file needs them: a whole tree is 131,000 inodes for nothing.
 * Which are there is kept in memory, since asking costs nearly as much as writing a small file. Worker thread.
 */
import { fileStoreError } from "#filestore/errors.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import { directoryName } from "#model/remote-filename.ts";
import { FileError, type Files } from "#platform/files.ts";
import type { FlushTarget } from "#platform/flusher.ts";

const levelSize = 256;
const directoryPattern = /^[0-9A-F]{2}$/;

export interface DirectoryNumber {
  readonly high: number;
  readonly low: number;
}

export class DirectoryTree {
  readonly #files: Files;
  readonly #data: string;
  readonly #durable: boolean;
  readonly #there = new Uint8Array(levelSize * levelSize);
  /** Directories with entries of ours that may not be on stable storage. */
  readonly #unflushed = new Set<string>();

  /** `durable`: who puts something into a directory has to flush what `takeUnflushed` gives before it counts. */
  constructor(files: Files, layout: FileLayout, durable: boolean) {
    this.#files = files;
    this.#data = layout.data;
    this.#durable = durable;
  }

  /** Makes the directory where it is not there. Throws `FileError`. */
  ensure(directory: DirectoryNumber): void {
    const number = directory.high * levelSize + directory.low;
    if (this.#there[number] === 1) return;
    const parent = `${this.#data}/${directoryName(directory.high)}`;
    const path = `${parent}/${directoryName(directory.low)}`;
    try {
      makeIfMissing(this.#files, path);
    } catch (error) {
      if (!(error instanceof FileError) || error.code !== "ENOENT") throw error;
      makeIfMissing(this.#files, parent);
      if (this.#durable) this.#unflushed.add(this.#data);
      makeIfMissing(this.#files, path);
    }
    // Also where it was there: whoever made it may not have lived to flush it.
    if (this.#durable) this.#unflushed.add(parent);
    this.#there[number] = 1;
  }

  /** What is to be flushed for the directories that were made; the caller's business from now on. */
  takeUnflushed(): readonly FlushTarget[] {
    if (this.#unflushed.size === 0) return [];
    const targets = [...this.#unflushed].map((path) => ({ kind: "directory", path }) as const);
    this.#unflushed.clear();
    return targets;
  }

  /** That did not work out. */
  leaveUnflushed(targets: readonly FlushTarget[]): void {
    for (const { path } of targets) this.#unflushed.add(path);
  }

  /** Somebody removed the directory behind our back: `ensure` looks again. */
  forget(directory: DirectoryNumber): void {
    this.#there[directory.high * levelSize + directory.low] = 0;
  }

  /** The whole tree, as a C storage wants to find it. Throws `FileError`. */
  makeAll(subdirCount: number): void {
    for (let high = 0; high < subdirCount; high += 1) {
      const parent = `${this.#data}/${directoryName(high)}`;
      makeIfMissing(this.#files, parent);
      const there = new Set(this.#files.list(parent));
      for (let low = 0; low < subdirCount; low += 1) {
        const name = directoryName(low);
        if (!there.has(name)) makeIfMissing(this.#files, `${parent}/${name}`);
        this.#there[high * levelSize + low] = 1;
      }
      if (this.#durable) this.#files.flushDirectory(parent);
    }
    if (this.#durable) this.#files.flushDirectory(this.#data);
  }
}

/** Throws `FileError` for every other reason. */
export function makeIfMissing(files: Files, path: string): void {
  try {
    files.makeDirectory(path);
  } catch (error) {
    if (!(error instanceof FileError) || error.code !== "EEXIST") throw error;
  }
}

/**
 * Refuses a tree that was made for another number of directories: throws `store-path-unfit`. `noted` is the number that our
 * own last start wrote down; a C storage wrote none, but made all of its directories at once.
 */
export function checkSubdirCount(
  files: Files,
  layout: FileLayout,
  counts: { readonly configured: number; readonly noted: number | undefined },
): void {
  const found = counts.noted ?? countFromTree(files, layout.data, counts.configured);
  if (found === undefined || found === counts.configured) return;
  throw fileStoreError(
    "store-path-unfit",
    `${layout.directory} has ${found} directories a level, the configuration says ${counts.configured}: ` +
      `set the number of subdirectories to ${found}, or use another store path`,
  );
}

/** Undefined where the tree fits, as far as one can see. */
function countFromTree(files: Files, data: string, configured: number): number | undefined {
  const levels = directoryNumbers(files, data);
  const last = levels.at(-1);
  if (last === undefined) return undefined;
  const count = last + 1;
  if (count > configured) return count;
  const complete = levels.length === count && count > 1;
  const lastLevel = complete ? directoryNumbers(files, `${data}/${directoryName(last)}`) : [];
  return lastLevel.length === count ? count : undefined;
}

/** Names of two hexadecimal digits in `path`, as numbers in order. */
export function directoryNumbers(files: Files, path: string): readonly number[] {
  const names = (files.list(path) ?? []).filter((name) => directoryPattern.test(name));
  return names.map((name) => Number.parseInt(name, 16)).sort((left, right) => left - right);
}

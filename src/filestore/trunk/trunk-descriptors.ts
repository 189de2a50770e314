/**
 * Open trunk files of one store path: the few that are used most stay open, so that a packed file is read by one call. A file that is
 * lent out stays open until it is given back, whatever happens to its name. Worker thread.
 */
import { type FileDescriptor, FileError, type Files } from "#platform/files.ts";

/** Trunk files that are kept open while nobody uses them. */
export const maxIdleDescriptors = 64;

const scratchBytes = 64 * 1024;

export interface LentDescriptor {
  readonly path: string;
  readonly descriptor: FileDescriptor;
}

interface OpenTrunkFile extends LentDescriptor {
  users: number;
  /** Its name means another file now, or none. */
  dropped: boolean;
  /** So long it is at least: trunk files never get shorter. */
  knownBytes: number;
}

const missing: readonly string[] = ["ENOENT", "ENOTDIR", "ELOOP"];
/** Reading is better than nothing. */
const readOnly: readonly string[] = ["EROFS", "EACCES", "EPERM"];

export class TrunkDescriptors {
  /** For whoever looks into a file and keeps nothing of it. */
  readonly scratch = Buffer.allocUnsafe(scratchBytes);
  readonly #files: Files;
  /** The one that was used last comes last. */
  readonly #open = new Map<string, OpenTrunkFile>();
  #last: OpenTrunkFile | undefined;
  /** Of the open ones, those that are lent out. */
  #lent = 0;

  constructor(files: Files) {
    this.#files = files;
  }

  /** Lends the open file until it is given back; undefined where there is none. Throws `FileError`. */
  lend(path: string): LentDescriptor | undefined {
    const file = this.#find(path);
    if (file === undefined) return undefined;
    if (file.users === 0) this.#lent += 1;
    file.users += 1;
    return file;
  }

  giveBack(lent: LentDescriptor): void {
    const file = lent as OpenTrunkFile;
    file.users -= 1;
    if (file.users > 0) return;
    if (file.dropped) {
      this.#files.close(file.descriptor);
      return;
    }
    this.#lent -= 1;
    this.#shrink();
  }

  /** The descriptor, for use before anything else is asked of this object; undefined where there is no such file. Throws `FileError`. */
  peek(path: string): FileDescriptor | undefined {
    const { descriptor } = this.#find(path) ?? {};
    return descriptor;
  }

  /** True where there is such a file, and `sizeBytes` of it. Throws `FileError`. */
  covers(path: string, sizeBytes: number): boolean {
    const file = this.#find(path);
    if (file === undefined) return false;
    if (file.knownBytes < sizeBytes) {
      file.knownBytes = this.#files.statDescriptor(file.descriptor).sizeBytes;
    }
    return file.knownBytes >= sizeBytes;
  }

  /** The name means another file from now on, or none. */
  drop(path: string): void {
    const file = this.#open.get(path);
    if (file === undefined) return;
    this.#open.delete(path);
    if (this.#last === file) this.#last = undefined;
    file.dropped = true;
    if (file.users === 0) this.#files.close(file.descriptor);
    else this.#lent -= 1;
  }

  close(): void {
    for (const path of [...this.#open.keys()]) this.drop(path);
  }

  #find(path: string): OpenTrunkFile | undefined {
    if (this.#last?.path === path) return this.#last;
    const there = this.#open.get(path);
    if (there !== undefined) this.#open.delete(path);
    const file = there ?? this.#openFile(path);
    if (file === undefined) return undefined;
    this.#open.set(path, file);
    this.#last = file;
    if (there === undefined) this.#shrink();
    return file;
  }

  #openFile(path: string): OpenTrunkFile | undefined {
    try {
      return { path, descriptor: this.#openAny(path), users: 0, dropped: false, knownBytes: 0 };
    } catch (error) {
      if (error instanceof FileError && missing.includes(error.code)) return undefined;
      throw error;
    }
  }

  #openAny(path: string): FileDescriptor {
    try {
      return this.#files.open(path, "read-write");
    } catch (error) {
      if (!(error instanceof FileError) || !readOnly.includes(error.code)) throw error;
      return this.#files.open(path, "read");
    }
  }

  #shrink(): void {
    if (this.#open.size - this.#lent <= maxIdleDescriptors) return;
    for (const [path, file] of this.#open) {
      if (file.users > 0 || file === this.#last) continue;
      this.drop(path);
      if (this.#open.size - this.#lent <= maxIdleDescriptors) return;
    }
  }
}

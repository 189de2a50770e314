/**
 * What clients of one half of a mirror see: its own files, and those of the other half in the same process where a disk of its own is not
 * served. What is stored or changed there comes here by replication when the disk is back. Main thread.
 */
import { hasCode } from "#base/app-error.ts";
import type { FileStoreErrorCode } from "#filestore/errors.ts";
import type {
  FileFacts,
  FileStore,
  LinkRequest,
  MetadataMode,
  OpenedFile,
  OpenOptions,
  Range,
  SlaveRequest,
  StorePathReport,
  UploadRequest,
} from "#filestore/file-store.ts";
import { takesFiles } from "#filestore/file-store.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { ByteFlow } from "#net/byte-flow.ts";

const diskCodes: readonly FileStoreErrorCode[] = [
  "disk-failed",
  "store-path-offline",
  "store-path-unready",
];

export class PairedFileStore implements FileStore {
  readonly #own: FileStore;
  readonly #other: FileStore;

  constructor(own: FileStore, other: FileStore) {
    this.#own = own;
    this.#other = other;
  }

  /** The other half chooses a path of its own where none here takes files. */
  upload(request: UploadRequest, body: ByteFlow): Promise<string> {
    const isFit = ({ paths }: FileStore): boolean => paths.some(takesUploads);
    const store = isFit(this.#own) || !isFit(this.#other) ? this.#own : this.#other;
    return store.upload(request, body);
  }

  uploadSlave(request: SlaveRequest, body: ByteFlow): Promise<string> {
    return this.#writable(request.master).uploadSlave(request, body);
  }

  link(request: LinkRequest): Promise<string> {
    return this.#writable(request.source).link(request);
  }

  append(name: string, body: ByteFlow): Promise<void> {
    return this.#writable(name).append(name, body);
  }

  modify(name: string, offset: number, body: ByteFlow): Promise<void> {
    return this.#writable(name).modify(name, offset, body);
  }

  truncate(name: string, sizeBytes: number): Promise<void> {
    return this.#writable(name).truncate(name, sizeBytes);
  }

  regenerate(name: string): Promise<string> {
    return this.#writable(name).regenerate(name);
  }

  remove(name: string): Promise<void> {
    return this.#writable(name).remove(name);
  }

  open(name: string, range: Range, options?: OpenOptions): Promise<OpenedFile> {
    return this.#reading(name, (store) => store.open(name, range, options));
  }

  facts(name: string, options: { readonly computeCrc: boolean }): Promise<FileFacts> {
    return this.#reading(name, (store) => store.facts(name, options));
  }

  readMetadata(name: string): Promise<Uint8Array> {
    return this.#own.readMetadata(name).catch((error: unknown) => {
      if (!this.#isOfDisk(name, error)) throw error;
      return this.#other.readMetadata(name);
    });
  }

  writeMetadata(name: string, mode: MetadataMode, text: Uint8Array): Promise<void> {
    return this.#writable(name).writeMetadata(name, mode, text);
  }

  get paths(): readonly StorePathReport[] {
    return this.#own.paths;
  }

  async close(): Promise<void> {
    await Promise.all([this.#own.close(), this.#other.close()]);
  }

  /** Who has the disk of this name at work; this half where neither has, so that it tells why. */
  #writable(name: string): FileStore {
    return !canChange(this.#own, name) && canChange(this.#other, name) ? this.#other : this.#own;
  }

  #reading<Result>(name: string, read: (store: FileStore) => Promise<Result>): Promise<Result> {
    return read(this.#own).catch((error: unknown) => {
      if (!this.#isOfDisk(name, error)) throw error;
      return read(this.#other).catch((second: unknown) => {
        // It may lie on the disk that is not served, and nowhere else yet.
        throw hasCode<FileStoreErrorCode>(second, "file-missing") ? error : second;
      });
    });
  }

  /** The disk, not the file, is why nothing was read: also where it cannot take what the other half has stored since. */
  #isOfDisk(name: string, error: unknown): boolean {
    if (diskCodes.some((code) => hasCode(error, code))) return true;
    return hasCode<FileStoreErrorCode>(error, "file-missing") && !canChange(this.#own, name);
  }
}

function canChange({ paths }: FileStore, name: string): boolean {
  const index = parseRemoteFilename(name)?.storePathIndex;
  return paths.some((path) => path.index === index && takesChanges(path));
}

/** One with a problem refused a write a moment ago, as a disk does that turned read-only. */
function takesUploads({ state, problem, readOnly, takesNoFiles }: StorePathReport): boolean {
  const isWell = state === "online" && problem === undefined;
  return isWell && !readOnly && takesNoFiles === undefined;
}

function takesChanges({ state, problem }: StorePathReport): boolean {
  return takesFiles(state) && !(state === "online" && problem !== undefined);
}

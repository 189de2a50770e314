/** The files of this node's group as the gateway's source: every other group is unknown. Main thread. */
import { hasCode } from "#base/app-error.ts";
import type { FileStoreErrorCode } from "#filestore/errors.ts";
import type { FileStore } from "#filestore/file-store.ts";
import type {
  FileAddress,
  FileSource,
  NewFile,
  NewSlave,
  StoredFacts,
  StoredFile,
  StoredRange,
} from "#gateway/file-source.ts";
import { decodeBase } from "#model/file-id.ts";
import type { GroupName } from "#model/group-name.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { ByteFlow } from "#net/byte-flow.ts";

const empty = new Uint8Array(0);

export class LocalFileSource implements FileSource {
  readonly #store: FileStore;
  readonly #group: GroupName;

  constructor(store: FileStore, group: GroupName) {
    this.#store = store;
    this.#group = group;
  }

  async facts(address: FileAddress): Promise<StoredFacts | undefined> {
    if (!this.#has(address)) return undefined;
    const { name } = address;
    return present(this.#store.facts(name, { computeCrc: false }));
  }

  async open(address: FileAddress, range?: StoredRange): Promise<StoredFile | undefined> {
    if (!this.#has(address)) return undefined;
    const { name } = address;
    if (range === undefined) return this.#openWhole(name);
    return present(this.#store.open(name, range));
  }

  async checksum(address: FileAddress): Promise<number | undefined> {
    if (!this.#has(address)) return undefined;
    const { name } = address;
    return (await present(this.#store.facts(name, { computeCrc: true })))?.crc32;
  }

  takesUploads(group: GroupName): boolean {
    return group === this.#group;
  }

  upload(_group: GroupName, file: NewFile, body: ByteFlow): Promise<string> {
    return this.#store.upload({ storePathIndex: undefined, ...file }, body);
  }

  async uploadSlave(slave: NewSlave, body: ByteFlow): Promise<string | undefined> {
    if (!this.#has(slave.master)) return undefined;
    const { prefix, extension } = slave;
    return present(this.#store.uploadSlave({ master: slave.master.name, prefix, extension }, body));
  }

  async remove(address: FileAddress): Promise<boolean> {
    return this.#has(address) && (await done(this.#store.remove(address.name)));
  }

  async metadata(address: FileAddress): Promise<Uint8Array | undefined> {
    if (!this.#has(address)) return undefined;
    const text = await present(this.#store.readMetadata(address.name));
    if (text !== undefined) return text;
    // The store does not say which of the two is missing.
    return (await this.facts(address)) === undefined ? undefined : empty;
  }

  async setMetadata(
    address: FileAddress,
    mode: "overwrite" | "merge",
    text: Uint8Array,
  ): Promise<boolean> {
    return this.#has(address) && (await done(this.#store.writeMetadata(address.name, mode, text)));
  }

  #has(address: FileAddress): boolean {
    return address.group === this.#group;
  }

  /**
   * A name mostly tells the size, and with it the store needs no more memory than the file. Names of links may tell another
   * one; then the file is opened again as it is.
   */
  async #openWhole(name: string): Promise<StoredFile | undefined> {
    const sizeInName = decodeBase(parseRemoteFilename(name)?.base ?? "")?.size ?? 0;
    const emptyIsFine = true;
    const range = { offset: 0, length: sizeInName };
    const opened = await present(this.#store.open(name, range, { emptyIsFine }));
    if (opened === undefined || opened.body.length === opened.sizeBytes) return opened;
    opened.body.close();
    return present(this.#store.open(name, { offset: 0, length: 0 }, { emptyIsFine }));
  }
}

/** Undefined where the file is missing. */
async function present<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (hasCode<FileStoreErrorCode>(error, "file-missing")) return undefined;
    throw error;
  }
}

async function done(change: Promise<void>): Promise<boolean> {
  return (await present(change.then(() => true))) === true;
}

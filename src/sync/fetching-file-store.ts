/**
 * The files of the group as clients see them: what is read or changed and not here is had from a peer first (`file-fetcher.ts`). Whatever
 * names a file that exists comes through, so that nothing answers "no such file" for what the group has. A file that somebody may have who
 * cannot be asked is `store-path-unready`: nothing was done. Where the disk of a file is not served, reads are had from a peer
 * (`read-relay.ts`) and nothing is kept; changes are refused. Main thread.
 */
import { fileStoreError } from "#filestore/errors.ts";
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
import type { ByteFlow } from "#net/byte-flow.ts";
import { type FileFetcher, isMissingHere } from "#sync/file-fetcher.ts";
import { isOfDisk, type ReadRelay } from "#sync/read-relay.ts";

export type Relay = Pick<ReadRelay, "open" | "facts" | "readMetadata">;

export class FetchingFileStore implements FileStore {
  readonly #store: FileStore;
  readonly #fetcher: Pick<FileFetcher, "fetch" | "isWorthAsking">;
  readonly #relay: Relay | undefined;

  /** Without a relay, what is on a disk that is not served cannot be read. */
  constructor(
    store: FileStore,
    fetcher: Pick<FileFetcher, "fetch" | "isWorthAsking">,
    relay?: Relay,
  ) {
    this.#store = store;
    this.#fetcher = fetcher;
    this.#relay = relay;
  }

  upload(request: UploadRequest, body: ByteFlow): Promise<string> {
    return this.#store.upload(request, body);
  }

  async uploadSlave(request: SlaveRequest, body: ByteFlow): Promise<string> {
    await this.#beforeBody(request.master);
    return this.#store.uploadSlave(request, body);
  }

  link(request: LinkRequest): Promise<string> {
    return this.#store.link(request).catch(async (error: unknown) => {
      if (!isMissingHere(error)) throw error;
      // Which of them is missing is not said.
      const { source, slaveOf } = request;
      for (const name of slaveOf === undefined ? [source] : [source, slaveOf.master]) {
        if (!(await this.#isHere(name))) await this.#had(name, error);
      }
      return this.#store.link(request);
    });
  }

  async append(name: string, body: ByteFlow): Promise<void> {
    await this.#beforeBody(name);
    await this.#store.append(name, body);
  }

  async modify(name: string, offset: number, body: ByteFlow): Promise<void> {
    await this.#beforeBody(name);
    await this.#store.modify(name, offset, body);
  }

  truncate(name: string, sizeBytes: number): Promise<void> {
    return this.#again(name, () => this.#store.truncate(name, sizeBytes));
  }

  regenerate(name: string): Promise<string> {
    return this.#again(name, () => this.#store.regenerate(name));
  }

  /** Its metadata goes with it, also where that is elsewhere. */
  remove(name: string): Promise<void> {
    return this.#store.remove(name).catch(async (error: unknown) => {
      await this.#had(name, error);
      await this.#fetcher.fetch(metadataOf(name));
      await this.#store.remove(name);
    });
  }

  /** Every download comes through, hence no asynchronous function. */
  open(name: string, range: Range, options?: OpenOptions): Promise<OpenedFile> {
    return this.#store.open(name, range, options).catch((error: unknown) => {
      if (this.#relay === undefined || !isOfDisk(error)) {
        return this.#had(name, error).then(() => this.#store.open(name, range, options));
      }
      return this.#relay.open(name, { ...options, range }, error);
    });
  }

  facts(name: string, options: { readonly computeCrc: boolean }): Promise<FileFacts> {
    return this.#store.facts(name, options).catch((error: unknown) => {
      if (this.#relay === undefined || !isOfDisk(error)) {
        return this.#had(name, error).then(() => this.#store.facts(name, options));
      }
      return this.#relay.facts(name, options, error);
    });
  }

  /** Metadata goes with its file: where that is here, nobody is asked. */
  readMetadata(name: string): Promise<Uint8Array> {
    return this.#store.readMetadata(name).catch(async (error: unknown) => {
      if (this.#relay !== undefined && isOfDisk(error)) {
        return this.#relay.readMetadata(name, error);
      }
      if (!isMissingHere(error) || (await this.#isHere(name))) throw error;
      await this.#had(name, error);
      await this.#fetcher.fetch(metadataOf(name));
      return this.#store.readMetadata(name);
    });
  }

  writeMetadata(name: string, mode: MetadataMode, text: Uint8Array): Promise<void> {
    return this.#store.writeMetadata(name, mode, text).catch(async (error: unknown) => {
      await this.#had(name, error);
      // What is merged into nothing would replace what the others have.
      const before = mode === "merge" ? await this.#fetcher.fetch(metadataOf(name)) : "missing";
      if (before === "unknown") throw unasked(metadataOf(name));
      await this.#store.writeMetadata(name, mode, text);
    });
  }

  get paths(): readonly StorePathReport[] {
    return this.#store.paths;
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  /** Once more where the file is not here and a peer had it. */
  #again<Result>(name: string, act: () => Promise<Result>): Promise<Result> {
    return act().catch((error: unknown) => this.#had(name, error).then(act));
  }

  /** A body comes once: whether the file is here must be clear before. */
  async #beforeBody(name: string): Promise<void> {
    if (!this.#fetcher.isWorthAsking(name)) return;
    await this.#again(name, () => this.#store.facts(name, { computeCrc: false }));
  }

  async #isHere(name: string): Promise<boolean> {
    const found = this.#store.facts(name, { computeCrc: false });
    return found.then(
      () => true,
      () => false,
    );
  }

  /** Rejects with `error` unless the file has come by now. */
  async #had(name: string, error: unknown): Promise<void> {
    if (!isMissingHere(error)) throw error;
    const result = await this.#fetcher.fetch(name);
    if (result === "missing") throw error;
    if (result === "unknown") throw unasked(name);
  }
}

function metadataOf(name: string): string {
  return `${name}-m`;
}

function unasked(name: string): Error {
  return fileStoreError("store-path-unready", `whoever may have ${name} could not be asked`);
}

/**
 * Reads of files whose disk is not served here just now: had from a peer where one has them, and, where the store path is away for a moment
 * only, from the path itself when it is back. Main thread.
 */
import type { BriefAbsences } from "#filestore/brief-absences.ts";
import type {
  FileFacts,
  FileStore,
  OpenedFile,
  OpenOptions,
  Range,
} from "#filestore/file-store.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { Relay } from "#sync/fetching-file-store.ts";
import { isOfDisk } from "#sync/read-relay.ts";

export class PatientRelay implements Relay {
  readonly #relay: Relay;
  readonly #store: Pick<FileStore, "open" | "facts" | "readMetadata">;
  readonly #absences: Pick<BriefAbsences, "outlast">;

  constructor(
    relay: Relay,
    store: Pick<FileStore, "open" | "facts" | "readMetadata">,
    absences: Pick<BriefAbsences, "outlast">,
  ) {
    this.#relay = relay;
    this.#store = store;
    this.#absences = absences;
  }

  open(
    name: string,
    how: OpenOptions & { readonly range: Range },
    refusal: unknown,
  ): Promise<OpenedFile> {
    const { range, ...options } = how;
    const asked = this.#relay.open(name, how, refusal);
    return this.#orWhenBack(name, asked, () => this.#store.open(name, range, options));
  }

  facts(
    name: string,
    options: { readonly computeCrc: boolean },
    refusal: unknown,
  ): Promise<FileFacts> {
    const asked = this.#relay.facts(name, options, refusal);
    return this.#orWhenBack(name, asked, () => this.#store.facts(name, options));
  }

  readMetadata(name: string, refusal: unknown): Promise<Uint8Array> {
    const asked = this.#relay.readMetadata(name, refusal);
    return this.#orWhenBack(name, asked, () => this.#store.readMetadata(name));
  }

  #orWhenBack<Result>(
    name: string,
    asked: Promise<Result>,
    read: () => Promise<Result>,
  ): Promise<Result> {
    return asked.catch(async (error: unknown) => {
      if (!isOfDisk(error)) throw error;
      const index = parseRemoteFilename(name)?.storePathIndex;
      // It may have come back while the peers were asked, also from an absence that is over by now.
      await this.#absences.outlast(error, index).catch(() => undefined);
      return await read().catch((again: unknown) => {
        // What the first one met says more than that the path is not served meanwhile.
        throw isOfDisk(again) ? error : again;
      });
    });
  }
}

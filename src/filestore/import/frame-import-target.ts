/** The storage of this node as what an import stores to, over one connection. Names are logical ones, without group. */
import { fileStoreError } from "#filestore/errors.ts";
import type { ImportTarget } from "#filestore/import/import-run.ts";
import { slaveName } from "#model/file-base.ts";
import type { ByteSource } from "#net/byte-flow.ts";
import { FrameClient } from "#net/frame-client.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import { storageFiles } from "#protocol/fastdfs/storage-files.ts";
import { storageMetadata } from "#protocol/fastdfs/storage-metadata.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";

const connectTimeoutMs = 5000;
const networkTimeoutMs = 60_000;
/** Lets the storage choose. */
const anyStorePath = 255;

export class FrameImportTarget implements ImportTarget {
  readonly #where: { readonly address: string; readonly port: number };
  readonly #group: string;
  readonly #world: { readonly network: Network; readonly clock: Clock };
  #client: FrameClient | undefined;

  constructor(
    where: { readonly address: string; readonly port: number; readonly group: string },
    world: { readonly network: Network; readonly clock: Clock },
  ) {
    this.#where = where;
    this.#group = where.group;
    this.#world = world;
  }

  async store(
    kind: "normal" | "appender",
    extension: string,
    content: ByteSource,
  ): Promise<string> {
    const { uploadFile, uploadAppenderFile } = storageFiles;
    const message = kind === "appender" ? uploadAppenderFile : uploadFile;
    const request = { storePathIndex: anyStorePath, fileSize: content.length, extension };
    return (await (await this.#open()).upload(message, request, content)).filename;
  }

  async storeSlave(
    slave: { readonly master: string; readonly prefix: string; readonly extension: string },
    content: ByteSource,
  ): Promise<string> {
    const { master: masterFilename, prefix, extension } = slave;
    const request = { masterFilename, prefix, extension, fileSize: content.length };
    const client = await this.#open();
    try {
      return (await client.upload(storageFiles.uploadSlaveFile, request, content)).filename;
    } catch (error) {
      const isThere = error instanceof WireStatusError && error.status === wireStatus.exists;
      if (!isThere) throw error;
      return slaveName(masterFilename, prefix, extension);
    }
  }

  async setMetadata(filename: string, text: Uint8Array): Promise<void> {
    const request = {
      filename,
      mode: "overwrite",
      group: this.#group,
      metadata: Buffer.from(text),
    };
    await (await this.#open()).call(storageMetadata.setMetadata, { ...request, mode: "overwrite" });
  }

  async facts(filename: string): Promise<{ readonly sizeBytes: number; readonly crc32: number }> {
    const request = { headerStatus: 0, group: this.#group, filename };
    const facts = await (await this.#open()).call(storageFiles.queryFileInfo, request);
    return { sizeBytes: facts.fileSize, crc32: facts.crc32 };
  }

  async remove(filename: string): Promise<void> {
    const request = { group: this.#group, filename };
    await (await this.#open()).call(storageFiles.deleteFile, request);
  }

  close(): void {
    this.#client?.close();
  }

  async #open(): Promise<FrameClient> {
    if (this.#client?.usable === true) return this.#client;
    const where = { ...this.#where, timeoutMs: connectTimeoutMs };
    try {
      this.#client = await FrameClient.connect(where, { ...this.#world, networkTimeoutMs });
      return this.#client;
    } catch (error) {
      const { address, port } = this.#where;
      throw fileStoreError(
        "store-path-unready",
        `the storage at ${address}:${port} cannot be reached`,
        {
          cause: error,
        },
      );
    }
  }
}

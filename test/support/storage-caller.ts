/** Plain calls to one storage, without trackers and retries: what a test asks is what is asked once. */
import { collect, sourceOfBytes } from "#net/byte-flow.ts";
import { FrameClient } from "#net/frame-client.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { storageFiles } from "#protocol/fastdfs/storage-files.ts";
import { storageMetadata } from "#protocol/fastdfs/storage-metadata.ts";

const network = new NodeNetwork();

export class StorageCaller {
  readonly #client: FrameClient;
  readonly #group: string;

  private constructor(client: FrameClient, group: string) {
    this.#client = client;
    this.#group = group;
  }

  static async connect(
    port: number,
    group = "group1",
    address = "127.0.0.1",
  ): Promise<StorageCaller> {
    const client = await FrameClient.connect(
      { address, port, timeoutMs: 5000 },
      { network, clock: nodeClock, networkTimeoutMs: 20_000 },
    );
    return new StorageCaller(client, group);
  }

  /** Over a connection that somebody else made, with limits of his own. */
  static over(client: FrameClient, group = "group1"): StorageCaller {
    return new StorageCaller(client, group);
  }

  async upload(
    content: Uint8Array,
    options: {
      readonly appender?: boolean;
      readonly extension?: string;
      readonly path?: number;
    } = {},
  ): Promise<string> {
    const message =
      options.appender === true ? storageFiles.uploadAppenderFile : storageFiles.uploadFile;
    const request = {
      storePathIndex: options.path ?? 255,
      fileSize: content.length,
      extension: options.extension ?? "bin",
    };
    const reply = await this.#client.upload(message, request, sourceOfBytes(content));
    return reply.filename;
  }

  async uploadSlave(master: string, prefix: string, content: Uint8Array): Promise<string> {
    const request = {
      masterFilename: master,
      fileSize: content.length,
      prefix,
      extension: "bin",
    };
    const { uploadSlaveFile } = storageFiles;
    return (await this.#client.upload(uploadSlaveFile, request, sourceOfBytes(content))).filename;
  }

  async append(filename: string, content: Uint8Array): Promise<void> {
    const request = { filename, length: content.length };
    await this.#client.upload(storageFiles.appendFile, request, sourceOfBytes(content));
  }

  async modify(filename: string, offset: number, content: Uint8Array): Promise<void> {
    const request = { filename, offset, length: content.length };
    await this.#client.upload(storageFiles.modifyFile, request, sourceOfBytes(content));
  }

  async truncate(filename: string, fileSize: number): Promise<void> {
    await this.#client.call(storageFiles.truncateFile, { filename, fileSize });
  }

  async regenerate(filename: string): Promise<string> {
    return (await this.#client.call(storageFiles.regenerateAppenderFilename, { filename }))
      .filename;
  }

  async remove(filename: string): Promise<void> {
    await this.#client.call(storageFiles.deleteFile, { group: this.#group, filename });
  }

  async download(filename: string, offset = 0, length = 0): Promise<Buffer> {
    const request = { group: this.#group, filename, offset, length };
    return collect(await this.#client.download(storageFiles.downloadFile, request));
  }

  info(filename: string, headerStatus = 0): Promise<{ fileSize: number; crc32: number }> {
    return this.#client.call(storageFiles.queryFileInfo, {
      group: this.#group,
      filename,
      headerStatus,
    });
  }

  async setMetadata(filename: string, text: string, mode: "overwrite" | "merge"): Promise<void> {
    const request = { filename, mode, group: this.#group, metadata: Buffer.from(text, "latin1") };
    await this.#client.call(storageMetadata.setMetadata, request);
  }

  async getMetadata(filename: string): Promise<string> {
    const request = { group: this.#group, filename };
    const { metadata } = await this.#client.call(storageMetadata.getMetadata, request);
    return Buffer.from(metadata).toString("latin1");
  }

  close(): void {
    this.#client.close();
  }
}

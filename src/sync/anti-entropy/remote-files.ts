/**
 * Files of a peer: by command 185 of one of ours, which gives what it has itself, with time and CRC-32; by DOWNLOAD_FILE of a C storage,
 * where a refusal of an empty file (protocol §2.6/14) is told from other refusals by asking for its size.
 */
import { fileStoreError } from "#filestore/errors.ts";
import type { FileFacts } from "#filestore/file-store.ts";
import { crcInName, sizeInName } from "#model/file-id.ts";
import type { StorageId } from "#model/storage-id.ts";
import { type ByteFlow, flowOfBytes } from "#net/byte-flow.ts";
import { narrowAddresses, WireReader } from "#protocol/codec.ts";
import { downloadFile, queryFileInfo } from "#protocol/fastdfs/storage-files.ts";
import { type InventoryRepair, inventoryRepair } from "#protocol/peer/inventory.ts";
import { fetchFile } from "#protocol/peer/replication.ts";
import { fetchedHead, fetchedHeadBytes } from "#protocol/peer/sync-record.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { mendTimeoutMs } from "#sync/anti-entropy/limits.ts";
import type { PeerExchange } from "#sync/anti-entropy/peer-exchange.ts";
import type { PeerFile, RepairPeer } from "#sync/anti-entropy/peer-file.ts";
import { headOf } from "#sync/headed-flow.ts";

export interface RemoteFilesParts {
  readonly exchange: PeerExchange;
  readonly title: string;
  readonly group: string;
  /** Of this storage. */
  readonly id: StorageId;
  readonly isCairn: boolean;
}

export class RemoteFiles implements RepairPeer {
  readonly #parts: RemoteFilesParts;

  constructor(parts: RemoteFilesParts) {
    this.#parts = parts;
  }

  get title(): string {
    return this.#parts.title;
  }

  async fetch<Result>(name: string, use: (file: PeerFile) => Promise<Result>): Promise<Result> {
    try {
      return await (this.#parts.isCairn ? this.#fetchOurs(name, use) : this.#fetchC(name, use));
    } catch (error) {
      throw missingOr(error, name);
    }
  }

  async factsOf(name: string): Promise<FileFacts | undefined> {
    const { exchange, group } = this.#parts;
    try {
      const request = { headerStatus: 0, group, filename: name };
      const facts = await exchange.call(queryFileInfo, request, mendTimeoutMs);
      const { fileSize: sizeBytes, modifiedAt: modifiedSeconds, crc32 } = facts;
      return { sizeBytes, modifiedSeconds, crc32 };
    } catch (error) {
      if (isStatus(error, wireStatus.notFound)) return undefined;
      throw error;
    }
  }

  async mend(repairs: readonly InventoryRepair[]): Promise<readonly number[]> {
    const { exchange, group, id } = this.#parts;
    const request = { group, id, repairs };
    return (await exchange.call(inventoryRepair, request, mendTimeoutMs)).statuses;
  }

  #fetchOurs<Result>(name: string, use: (file: PeerFile) => Promise<Result>): Promise<Result> {
    const { exchange, group, id } = this.#parts;
    return exchange.download(fetchFile, { group, id, filename: name }, async (flow) => {
      const { head, body } = await headOf(flow, fetchedHeadBytes);
      const { modifiedSeconds, crc32 } = fetchedHead.decode(new WireReader(head), narrowAddresses);
      return await use({ modifiedSeconds, crc32, body });
    });
  }

  async #fetchC<Result>(name: string, use: (file: PeerFile) => Promise<Result>): Promise<Result> {
    const { exchange, group } = this.#parts;
    const plain = (body: ByteFlow) => use({ modifiedSeconds: undefined, crc32: undefined, body });
    const request = { offset: 0, length: 0, group, filename: name };
    try {
      return await exchange.download(downloadFile, request, plain);
    } catch (error) {
      if (!isStatus(error, wireStatus.invalid) || !(await this.#isEmpty(name))) throw error;
      return await plain(flowOfBytes(new Uint8Array(0)));
    }
  }

  async #isEmpty(name: string): Promise<boolean> {
    const base = name.slice(name.lastIndexOf("/") + 1);
    const said = sizeInName(base);
    if (said !== undefined && crcInName(base) !== undefined) return said === 0;
    const { exchange, group } = this.#parts;
    const request = { headerStatus: 1, group, filename: name };
    return (await exchange.call(queryFileInfo, request)).fileSize === 0;
  }
}

function missingOr(error: unknown, name: string): unknown {
  if (!isStatus(error, wireStatus.notFound)) return error;
  return fileStoreError("file-missing", `the peer has no file ${name}`, { cause: error });
}

function isStatus(error: unknown, status: number): boolean {
  return error instanceof WireStatusError && error.status === status;
}

/**
 * Receipts: which disks of which storages hold a file, as each of them knows it. Peers of ours are asked for what they know, C's for whether
 * they have it; who does not answer in time is listed as silent. Main thread.
 */
import { describeError, hasCode } from "#base/app-error.ts";
import type { FileStoreErrorCode } from "#filestore/errors.ts";
import type { FileRecord } from "#filestore/file-record.ts";
import type { StoreScrubs } from "#filestore/store-scrubs.ts";
import { crcInName } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { StorageId } from "#model/storage-id.ts";
import type { Handlers } from "#net/frame-handlers.ts";
import { type Clock, delay } from "#platform/clock.ts";
import { queryFileInfo, queryFileInfoFlags } from "#protocol/fastdfs/storage-files.ts";
import {
  type CrcOrigin,
  type DamagedWord,
  fileReceipt,
  type fileReceipts,
} from "#protocol/peer/file-receipt.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { StorageServices } from "#storage/storage-services.ts";
import type { PeerExchange } from "#sync/anti-entropy/peer-exchange.ts";

/** Where a store path lies. Ids are empty where they are not known. */
export interface PathPlace {
  readonly directory: string;
  readonly pathId: string;
  readonly diskId: string;
}

export interface ReceiptPeer {
  readonly id: StorageId;
  readonly isCairn: boolean | undefined;
  readonly exchange: PeerExchange;
}

export interface ReceiptPartParts {
  readonly group: string;
  readonly clock: Clock;
  readonly scrubs: Pick<StoreScrubs, "fileRecord">;
  readonly placeOf: (storePathIndex: number) => PathPlace;
  readonly ownId: () => StorageId | undefined;
  /** All members of the group but this storage. */
  readonly peers: () => readonly ReceiptPeer[];
}

export interface HeldCopy extends PathPlace {
  readonly storePath: number;
  readonly sizeBytes: number;
  readonly modifiedSeconds: number;
  readonly crc32: number | undefined;
  readonly crcFrom: CrcOrigin;
  /** Unix seconds; 0 where it is not known, or may not be yet. */
  readonly flushedAt: number;
  readonly verifiedAt: number;
  readonly damaged: DamagedWord;
}

/** `holds`: see `copy`. `missing`: it does not have the file. `silent`: it did not answer in time, or could not be reached. */
export interface ReceiptEntry {
  readonly storage: string;
  readonly isOwn: boolean;
  readonly software: "cairn" | "original" | "unknown";
  readonly state: "holds" | "missing" | "silent";
  readonly copy: HeldCopy | undefined;
  readonly problem: string | undefined;
}

export interface ReceiptQuestion {
  /** Logical name. */
  readonly name: string;
  /** Each copy is read from its disk. */
  readonly reads: boolean;
  readonly deadlineMs: number;
}

export class ReceiptPart {
  readonly #parts: ReceiptPartParts;

  constructor(parts: ReceiptPartParts) {
    this.#parts = parts;
  }

  handlers(services: Pick<StorageServices, "checkGroup">): Handlers<typeof fileReceipts> {
    return {
      fileReceipt: async ({ group, reads, filename }) => {
        services.checkGroup(group);
        const copy = await this.#ownCopy(filename, reads);
        const { sizeBytes, modifiedSeconds, crc32, storePath, ...rest } = copy;
        return {
          fileSize: sizeBytes,
          modifiedAt: modifiedSeconds,
          crc32: crc32 ?? 0,
          storePathIndex: storePath,
          ...rest,
        };
      },
    };
  }

  /** This storage first, then its peers. Never rejects for one of them. */
  async ask(question: ReceiptQuestion): Promise<readonly ReceiptEntry[]> {
    const { peers, ownId } = this.#parts;
    const own = this.#answered(
      { storage: ownId() ?? "", isOwn: true, software: "cairn" },
      this.#ownCopy(question.name, question.reads),
      question.deadlineMs,
    );
    const others = peers().map((peer) => {
      const { id, isCairn } = peer;
      const software = isCairn === undefined ? "unknown" : isCairn ? "cairn" : "original";
      const asked = this.#ofPeer(peer, question);
      return this.#answered({ storage: id, isOwn: false, software }, asked, question.deadlineMs);
    });
    return await Promise.all([own, ...others]);
  }

  async #answered(
    who: Pick<ReceiptEntry, "storage" | "isOwn" | "software">,
    asked: Promise<HeldCopy>,
    deadlineMs: number,
  ): Promise<ReceiptEntry> {
    const ended = new AbortController();
    const late = delay(this.#parts.clock, deadlineMs, ended.signal).then(
      () => "late" as const,
      () => "late" as const,
    );
    try {
      const copy = await Promise.race([asked, late]);
      if (copy !== "late") return { ...who, state: "holds", copy, problem: undefined };
      const problem = `no answer within ${Math.round(deadlineMs / 1000)} s`;
      return { ...who, state: "silent", copy: undefined, problem };
    } catch (error) {
      if (isMissing(error))
        return { ...who, state: "missing", copy: undefined, problem: undefined };
      return { ...who, state: "silent", copy: undefined, problem: describeError(error) };
    } finally {
      ended.abort();
      // Its late answer, or failure, is nobody's any more.
      asked.catch(() => undefined);
    }
  }

  async #ownCopy(name: string, reads: boolean): Promise<HeldCopy> {
    const { scrubs, placeOf } = this.#parts;
    const record = await scrubs.fileRecord(name, reads);
    const storePath = parseRemoteFilename(name)?.storePathIndex ?? 0;
    return { ...copyOf(record), storePath, ...placeOf(storePath) };
  }

  async #ofPeer(
    peer: ReceiptPeer,
    { name, reads, deadlineMs }: ReceiptQuestion,
  ): Promise<HeldCopy> {
    const { group } = this.#parts;
    const { exchange, isCairn } = peer;
    if (isCairn !== false) {
      try {
        const request = { group, reads, filename: name };
        const reply = await exchange.call(fileReceipt, request, deadlineMs);
        const { fileSize, modifiedAt, crc32, storePathIndex, ...rest } = reply;
        return {
          ...rest,
          ...{ sizeBytes: fileSize, modifiedSeconds: modifiedAt, storePath: storePathIndex },
          crc32: rest.crcFrom === "none" ? undefined : crc32,
        };
      } catch (error) {
        if (!(error instanceof WireStatusError) || error.status !== wireStatus.invalid) throw error;
      }
    }
    return await this.#ofC(exchange, name);
  }

  /** C tells that it has the file, and no more of the disk than the name does. */
  async #ofC(exchange: PeerExchange, name: string): Promise<HeldCopy> {
    const { group } = this.#parts;
    const headerStatus = queryFileInfoFlags.silentWhenMissing;
    const info = await exchange.call(queryFileInfo, { headerStatus, group, filename: name });
    const place = parseRemoteFilename(name);
    const isInName = crcInName(place?.base ?? "") !== undefined;
    return {
      ...{ directory: "", pathId: "", diskId: "", storePath: place?.storePathIndex ?? 0 },
      ...{ sizeBytes: info.fileSize, modifiedSeconds: info.modifiedAt, crc32: info.crc32 },
      crcFrom: isInName ? "name" : "read",
      ...{ flushedAt: 0, verifiedAt: 0, damaged: "no" },
    };
  }
}

function copyOf(record: FileRecord): Omit<HeldCopy, "storePath" | keyof PathPlace> {
  const { damaged, ...rest } = record;
  return { ...rest, damaged: damaged ?? "no" };
}

function isMissing(error: unknown): boolean {
  if (error instanceof WireStatusError) return error.status === wireStatus.notFound;
  return hasCode<FileStoreErrorCode>(error, "file-missing");
}

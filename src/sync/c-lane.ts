/**
 * Pushes records to a storage of C, one at a time, as C's own senders do (protocol §2.7, §6.2), and around what its receivers do wrong:
 * links go as plain files, the reply to a rename is dropped, a truncation without its file becomes the whole file. Main thread.
 */
import type { OpenedFile, Range } from "#filestore/file-store.ts";
import { crcInName, isTrunkBase } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { ByteSource } from "#net/byte-flow.ts";
import type { FrameClient } from "#net/frame-client.ts";
import { activeTest } from "#protocol/fastdfs/common.ts";
import { queryFileInfo } from "#protocol/fastdfs/storage-files.ts";
import {
  syncAppendFile,
  syncCreateFile,
  syncDeleteFile,
  syncModifyFile,
  syncRenameFile,
  syncTruncateFile,
  syncUpdateFile,
} from "#protocol/fastdfs/storage-sync.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import {
  exists,
  isBehindEnd,
  isNetError,
  openChecked,
  readingFailed,
} from "#sync/local-content.ts";
import {
  type PushedRecord,
  type PushLane,
  type PushOutcome,
  pushed,
  refusal,
  type SyncStore,
} from "#sync/push.ts";

export interface CLaneParts {
  readonly client: FrameClient;
  readonly store: SyncStore;
  readonly group: string;
  /** What goes out, no faster than it may. */
  readonly paced: (source: ByteSource) => ByteSource;
}

type Change = { readonly name: string; readonly timestamp: number };

/** C has read the content before it answers these, so that the connection is as good as before. */
const survives = (status: number): boolean =>
  status === wireStatus.exists || status === wireStatus.notFound;

export class CLane implements PushLane {
  readonly maxRecords = 1;
  readonly #parts: CLaneParts;
  /** The peer had a file that we sent: it is asked before the next ones, as C does. */
  #asksFirst = false;

  constructor(parts: CLaneParts) {
    this.#parts = parts;
  }

  async push(records: readonly PushedRecord[]): Promise<readonly PushOutcome[]> {
    const outcomes: PushOutcome[] = [];
    for (const record of records) outcomes.push(await this.#push(record));
    return outcomes;
  }

  get usable(): boolean {
    return this.#parts.client.usable;
  }

  async keepAlive(): Promise<void> {
    await this.#parts.client.call(activeTest, undefined);
  }

  close(): void {
    this.#parts.client.close();
  }

  async #push({ entry, whole }: PushedRecord): Promise<PushOutcome> {
    const trustsName = entry.kind !== "link";
    try {
      if (whole !== undefined) {
        const outcome = await this.#file(entry, { replaces: whole === "replace", trustsName });
        if (entry.kind !== "rename" || outcome.kind !== "done") return outcome;
        return await this.#delete({ name: entry.oldName, timestamp: entry.timestamp });
      }
      switch (entry.kind) {
        case "create":
        case "link":
          return await this.#file(entry, { replaces: false, trustsName });
        case "update":
          return await this.#file(entry, { replaces: true, trustsName });
        case "delete":
          return await this.#delete(entry);
        case "append":
        case "modify":
          return await this.#range(entry, entry);
        case "truncate":
          return await this.#truncate(entry, entry);
        case "rename":
          if (entry.replica) return await this.#file(entry, { replaces: false, trustsName });
          return await this.#rename(entry, entry.oldName);
      }
    } catch (error) {
      if (error instanceof WireStatusError) return refusal(error.status);
      if (isNetError(error)) throw error;
      const failed = readingFailed(error);
      return failed.kind === "trouble" ? failed.outcome : pushed;
    }
  }

  async #file(
    change: Change,
    { replaces, trustsName }: { readonly replaces: boolean; readonly trustsName: boolean },
  ): Promise<PushOutcome> {
    const { store } = this.#parts;
    const opened = await openChecked(store, change.name, trustsName);
    const packed = isTrunkBase(parseRemoteFilename(change.name)?.base ?? "");
    if (replaces && !packed) return this.#send(change, opened, "update");
    if (!this.#asksFirst) return this.#send(change, opened, "create");
    const there = await this.#sizeThere(change.name);
    if (there === opened.sizeBytes) {
      opened.body.close();
      return this.#announce(change, there);
    }
    return this.#send(change, opened, there === undefined || packed ? "create" : "update");
  }

  async #send(change: Change, opened: OpenedFile, how: "create" | "update"): Promise<PushOutcome> {
    const { client, group, paced } = this.#parts;
    const { name: filename, timestamp } = change;
    const { body } = opened;
    const request = { headerStatus: 0, fileSize: body.length, timestamp, group, filename };
    const message = how === "create" ? syncCreateFile : syncUpdateFile;
    try {
      await client.uploadTo(message, request, { source: paced(body), survives });
    } catch (error) {
      if (!isStatus(error, wireStatus.exists)) throw error;
      this.#asksFirst = true;
    }
    return { kind: "done", bytes: body.length };
  }

  /** The peer has the file: it shall only write its record. */
  async #announce({ name: filename, timestamp }: Change, fileSize: number): Promise<PushOutcome> {
    const { client, group } = this.#parts;
    const headerStatus = wireStatus.exists;
    try {
      await client.announce(syncCreateFile, {
        headerStatus,
        fileSize,
        timestamp,
        group,
        filename,
      });
    } catch (error) {
      if (!isStatus(error, wireStatus.exists)) throw error;
    }
    return pushed;
  }

  async #sizeThere(filename: string): Promise<number | undefined> {
    const { client, group } = this.#parts;
    try {
      // Bit 1 alone: no CRC-32 is computed.
      const found = await client.call(queryFileInfo, { headerStatus: 1, group, filename });
      return found.fileSize;
    } catch (error) {
      if (!isStatus(error, wireStatus.notFound)) throw error;
      this.#asksFirst = false;
      return undefined;
    }
  }

  /** C renames whatever it has: a change of it may have been passed over, since the file was gone here. */
  async #isSame(name: string, there: string): Promise<boolean> {
    const { client, group } = this.#parts;
    const wanted = crcInName(parseRemoteFilename(name)?.base ?? "");
    try {
      const request = { headerStatus: 0, group, filename: there };
      const found = await client.call(queryFileInfo, request);
      return found.crc32 >>> 0 === wanted;
    } catch (error) {
      if (!isStatus(error, wireStatus.notFound)) throw error;
      return false;
    }
  }

  async #delete({ name: filename, timestamp }: Change): Promise<PushOutcome> {
    const { client, group, store } = this.#parts;
    if (await exists(store, filename)) return pushed;
    try {
      await client.call(syncDeleteFile, { timestamp, group, filename });
    } catch (error) {
      if (!isStatus(error, wireStatus.notFound)) throw error;
    }
    return pushed;
  }

  async #range(
    { name: filename, timestamp }: Change,
    change: {
      readonly kind: "append" | "modify";
      readonly offset: number;
      readonly length: number;
    },
  ): Promise<PushOutcome> {
    const { client, group, store, paced } = this.#parts;
    const { offset, length } = change;
    const opened = await openRange(store, filename, { offset, length });
    if (opened === undefined) return pushed;
    const message = change.kind === "append" ? syncAppendFile : syncModifyFile;
    const request = { offset, length, timestamp, group, filename };
    try {
      await client.uploadTo(message, request, { source: paced(opened.body), survives });
    } catch (error) {
      if (isStatus(error, wireStatus.notFound)) return { kind: "whole" };
      if (!isStatus(error, wireStatus.exists)) throw error;
    }
    return { kind: "done", bytes: length };
  }

  async #truncate(
    { name: filename, timestamp }: Change,
    { oldSize, newSize }: { readonly oldSize: number; readonly newSize: number },
  ): Promise<PushOutcome> {
    const { client, group, store } = this.#parts;
    if (!(await exists(store, filename))) return pushed;
    try {
      await client.call(syncTruncateFile, { oldSize, newSize, timestamp, group, filename });
    } catch (error) {
      if (isStatus(error, wireStatus.notFound)) return { kind: "whole" };
      if (!isStatus(error, wireStatus.exists)) throw error;
      // C did nothing, because an append before it was passed over, or because it was sent the file as it is by now.
      return (await this.#isAlike(filename)) ? pushed : { kind: "whole" };
    }
    return pushed;
  }

  /** Whether the peer's file has the size and CRC-32 of ours. */
  async #isAlike(filename: string): Promise<boolean> {
    const { client, group, store } = this.#parts;
    const here = await store.facts(filename, { computeCrc: true });
    const there = await client.call(queryFileInfo, { headerStatus: 0, group, filename });
    return there.fileSize === here.sizeBytes && there.crc32 >>> 0 === here.crc32;
  }

  async #rename({ name: filename, timestamp }: Change, oldFilename: string): Promise<PushOutcome> {
    const { client, group, store } = this.#parts;
    if (!(await exists(store, filename))) return this.#delete({ name: oldFilename, timestamp });
    if (!(await this.#isSame(filename, oldFilename))) return { kind: "whole" };
    try {
      await client.call(syncRenameFile, { timestamp, group, filename, oldFilename });
    } catch (error) {
      if (isStatus(error, wireStatus.notFound)) return { kind: "whole" };
      if (!isStatus(error, wireStatus.exists)) throw error;
    }
    return pushed;
  }
}

/** Undefined where the file is shorter by now. */
async function openRange(
  store: SyncStore,
  name: string,
  range: Range,
): Promise<OpenedFile | undefined> {
  try {
    const opened = await store.open(name, range, { emptyIsFine: true });
    if (opened.sizeBytes >= range.offset + range.length) return opened;
    opened.body.close();
  } catch (error) {
    if (!isBehindEnd(error)) throw error;
  }
  return undefined;
}

function isStatus(error: unknown, status: number): boolean {
  return error instanceof WireStatusError && error.status === status;
}

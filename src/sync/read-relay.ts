/**
 * Reads of files whose disk is not served here: had from an ACTIVE peer and passed on as they come, nothing is kept. Peers are asked for what
 * they have themselves, so that a read goes over one peer at most, and storages of C as well as ours. Main thread.
 */
import { AppError, describeError, hasCode } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { type FileStoreErrorCode, fileStoreError } from "#filestore/errors.ts";
import type { FileFacts, OpenedFile, OpenOptions, Range } from "#filestore/file-store.ts";
import { decodeBase, type FileSource } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";
import { sourceOfBytes } from "#net/byte-flow.ts";
import type { ConnectionPool, Lease } from "#net/connection-pool.ts";
import { FlowSource } from "#net/flow-source.ts";
import type { FrameClient } from "#net/frame-client.ts";
import type { Clock } from "#platform/clock.ts";
import {
  askedOnBehalf,
  downloadFile,
  type FileInfo,
  queryFileInfo,
  queryFileInfoFlags,
} from "#protocol/fastdfs/storage-files.ts";
import { getMetadata } from "#protocol/fastdfs/storage-metadata.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { FetchPeer } from "#sync/file-fetcher.ts";
import { maxRelays, relayAvoidMs, relayTryMs } from "#sync/limits.ts";

export interface ReadRelayParts {
  readonly clock: Clock;
  readonly log: Log;
  /** With room for `maxRelays` connections to a peer. */
  readonly pool: ConnectionPool;
  readonly group: string;
  readonly sourceId: (source: FileSource) => StorageId | "self" | undefined;
  readonly peers: () => readonly FetchPeer[];
  /** For each step of an exchange once it has begun. */
  readonly networkTimeoutMs: number;
  /** Whoever asked is answered after this at the latest, or has the first bytes. */
  readonly deadlineMs: number;
}

export interface RelayCounts {
  relayed: number;
  /** Nobody could be asked, or had it. */
  failed: number;
}

/** One exchange with one peer, or two; `lease` is given back by the caller unless it was `kept`. */
type Ask<Result> = (client: FrameClient, keep: () => (isWhole: boolean) => void) => Promise<Result>;

export class ReadRelay {
  readonly #parts: ReadRelayParts;
  readonly #avoided = new Map<StorageId, number>();
  #underWay = 0;
  #turn = 0;
  readonly counts: RelayCounts = { relayed: 0, failed: 0 };

  constructor(parts: ReadRelayParts) {
    this.#parts = parts;
  }

  /** As `FileStore.open`. Rejects with `refusal` where no peer gives it. */
  open(
    name: string,
    how: OpenOptions & { readonly range: Range },
    refusal: unknown,
  ): Promise<OpenedFile> {
    return this.#ask(name, refusal, (client, keep) => this.#open(client, keep, { ...how, name }));
  }

  /** As `FileStore.facts`. */
  facts(
    name: string,
    { computeCrc }: { readonly computeCrc: boolean },
    refusal: unknown,
  ): Promise<FileFacts> {
    return this.#ask(name, refusal, async (client) => {
      const found = await this.#facts(client, name, computeCrc);
      const { fileSize: sizeBytes, modifiedAt: modifiedSeconds, crc32 } = found;
      return { sizeBytes, modifiedSeconds, crc32 };
    });
  }

  /** As `FileStore.readMetadata`. */
  readMetadata(name: string, refusal: unknown): Promise<Uint8Array> {
    const { group } = this.#parts;
    return this.#ask(name, refusal, async (client) => {
      try {
        const request = { headerStatus: askedOnBehalf, group, filename: name };
        return (await client.call(getMetadata, request)).metadata;
      } catch (error) {
        if (!hasStatus(error, wireStatus.notFound)) throw error;
        // Either has none; a peer that has the file knows.
        await this.#facts(client, name, false);
        throw fileStoreError("file-missing", `${name} has no metadata`, { cause: error });
      }
    });
  }

  async #open(
    client: FrameClient,
    keep: () => (isWhole: boolean) => void,
    how: OpenOptions & { readonly range: Range; readonly name: string },
  ): Promise<OpenedFile> {
    const { name: filename, range, sizeInName, emptyIsFine = false } = how;
    const known =
      sizeInName === undefined || emptyIsFine
        ? await this.#facts(client, filename, false)
        : undefined;
    const facts = {
      sizeBytes: known?.fileSize ?? sizeInName ?? 0,
      modifiedSeconds: known?.modifiedAt ?? 0,
    };
    if (known !== undefined && range.offset >= known.fileSize) {
      if (!emptyIsFine) throw pastEnd(filename);
      return { ...facts, body: sourceOfBytes(new Uint8Array(0)) };
    }
    const { group, networkTimeoutMs } = this.#parts;
    const request = { headerStatus: askedOnBehalf, group, filename, ...range };
    const flow = await client.download(downloadFile, request).catch((error: unknown) => {
      // A peer without this store path says so as well.
      const isRange = hasStatus(error, wireStatus.invalid) && range.offset > 0;
      throw isRange ? pastEnd(filename) : error;
    });
    client.timeoutMs = networkTimeoutMs;
    return { ...facts, body: new FlowSource(flow, keep()) };
  }

  #facts(client: FrameClient, filename: string, computeCrc: boolean): Promise<FileInfo> {
    const { silentWhenMissing, withoutCrc32 } = queryFileInfoFlags;
    const headerStatus = askedOnBehalf | silentWhenMissing | (computeCrc ? 0 : withoutCrc32);
    return client.call(queryFileInfo, { headerStatus, group: this.#parts.group, filename });
  }

  async #ask<Result>(name: string, refusal: unknown, ask: Ask<Result>): Promise<Result> {
    if (this.#underWay >= maxRelays) throw refusal;
    this.#underWay += 1;
    let isKept = false;
    const { clock, deadlineMs } = this.#parts;
    const untilMs = clock.monotonicMs() + deadlineMs;
    const onEnd = (): void => {
      this.#underWay -= 1;
    };
    const keep = (): (() => void) => {
      isKept = true;
      return onEnd;
    };
    try {
      for (const peer of this.#inOrder(name)) {
        const found = await this.#askOne(peer, { untilMs, ask, keep });
        if (found === undefined) continue;
        this.counts.relayed += 1;
        return found.result;
      }
    } finally {
      if (!isKept) onEnd();
    }
    this.counts.failed += 1;
    throw refusal;
  }

  /** Undefined where another peer may do better. */
  async #askOne<Result>(
    peer: FetchPeer,
    how: {
      readonly untilMs: number;
      readonly ask: Ask<Result>;
      readonly keep: () => () => void;
    },
  ): Promise<{ readonly result: Result } | undefined> {
    const { log } = this.#parts;
    for (const address of peer.addresses) {
      try {
        return { result: await this.#askAt({ address, port: peer.port }, how) };
      } catch (error) {
        if (error instanceof AppError && isAnswer(error)) throw error;
        log.debug("read-not-relayed", { peer: peer.id, why: describeError(error) });
        if (error instanceof WireStatusError) return undefined;
        this.#avoid(peer.id);
      }
    }
    return undefined;
  }

  async #askAt<Result>(
    where: { readonly address: string; readonly port: number },
    how: {
      readonly untilMs: number;
      readonly ask: Ask<Result>;
      readonly keep: () => () => void;
    },
  ): Promise<Result> {
    const { clock, pool } = this.#parts;
    const restMs = Math.min(relayTryMs, how.untilMs - clock.monotonicMs());
    if (restMs <= 0) throw new Error("it took too long");
    const late = new AbortController();
    let lease: Lease | undefined;
    const timer = clock.after(restMs, () => {
      late.abort(new Error("it did not answer in time"));
      lease?.drop();
    });
    let isKept = false;
    try {
      lease = await pool.lease(where, { signal: late.signal });
      late.signal.throwIfAborted();
      const { client } = lease;
      const held = lease;
      return await how.ask(client, () => {
        isKept = true;
        const onEnd = how.keep();
        return (isWhole) => {
          if (isWhole) held.giveBack();
          else held.drop();
          onEnd();
        };
      });
    } catch (error) {
      if (!keepsConnection(error)) lease?.drop();
      throw error;
    } finally {
      timer.cancel();
      if (!isKept) lease?.giveBack();
    }
  }

  /** The source of the file first, those that did not answer a moment ago last, the others in turn. */
  #inOrder(name: string): readonly FetchPeer[] {
    const now = this.#parts.clock.monotonicMs();
    const named = decodeBase(parseRemoteFilename(name)?.base ?? "")?.source;
    const source = named === undefined ? undefined : this.#parts.sourceId(named);
    const peers = this.#parts
      .peers()
      .filter(({ status, port }) => status === storageStatus.active && port !== 0);
    this.#turn = peers.length === 0 ? 0 : (this.#turn + 1) % peers.length;
    const turned = [...peers.slice(this.#turn), ...peers.slice(0, this.#turn)];
    const rank = ({ id }: FetchPeer): number => {
      if ((this.#avoided.get(id) ?? 0) > now) return 2;
      return id === source ? 0 : 1;
    };
    return turned.sort((one, other) => rank(one) - rank(other));
  }

  #avoid(id: StorageId): void {
    const now = this.#parts.clock.monotonicMs();
    for (const [known, until] of this.#avoided) if (until <= now) this.#avoided.delete(known);
    this.#avoided.set(id, now + relayAvoidMs);
  }
}

/** The disk, not the file, is why nothing was read. */
export function isOfDisk(error: unknown): boolean {
  return diskCodes.some((code) => hasCode(error, code));
}

const diskCodes: readonly FileStoreErrorCode[] = [
  "disk-failed",
  "store-path-offline",
  "store-path-unready",
];

/** A peer that has the file has told: nobody else need be asked. */
function isAnswer({ code }: AppError): boolean {
  const answers: readonly string[] = [
    "file-missing",
    "file-invalid",
  ] satisfies FileStoreErrorCode[];
  return answers.includes(code);
}

/** After an answer, whatever it says, the next exchange may follow. */
function keepsConnection(error: unknown): boolean {
  return error instanceof WireStatusError || (error instanceof AppError && isAnswer(error));
}

function hasStatus(error: unknown, status: number): boolean {
  return error instanceof WireStatusError && error.status === status;
}

function pastEnd(name: string): AppError<FileStoreErrorCode> {
  return fileStoreError("file-invalid", `the range begins behind the end of ${name}`);
}

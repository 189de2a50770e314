/**
 * Gets a file that is asked for and not here from a peer that has it, and keeps it; and a good copy of one that is here and cannot be read.
 * One fetch of a name at a time. A file that the position of its source says to be here is gone, and nobody is asked. That a file is
 * nowhere is said only when its source has said so, or every member of the group, as far as trackers have told who they are. Main thread.
 */
import { describeError, hasCode } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import type { FileStoreErrorCode } from "#filestore/errors.ts";
import { crcInName, decodeBase, type FileSource } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { StorageId } from "#model/storage-id.ts";
import { type StorageStatus, storageStatus } from "#model/storage-status.ts";
import type { ByteFlow } from "#net/byte-flow.ts";
import type { ConnectionPool, Lease, Server } from "#net/connection-pool.ts";
import { type Clock, delay, nowSeconds } from "#platform/clock.ts";
import { narrowAddresses, WireReader } from "#protocol/codec.ts";
import { downloadFile, queryFileInfo } from "#protocol/fastdfs/storage-files.ts";
import { fetchFile } from "#protocol/peer/replication.ts";
import { fetchedHead, fetchedHeadBytes } from "#protocol/peer/sync-record.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { headOf } from "#sync/headed-flow.ts";
import type { HeldPositions } from "#sync/held-positions.ts";
import { absenceMs, awayMs, maxAbsences, maxFetches, maxFetchesWaiting } from "#sync/limits.ts";
import type { SyncStore } from "#sync/push.ts";
import { isGivenOnce } from "#sync/sync-record.ts";
import type { Tombstones } from "#sync/tombstones.ts";

export interface FetchPeer {
  readonly id: StorageId;
  readonly addresses: readonly string[];
  /** 0 where it is not known. */
  readonly port: number;
  readonly status: StorageStatus;
  /** Undefined where it is not known whether it is one of ours. */
  readonly cairn: boolean | undefined;
}

export interface FileFetcherParts {
  readonly store: SyncStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly pool: ConnectionPool;
  readonly group: string;
  readonly ownId: () => StorageId | undefined;
  /** Who a name calls its source; `self` where that is this storage. */
  readonly sourceId: (source: FileSource) => StorageId | "self" | undefined;
  /** All members of the group but this storage, those that are away among them. */
  readonly peers: () => readonly FetchPeer[];
  /** False as long as there may be members of which no tracker has told since the start. */
  readonly knowsMembers: () => boolean;
  /** Whether trackers know a source of which nothing was told here; rejects where none can say. */
  readonly isMember: (source: FileSource) => Promise<boolean>;
  readonly held: HeldPositions;
  readonly tombstones: Tombstones;
  /** It was here, and was set aside because it is damaged: it is worth asking for, whatever else says that it would be here. */
  readonly isAside?: (name: string) => boolean;
  /** Whoever asked is answered after this at the latest; the fetch goes on. */
  readonly deadlineMs: number;
}

export type FetchResult =
  /** It is here now. */
  | "fetched"
  /** Nobody has it. */
  | "missing"
  /** Somebody who may have it could not be asked, or did not answer in time. */
  | "unknown";

export interface FetchCounts {
  fetched: number;
  missing: number;
  failed: number;
  bytes: number;
}

export class FileFetcher {
  readonly #parts: FileFetcherParts;
  readonly #underWay = new Map<string, Promise<FetchResult>>();
  /** Names that nobody had, until when nobody is asked again. */
  readonly #absent = new Map<string, number>();
  /** Members that could not be reached while trackers called them away, until when they are not tried again. */
  readonly #away = new Map<StorageId, number>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  readonly counts: FetchCounts = { fetched: 0, missing: 0, failed: 0, bytes: 0 };

  constructor(parts: FileFetcherParts) {
    this.#parts = parts;
  }

  /** For a name that is not here. Never rejects. */
  async fetch(name: string): Promise<FetchResult> {
    if (!this.isWorthAsking(name)) return "missing";
    const known = this.#underWay.get(name);
    if (known === undefined && this.#running >= maxFetches) {
      if (this.#waiting.length >= maxFetchesWaiting) return "unknown";
    }
    const fetching = known ?? this.#begin(name, "create");
    const { clock, deadlineMs } = this.#parts;
    const ended = new AbortController();
    const late = delay(clock, deadlineMs, ended.signal).then(
      (): FetchResult => "unknown",
      (): FetchResult => "unknown",
    );
    try {
      return await Promise.race([fetching, late]);
    } finally {
      ended.abort();
    }
  }

  /** A good copy in place of one that cannot be read here. True when it is here now. */
  async heal(name: string): Promise<boolean> {
    return (await this.restore(name)) === "fetched";
  }

  /** As `heal`, and says whether somebody may have a good copy who could not be asked. */
  async restore(name: string): Promise<FetchResult> {
    if (parseRemoteFilename(name) === undefined) return "missing";
    return await (this.#underWay.get(name) ?? this.#begin(name, "replace"));
  }

  /**
   * The file as `from` alone has it, in place of what is here, which a change of it did not fit. `unknown` where it could not be had now.
   * Never rejects.
   */
  async replace(name: string, from: StorageId): Promise<FetchResult> {
    if (parseRemoteFilename(name) === undefined) return "missing";
    // What is under way may have begun before the change.
    while (this.#underWay.has(name)) await this.#underWay.get(name);
    return this.#begin(name, "replace", from);
  }

  /** The version of `from`, where it is later than what is here. True when what is here is not older any more. */
  async adopt(name: string, from: StorageId): Promise<boolean> {
    if (parseRemoteFilename(name) === undefined) return false;
    while (this.#underWay.has(name)) await this.#underWay.get(name);
    // Where it is gone by now, its deletion will be told.
    return (await this.#begin(name, "later", from)) !== "unknown";
  }

  /** The group is another one: whoever came may have what nobody had. */
  forgetAbsences(): void {
    this.#absent.clear();
  }

  /** False for a name that, where it is not here, is nowhere. */
  isWorthAsking(name: string): boolean {
    const { held, sourceId, clock, tombstones } = this.#parts;
    const place = parseRemoteFilename(name);
    const decoded = place === undefined ? undefined : decodeBase(place.base);
    if (decoded === undefined) return false;
    const until = this.#absent.get(name);
    if (until !== undefined && until > clock.monotonicMs()) return false;
    if (tombstones.has(name, clock.monotonicMs())) return false;
    if (this.#isAside(name)) return true;
    if (decoded.isSlave || held.suspended !== undefined) return true;
    const source = sourceId(decoded.source);
    if (source === undefined) return true;
    // What was made here and is not here was deleted.
    if (source === "self") return false;
    const position = held.of(source);
    if (position === undefined || position.gaps > 0) return true;
    return decoded.timestamp >= position.heldUntil;
  }

  #begin(name: string, mode: FetchMode, from?: StorageId): Promise<FetchResult> {
    const fetching = this.#inTurn(() => this.#ask(name, mode, from)).finally(() => {
      this.#underWay.delete(name);
    });
    this.#underWay.set(name, fetching);
    return fetching;
  }

  async #inTurn(work: () => Promise<FetchResult>): Promise<FetchResult> {
    if (this.#running >= maxFetches) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** `from` alone where it is given, else everybody who may have it. */
  async #ask(name: string, mode: FetchMode, from: StorageId | undefined): Promise<FetchResult> {
    const answers: Answers = { saidNo: new Set(), troubled: false };
    const asked =
      from === undefined
        ? this.#inOrder(name)
        : this.#parts.peers().filter(({ id }) => id === from);
    for (const peer of asked) {
      try {
        if (await this.#askOne(peer, name, mode)) {
          this.counts.fetched += 1;
          return "fetched";
        }
        answers.saidNo.add(peer.id);
      } catch (error) {
        if (!hasCode(error, "peer-unreachable")) answers.troubled = true;
        const why = describeError(error);
        this.#parts.log.notice("file-not-fetched", { peer: peer.id, file: name, why });
      }
    }
    const isCertain =
      from === undefined ? await this.#isNowhere(name, answers) : answers.saidNo.has(from);
    if (!isCertain) {
      this.counts.failed += 1;
      return "unknown";
    }
    this.counts.missing += 1;
    // Slaves and metadata can be made under their names at any time.
    if (mode === "create" && isGivenOnce(name)) this.#rememberAbsence(name);
    return "missing";
  }

  /**
   * Those that are away do not count where the source has said that it does not have the file; else each of them may be the one that has
   * it, also a member of which we have not heard yet.
   */
  async #isNowhere(name: string, { saidNo, troubled }: Answers): Promise<boolean> {
    const { held, peers, knowsMembers, isMember, log } = this.#parts;
    const named = sourceOf(name);
    const source = this.#sourceId(named);
    const isCertain = held.suspended === undefined && !this.#isAside(name);
    if (source === "self" && isCertain) return !troubled;
    const others = peers();
    const isSource = ({ id, status }: FetchPeer): boolean => id === source && isInService(status);
    if (others.some((peer) => isSource(peer) && saidNo.has(peer.id))) return true;
    if (!knowsMembers() || !others.every(({ id }) => saidNo.has(id))) return false;
    if (named === undefined || source !== undefined) return true;
    try {
      return !(await isMember(named));
    } catch (error) {
      log.notice("source-unknown", { file: name, why: describeError(error) });
      return false;
    }
  }

  #isAside(name: string): boolean {
    return this.#parts.isAside?.(name) === true;
  }

  #sourceId(source: FileSource | undefined): StorageId | "self" | undefined {
    return source === undefined ? undefined : this.#parts.sourceId(source);
  }

  /** The source first, in service or not: it may be back before trackers say so. Of the others those that are in service. */
  #inOrder(name: string): readonly FetchPeer[] {
    const now = this.#parts.clock.monotonicMs();
    const source = this.#sourceId(sourceOf(name));
    const isSource = ({ id }: FetchPeer): number => Number(id === source);
    return this.#parts
      .peers()
      .filter((peer) => {
        if (peer.port === 0) return false;
        return (
          isInService(peer.status) || (isSource(peer) && (this.#away.get(peer.id) ?? 0) <= now)
        );
      })
      .sort((one, other) => isSource(other) - isSource(one));
  }

  /** False where the peer does not have it. Rejects where it cannot be asked, or what it sent is no good. */
  async #askOne(peer: FetchPeer, name: string, mode: FetchMode): Promise<boolean> {
    let failure: unknown = new Error("nobody knows where it is");
    for (const address of peer.addresses) {
      const where = { address, port: peer.port };
      try {
        return await this.#askAt(where, peer, { name, mode });
      } catch (error) {
        if (!hasCode(error, "peer-unreachable")) throw error;
        failure = error;
      }
    }
    this.#away.set(peer.id, this.#parts.clock.monotonicMs() + awayMs);
    throw failure;
  }

  async #askAt(where: Server, peer: FetchPeer, file: Wanted): Promise<boolean> {
    if (peer.cairn !== false) {
      const lease = await this.#parts.pool.lease(where);
      try {
        const found = await this.#fromCairn(lease, file);
        lease.giveBack();
        return found;
      } catch (error) {
        const keeps = error instanceof WireStatusError;
        if (keeps) lease.giveBack();
        else lease.drop();
        if (!keeps || error.status !== wireStatus.invalid) return isMissing(error);
      }
    }
    const lease = await this.#parts.pool.lease(where);
    try {
      const found = await this.#fromC(lease, file);
      lease.giveBack();
      return found;
    } catch (error) {
      lease.drop();
      return isMissing(error);
    }
  }

  async #fromCairn({ client }: Lease, file: Wanted): Promise<boolean> {
    const { group, ownId } = this.#parts;
    const request = { group, id: ownId() ?? "", filename: file.name };
    const flow = await client.download(fetchFile, request);
    const { head, body } = await headOf(flow, fetchedHeadBytes);
    const facts = fetchedHead.decode(new WireReader(head), narrowAddresses);
    await this.#keep(file, { timestamp: facts.modifiedSeconds, crc32: facts.crc32 }, body);
    return true;
  }

  async #fromC({ client }: Lease, file: Wanted): Promise<boolean> {
    const { group } = this.#parts;
    const { name: filename } = file;
    // C has no such thing for metadata, and cannot deliver an empty file.
    const facts = await client.call(queryFileInfo, { headerStatus: 2, group, filename });
    const named = crcInName(parseRemoteFilename(filename)?.base ?? "");
    const crc32 = named === undefined ? facts.crc32 >>> 0 : undefined;
    const about = { timestamp: facts.modifiedAt, crc32 };
    if (facts.fileSize === 0) {
      await this.#keep(file, about, emptyFlow);
      return true;
    }
    const range = { offset: 0, length: 0 };
    await this.#keep(
      file,
      about,
      await client.download(downloadFile, { ...range, group, filename }),
    );
    return true;
  }

  async #keep(
    { name, mode }: Wanted,
    about: { readonly timestamp: number; readonly crc32: number | undefined },
    body: ByteFlow,
  ): Promise<void> {
    const { store, tombstones, clock } = this.#parts;
    const versioned = mode === "later";
    const kept = { name, mode: versioned ? "replace" : mode, versioned, ...about } as const;
    await store.storeReplica(kept, body);
    if (tombstones.has(name, clock.monotonicMs())) {
      // Deleted here while it was on its way.
      await store.removeReplica({ name, timestamp: nowSeconds(clock) });
    }
    this.counts.bytes += body.length;
  }

  #rememberAbsence(name: string): void {
    if (this.#absent.size >= maxAbsences) {
      const [oldest] = this.#absent.keys();
      if (oldest !== undefined) this.#absent.delete(oldest);
    }
    this.#absent.delete(name);
    this.#absent.set(name, this.#parts.clock.monotonicMs() + absenceMs);
  }
}

/** `later`: replaces what is here where that is an older version. */
type FetchMode = "create" | "replace" | "later";

interface Wanted {
  readonly name: string;
  readonly mode: FetchMode;
}

/** What became of asking for a file that nobody gave. */
interface Answers {
  readonly saidNo: Set<StorageId>;
  /** Somebody who was reached failed to tell. */
  troubled: boolean;
}

const emptyFlow: ByteFlow = { length: 0, drainTo: async () => {}, resume: () => {} };

/** Who made the file that the name is of, or belongs to; undefined where the name does not say. */
function sourceOf(name: string): FileSource | undefined {
  return decodeBase(parseRemoteFilename(name)?.base ?? "")?.source;
}

function isInService(status: StorageStatus): boolean {
  return status === storageStatus.active || status === storageStatus.online;
}

/** False for "there is none"; rejects with anything else. */
function isMissing(error: unknown): false {
  if (error instanceof WireStatusError && error.status === wireStatus.notFound) return false;
  throw error;
}

/** True for what `fetch` may help with. */
export function isMissingHere(error: unknown): boolean {
  return hasCode<FileStoreErrorCode>(error, "file-missing");
}

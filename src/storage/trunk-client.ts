/**
 * Asking the group's trunk server for slots, wherever it is, this storage included (protocol §2.8, §4.4). A server that cannot be reached is
 * left alone for a while: files are stored as files of their own then. What it has to know all the same, namely what became of slots, is told
 * later. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { maxTrunkFileBytes } from "#filestore/packing.ts";
import type { SlotOutcome, SlotSource } from "#filestore/slot-source.ts";
import type { GroupName } from "#model/group-name.ts";
import { type TrunkLocation, trunkHeaderSize } from "#model/trunk-location.ts";
import { ConnectionPool } from "#net/connection-pool.ts";
import type { FrameClient } from "#net/frame-client.ts";
import { type Clock, delay, type Timer } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import {
  trunkAllocConfirm,
  trunkAllocSpace,
  trunkFreeSpace,
} from "#protocol/fastdfs/storage-trunk.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { TrunkServer } from "#storage/trunk-server.ts";

/** An upload waits for its slot no longer than this, and then is stored otherwise. */
const answerLimitMs = 3000;
/** A server that did not answer is not asked for so long. */
const restMs = 5000;
const tellAgainMs = 5000;
/** At the end. */
const lastWordsLimitMs = 1000;
/** More than these are forgotten: their slots stay unused until the trunk server loads its binlog anew. */
const maxOwed = 10_000;

export interface TrunkServerPlace {
  readonly address: string;
  readonly port: number;
}

export interface TrunkClientParts {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  readonly group: GroupName;
  readonly own: TrunkServer;
  /** "own" where this storage is it; undefined where there is none. */
  readonly server: () => TrunkServerPlace | "own" | undefined;
}

/** What the trunk server has to know, now or later. */
interface News {
  readonly kind: "confirm" | "free";
  readonly location: TrunkLocation;
  /** Of `confirm`: what became of the slot. */
  readonly status: number;
  /** How often the server did not want to hear it. */
  refusals: number;
}

/** A storage that has just become the trunk server says so to others before it knows, or is ready. */
const notYet: readonly number[] = [wireStatus.invalid, wireStatus.tryAgain, wireStatus.ioError];
/** With the pauses between them this is a minute. */
const maxRefusals = 12;

const statusOf: Readonly<Record<SlotOutcome, number>> = {
  kept: wireStatus.ok,
  occupied: wireStatus.exists,
  unused: wireStatus.ioError,
};

export class TrunkClient implements SlotSource {
  readonly #parts: TrunkClientParts;
  readonly #pool: ConnectionPool;
  /** In order; told one after the other. */
  readonly #owed: News[] = [];
  #telling: Promise<void> | undefined;
  #timer: Timer | undefined;
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #failing = false;
  #closed = false;

  constructor(parts: TrunkClientParts) {
    this.#parts = parts;
    const { network, clock } = parts;
    this.#pool = new ConnectionPool({
      network,
      clock,
      limits: {
        connectTimeoutMs: answerLimitMs,
        networkTimeoutMs: answerLimitMs,
        maxPerServer: 32,
        maxWaitingPerServer: 1024,
        maxIdlePerServer: 32,
        maxIdleMs: 60_000,
        testAfterIdleMs: 10_000,
      },
    });
  }

  /** What has not been told yet. */
  get owed(): number {
    return this.#owed.length;
  }

  async allocate(storePathIndex: number, sizeBytes: number): Promise<TrunkLocation | undefined> {
    const { own, group, clock } = this.#parts;
    const size = sizeBytes + trunkHeaderSize;
    try {
      const server = this.#parts.server();
      if (server === undefined) return undefined;
      if (server === "own") {
        const slot = await own.allocate(storePathIndex, size);
        this.#worksAgain();
        return slot;
      }
      if (clock.monotonicMs() < this.#restUntilMs) return undefined;
      const request = { group, size, storePathIndex };
      const location = await this.#ask(server, (client) => client.call(trunkAllocSpace, request));
      this.#worksAgain();
      return isFor(location, storePathIndex, size) ? location : undefined;
    } catch (error) {
      this.#fails(error);
      return undefined;
    }
  }

  async confirm(location: TrunkLocation, outcome: SlotOutcome): Promise<void> {
    await this.#tell({ kind: "confirm", location, status: statusOf[outcome], refusals: 0 });
  }

  async free(location: TrunkLocation): Promise<void> {
    await this.#tell({ kind: "free", location, status: 0, refusals: 0 });
  }

  get isReady(): boolean {
    const { own, clock } = this.#parts;
    const server = this.#parts.server();
    if (server === undefined || this.#owed.length > 0) return false;
    return server === "own" ? own.state === "serving" : clock.monotonicMs() >= this.#restUntilMs;
  }

  /** Tells what is left to be told, unless that takes long. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const told = this.#telling ?? this.#tellOwed();
    await Promise.race([told, delay(this.#parts.clock, lastWordsLimitMs)]);
    this.#closed = true;
    this.#pool.close();
  }

  async #tell(news: News): Promise<void> {
    // Where others wait they come first: a slot that is freed before it was confirmed would be lost.
    if (this.#owed.length === 0 && (await this.#told(news))) return;
    if (this.#owed.length >= maxOwed) {
      this.#owed.shift();
      this.#parts.log.warn("trunk-slot-forgotten", { limit: maxOwed });
    }
    this.#owed.push(news);
    this.#tellLater();
  }

  #tellLater(): void {
    if (this.#closed || this.#timer !== undefined || this.#telling !== undefined) return;
    this.#timer = this.#parts.clock.after(tellAgainMs, () => {
      this.#timer = undefined;
      this.#telling = this.#tellOwed().finally(() => {
        this.#telling = undefined;
        if (this.#owed.length > 0) this.#tellLater();
      });
    });
  }

  async #tellOwed(): Promise<void> {
    for (;;) {
      const [news] = this.#owed;
      if (news === undefined || this.#closed || !(await this.#told(news))) return;
      if (this.#owed[0] === news) this.#owed.shift();
    }
  }

  /** False where it has to be told again. */
  async #told(news: News): Promise<boolean> {
    const { own, log, group } = this.#parts;
    const { location } = news;
    try {
      const server = this.#parts.server();
      if (server === undefined) return false;
      if (server === "own") {
        if (own.state !== "serving") return false;
        if (news.kind === "free") own.free(location);
        else await own.confirm(location, news.status);
        return true;
      }
      await this.#ask(server, (client) =>
        news.kind === "free"
          ? client.call(trunkFreeSpace, { group, location })
          : client.call(trunkAllocConfirm, { headerStatus: news.status, group, location }),
      );
      return true;
    } catch (error) {
      if (!(error instanceof WireStatusError)) {
        this.#fails(error);
        return false;
      }
      news.refusals += 1;
      if (notYet.includes(error.status) && news.refusals < maxRefusals) return false;
      // The server's last word, such as that another one gave the slot: saying it again changes nothing.
      const { kind } = news;
      log.debug("trunk-news-refused", { kind, status: error.status, fileId: location.fileId });
      return true;
    }
  }

  /** A connection that served before may be dead without our knowing: then a fresh one is tried. */
  async #ask<Reply>(
    server: TrunkServerPlace,
    exchange: (client: FrameClient) => Promise<Reply>,
  ): Promise<Reply> {
    for (let fresh = false; ; fresh = true) {
      const lease = await this.#pool.lease(server, { fresh });
      try {
        const reply = await exchange(lease.client);
        lease.giveBack();
        return reply;
      } catch (error) {
        if (error instanceof WireStatusError) {
          lease.giveBack();
          throw error;
        }
        lease.drop();
        if (!lease.reused) throw error;
      }
    }
  }

  #fails(error: unknown): void {
    const { clock, log } = this.#parts;
    if (!(error instanceof WireStatusError)) this.#restUntilMs = clock.monotonicMs() + restMs;
    if (this.#failing) return;
    this.#failing = true;
    log.warn("trunk-server-fails", { why: describeError(error) });
  }

  #worksAgain(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#parts.log.notice("trunk-server-works-again");
  }
}

/** What a server gives has to be what was asked for. */
function isFor(location: TrunkLocation, storePathIndex: number, size: number): boolean {
  const { fileId, offset } = location;
  const exists = fileId > 0 && offset + location.size <= maxTrunkFileBytes;
  return exists && location.storePathIndex === storePathIndex && location.size >= size;
}

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
import { isRepeatable, type News, OwedNews } from "#storage/owed-news.ts";
import type { TrunkServer } from "#storage/trunk-server.ts";

/** An upload waits for its slot no longer than this, and then is stored otherwise. */
const answerLimitMs = 3000;
/** A server that did not answer is not asked for so long. */
const restMs = 5000;
const tellAgainMs = 5000;
/** At the end. */
const lastWordsLimitMs = 1000;

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
  /** Where what is not told yet is kept. */
  readonly disk: ConstructorParameters<typeof OwedNews>[0];
  /** "own" where this storage is it; undefined where there is none. */
  readonly server: () => TrunkServerPlace | "own" | undefined;
  /** False where that one's slots are not to be taken; left out: they are. */
  readonly takesSlots?: () => boolean;
}

interface Exchange {
  /** May be tried again where nobody knows whether it was heard. */
  readonly repeatable: boolean;
  /** Something of it may have reached the server. */
  sent: boolean;
}

/** A storage that has just become the trunk server says so to others before it knows, or is ready. */
const notYet: readonly number[] = [wireStatus.invalid, wireStatus.tryAgain, wireStatus.ioError];
/** Beside the first one; with the pauses between them this is a minute. */
const maxRefusals = 11;

const statusOf: Readonly<Record<SlotOutcome, number>> = {
  kept: wireStatus.ok,
  occupied: wireStatus.exists,
  unused: wireStatus.ioError,
};

export class TrunkClient implements SlotSource {
  readonly #parts: TrunkClientParts;
  readonly #pool: ConnectionPool;
  /** In order; told one after the other. */
  readonly #owed: OwedNews;
  #telling: Promise<void> | undefined;
  #timer: Timer | undefined;
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #failing = false;
  #closed = false;

  constructor(parts: TrunkClientParts) {
    this.#parts = parts;
    const { network, clock } = parts;
    this.#owed = new OwedNews(parts.disk, parts.log);
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

  /** Goes on with what an earlier run has not told. */
  start(): void {
    this.#tellNow();
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
      if (clock.monotonicMs() < this.#restUntilMs || !this.#takesSlots) return undefined;
      const request = { group, size, storePathIndex };
      const ask = (client: FrameClient) => client.call(trunkAllocSpace, request);
      const location = await this.#ask(server, ask, { repeatable: true, sent: false });
      this.#worksAgain();
      return isFor(location, storePathIndex, size) ? location : undefined;
    } catch (error) {
      this.#fails(error);
      return undefined;
    }
  }

  async confirm(location: TrunkLocation, outcome: SlotOutcome): Promise<void> {
    await this.#tell({ kind: "confirm", location, status: statusOf[outcome] });
  }

  async free(location: TrunkLocation): Promise<void> {
    await this.#tell({ kind: "free", location, status: 0 });
  }

  get isReady(): boolean {
    const { own, clock } = this.#parts;
    const server = this.#parts.server();
    if (server === undefined || this.#owed.length > 0) return false;
    return server === "own" ? own.state === "serving" : clock.monotonicMs() >= this.#restUntilMs;
  }

  get #takesSlots(): boolean {
    return this.#parts.takesSlots?.() ?? true;
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
    if (!this.#owed.isLoaded) await this.#owed.load();
    if (this.#owed.length === 0 && (await this.#say(news)) === "heard") return;
    await this.#owed.push(news);
    this.#tellSoon();
  }

  #tellSoon(): void {
    if (this.#closed || this.#timer !== undefined || this.#telling !== undefined) return;
    this.#timer = this.#parts.clock.after(tellAgainMs, () => {
      this.#timer = undefined;
      this.#tellNow();
    });
  }

  #tellNow(): void {
    this.#telling = this.#tellOwed().finally(() => {
      this.#telling = undefined;
      if (this.#owed.length > 0 || !this.#owed.isLoaded) this.#tellSoon();
    });
  }

  async #tellOwed(): Promise<void> {
    await this.#owed.load();
    for (;;) {
      const { first } = this.#owed;
      if (first === undefined || this.#closed || this.#parts.server() === undefined) return;
      if (!(await this.#owed.saying(first))) return;
      const outcome = await this.#say(first);
      if (outcome === "refused") first.refusals += 1;
      if (outcome === "heard" || first.refusals >= maxRefusals) {
        await this.#owed.settled(first);
        continue;
      }
      await this.#owed.notSaid(first);
      return;
    }
  }

  /**
   * `heard` where it must not be said again, whatever came of it; `unsaid` where nothing reached the server; `refused` where it did not want
   * to hear it yet.
   */
  async #say(news: News): Promise<"heard" | "unsaid" | "refused"> {
    const { own } = this.#parts;
    const server = this.#parts.server();
    if (server === undefined) return "unsaid";
    if (server === "own" && own.state !== "serving") return "unsaid";
    const exchange = { repeatable: isRepeatable(news), sent: server === "own" };
    try {
      if (server !== "own") await this.#sayThere(server, news, exchange);
      else if (news.kind === "free") own.free(news.location);
      else await own.confirm(news.location, news.status);
      return "heard";
    } catch (error) {
      return this.#outcomeOf(error, news, exchange);
    }
  }

  async #sayThere(server: TrunkServerPlace, news: News, exchange: Exchange): Promise<void> {
    const { group } = this.#parts;
    const { location, status } = news;
    await this.#ask(
      server,
      (client) =>
        news.kind === "free"
          ? client.call(trunkFreeSpace, { group, location })
          : client.call(trunkAllocConfirm, { headerStatus: status, group, location }),
      exchange,
    );
  }

  #outcomeOf(
    error: unknown,
    { kind, location }: News,
    { repeatable, sent }: Exchange,
  ): "heard" | "unsaid" | "refused" {
    const { log } = this.#parts;
    const { fileId, offset } = location;
    if (!(error instanceof WireStatusError)) {
      this.#fails(error);
      if (repeatable || !sent) return "unsaid";
      // It may have been heard, and the slot be given to somebody else by now.
      log.warn("trunk-slot-left", { kind, fileId, offset, why: describeError(error) });
      return "heard";
    }
    const { status } = error;
    // With 5 it was heard, and is not written down; without a slot that is held there is nothing to be done.
    const isDone = status === wireStatus.ioError && kind === "confirm" && !repeatable;
    if (notYet.includes(status) && !isDone) return "refused";
    // The server's last word, such as that another one gave the slot: saying it again changes nothing.
    log.debug("trunk-news-refused", { kind, status, fileId });
    return "heard";
  }

  /** A connection that served before may be dead without our knowing: then a fresh one is tried. */
  async #ask<Reply>(
    server: TrunkServerPlace,
    ask: (client: FrameClient) => Promise<Reply>,
    exchange: Exchange,
  ): Promise<Reply> {
    for (let fresh = false; ; fresh = true) {
      const lease = await this.#pool.lease(server, { fresh });
      exchange.sent = true;
      try {
        const reply = await ask(lease.client);
        lease.giveBack();
        return reply;
      } catch (error) {
        if (error instanceof WireStatusError) {
          lease.giveBack();
          throw error;
        }
        lease.drop();
        if (!lease.reused || !exchange.repeatable) throw error;
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

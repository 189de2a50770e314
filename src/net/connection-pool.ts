/**
 * Frame connections to any number of servers, kept for the next exchange. A lease is one connection for one caller; idle
 * ones are limited in number and age, and asked ACTIVE_TEST before they are trusted again after a pause (protocol §1.6),
 * because a server that restarted meanwhile leaves them dead. Main thread.
 */
import { netError } from "#net/errors.ts";
import { FrameClient } from "#net/frame-client.ts";
import type { Clock, Timer } from "#platform/clock.ts";
import { delay } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import type { WireContext } from "#protocol/codec.ts";
import { activeTest } from "#protocol/fastdfs/common.ts";

export interface PoolLimits {
  readonly connectTimeoutMs: number;
  /** Limit for each step of an exchange. */
  readonly networkTimeoutMs: number;
  /** Open connections to one server, in use and idle; who wants more waits. */
  readonly maxPerServer: number;
  /** Callers that may wait for a connection to one server. */
  readonly maxWaitingPerServer: number;
  readonly maxIdlePerServer: number;
  /** An idle connection that is older is closed. */
  readonly maxIdleMs: number;
  /** One that was idle for longer is tested before use. */
  readonly testAfterIdleMs: number;
}

export interface PoolOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly limits: PoolLimits;
  readonly context?: WireContext;
}

export interface Server {
  readonly address: string;
  readonly port: number;
}

/** Exactly one of the two ends must be called; further calls do nothing. */
export interface Lease {
  readonly client: FrameClient;
  /** The connection served an exchange before, so that its server may be gone without our knowing. */
  readonly reused: boolean;
  /** The exchange ended well, or with a status that leaves the connection usable. */
  giveBack(): void;
  /** The connection is of no further use. */
  drop(): void;
}

interface IdleConnection {
  readonly client: FrameClient;
  readonly sinceMs: number;
}

interface ServerEntry {
  readonly key: string;
  readonly idle: IdleConnection[];
  /** Idle, leased and being connected. */
  open: number;
  readonly waiting: (() => void)[];
}

const sweepPeriodMs = 5000;

export class ConnectionPool {
  readonly #options: PoolOptions;
  readonly #servers = new Map<string, ServerEntry>();
  #sweep: Timer | undefined;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Idle connections, for tests and status reports. */
  get idleCount(): number {
    let count = 0;
    for (const entry of this.#servers.values()) count += entry.idle.length;
    return count;
  }

  /**
   * A connection to `where`; with `fresh` one that nobody used before. Rejects with `peer-unreachable`, with `peer-busy` when
   * all connections stay in use, or with the signal's reason.
   */
  async lease(
    where: Server,
    options: { readonly signal?: AbortSignal | undefined; readonly fresh?: boolean } = {},
  ): Promise<Lease> {
    const { signal } = options;
    signal?.throwIfAborted();
    for (;;) {
      this.#expectOpen();
      const known = this.#entry(where);
      const idle = options.fresh === true ? undefined : await this.#takeIdle(known);
      if (idle !== undefined) return this.#leased(known, idle, true);
      // An entry without connections is forgotten, so that the one from before the wait may be out of use.
      const entry = this.#entry(where);
      if (entry.open < this.#options.limits.maxPerServer) {
        return await this.#connect(entry, where, signal);
      }
      if (options.fresh !== true || !this.#dropOldestIdle(entry)) await this.#wait(entry, signal);
    }
  }

  /** Closes what idles at a server that seems to have restarted. */
  forget(where: Server): void {
    const entry = this.#servers.get(keyOf(where));
    if (entry === undefined) return;
    for (const { client } of entry.idle.splice(0)) this.#closeOne(entry, client);
  }

  /** Closes idle connections now, and those in use when they are given back. */
  close(): void {
    this.#closed = true;
    this.#sweep?.cancel();
    for (const entry of [...this.#servers.values()]) {
      for (const { client } of entry.idle.splice(0)) this.#closeOne(entry, client);
      for (const wake of entry.waiting.splice(0)) wake();
    }
  }

  #expectOpen(): void {
    if (this.#closed) throw netError("client-closed", "the client was closed before this call");
  }

  async #connect(
    entry: ServerEntry,
    where: Server,
    signal: AbortSignal | undefined,
  ): Promise<Lease> {
    const { network, clock, limits, context } = this.#options;
    entry.open += 1;
    try {
      const client = await FrameClient.connect(
        { address: where.address, port: where.port, timeoutMs: limits.connectTimeoutMs },
        {
          network,
          clock,
          networkTimeoutMs: limits.networkTimeoutMs,
          ...(context === undefined ? {} : { context }),
        },
        signal,
      );
      return this.#leased(entry, client, false);
    } catch (error) {
      this.#released(entry);
      signal?.throwIfAborted();
      throw error;
    }
  }

  /** The most recently used idle connection that still works. */
  async #takeIdle(entry: ServerEntry): Promise<FrameClient | undefined> {
    const { clock, limits } = this.#options;
    for (;;) {
      const found = entry.idle.pop();
      if (found === undefined) return undefined;
      const age = clock.monotonicMs() - found.sinceMs;
      if (found.client.usable && age <= limits.maxIdleMs) {
        if (age <= limits.testAfterIdleMs || (await this.#passesTest(found.client))) {
          found.client.timeoutMs = limits.networkTimeoutMs;
          return found.client;
        }
      }
      this.#closeOne(entry, found.client);
    }
  }

  async #passesTest(client: FrameClient): Promise<boolean> {
    client.timeoutMs = this.#options.limits.connectTimeoutMs;
    try {
      await client.call(activeTest, undefined);
      return true;
    } catch {
      // Whatever it was: a new connection will tell whether the server is there.
      return false;
    }
  }

  #leased(entry: ServerEntry, client: FrameClient, reused: boolean): Lease {
    let ended = false;
    return {
      client,
      reused,
      giveBack: () => {
        if (ended) return;
        ended = true;
        this.#giveBack(entry, client);
      },
      drop: () => {
        if (ended) return;
        ended = true;
        client.destroy();
        this.#released(entry);
      },
    };
  }

  #giveBack(entry: ServerEntry, client: FrameClient): void {
    const { clock, limits } = this.#options;
    const keep = client.usable && !this.#closed && entry.idle.length < limits.maxIdlePerServer;
    if (!keep) {
      this.#closeOne(entry, client);
      return;
    }
    entry.idle.push({ client, sinceMs: clock.monotonicMs() });
    this.#sweep ??= clock.every(sweepPeriodMs, () => this.#closeOld());
    entry.waiting.shift()?.();
  }

  #closeOne(entry: ServerEntry, client: FrameClient): void {
    client.close();
    this.#released(entry);
  }

  #dropOldestIdle(entry: ServerEntry): boolean {
    const oldest = entry.idle.shift();
    if (oldest === undefined) return false;
    this.#closeOne(entry, oldest.client);
    return true;
  }

  #released(entry: ServerEntry): void {
    entry.open -= 1;
    const wake = entry.waiting.shift();
    if (wake !== undefined) wake();
    else if (entry.open === 0) this.#servers.delete(entry.key);
  }

  async #wait(entry: ServerEntry, signal: AbortSignal | undefined): Promise<void> {
    const { clock, limits } = this.#options;
    const busy = (): Error =>
      netError("peer-busy", `all ${limits.maxPerServer} connections to ${entry.key} are in use`);
    if (entry.waiting.length >= limits.maxWaitingPerServer) throw busy();
    const given = new AbortController();
    const signals = signal === undefined ? given.signal : AbortSignal.any([signal, given.signal]);
    const woken = new Promise<void>((resolve) => entry.waiting.push(resolve));
    const wake = entry.waiting.at(-1);
    const expired = delay(clock, limits.networkTimeoutMs, signals).then(() => {
      throw busy();
    });
    try {
      await Promise.race([woken, expired]);
    } catch (error) {
      const at = wake === undefined ? -1 : entry.waiting.indexOf(wake);
      // Woken and given up in the same turn: the place goes to the next one.
      if (at < 0) entry.waiting.shift()?.();
      else entry.waiting.splice(at, 1);
      throw error;
    } finally {
      expired.catch(() => {});
      given.abort();
    }
  }

  #closeOld(): void {
    const { clock, limits } = this.#options;
    const oldest = clock.monotonicMs() - limits.maxIdleMs;
    for (const entry of [...this.#servers.values()]) {
      const old = entry.idle.filter((one) => one.sinceMs < oldest || !one.client.usable);
      for (const one of old) {
        entry.idle.splice(entry.idle.indexOf(one), 1);
        this.#closeOne(entry, one.client);
      }
    }
    if (this.idleCount > 0) return;
    this.#sweep?.cancel();
    this.#sweep = undefined;
  }

  #entry(where: Server): ServerEntry {
    const key = keyOf(where);
    const known = this.#servers.get(key);
    if (known !== undefined) return known;
    const entry: ServerEntry = { key, idle: [], open: 0, waiting: [] };
    this.#servers.set(key, entry);
    return entry;
  }
}

function keyOf(where: Server): string {
  return `${where.address}:${where.port}`;
}

/**
 * A listening port that speaks frames: admits connections, gives each a session, ends those that stall, and stops
 * gracefully. Knows nothing of what the messages mean. Main thread.
 */
import type { Log } from "#base/log.ts";
import type { HandlerEntry } from "#net/frame-handlers.ts";
import { FrameSession } from "#net/frame-session.ts";
import type { Clock, Timer } from "#platform/clock.ts";
import type { Connection, Listener, Network } from "#platform/network.ts";
import type { WireContext } from "#protocol/codec.ts";

/** How often stalled sessions are looked for. */
const sweepPeriodMs = 1000;
/** What is read and dropped of a refused payload, so that the client sees the reply and not a reset (protocol §1.6). */
const maxDiscardBytes = 256 * 1024 * 1024;

/** What a session may ask of its server. */
export interface FrameServices<Facts> {
  readonly handlers: ReadonlyMap<number, HandlerEntry<Facts>>;
  readonly log: Log;
  readonly maxBodyBytes: number;
  readonly maxDiscardBytes: number;
  /** The storage closes after a bare EINVAL, the tracker does not (protocol §1.6). */
  readonly closesAfterInvalid: boolean;
  /** The storage answers a body that is too long, the tracker just closes (protocol §1.7). */
  readonly answersOversized: boolean;
  context(requestStatus: number): WireContext;
  statusOf(error: unknown, where: { readonly peer: string; readonly command: string }): number;
  /** Milliseconds, monotonic, as of the last sweep: progress needs no finer clock. */
  coarseNowMs(): number;
  sessionClosed(session: FrameSession<Facts>): void;
}

export interface FrameServerOptions<Facts> {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  readonly handlers: ReadonlyMap<number, HandlerEntry<Facts>>;
  readonly context: () => WireContext;
  readonly statusOf: FrameServices<Facts>["statusOf"];
  readonly newFacts: (connection: Connection) => Facts;
  /** False closes the connection without a byte (protocol §1.3, EPERM). */
  readonly admits: (address: string) => boolean;
  readonly onSessionEnd?: (session: FrameSession<Facts>) => void;
  readonly maxConnections: number;
  /** A peer that stalls in the middle of a packet for this long is cut off. */
  readonly networkTimeoutMs: number;
  /** Longest body of a request without payload, in bytes. */
  readonly maxBodyBytes: number;
  readonly closesAfterInvalid: boolean;
  readonly answersOversized: boolean;
}

export interface ConnectionCounts {
  readonly current: number;
  readonly peak: number;
  readonly limit: number;
  /** Since start. */
  readonly refused: number;
}

export class FrameServer<Facts> {
  readonly #options: FrameServerOptions<Facts>;
  readonly #services: FrameServices<Facts>;
  readonly #sessions = new Set<FrameSession<Facts>>();
  #listeners: Listener[] = [];
  #sweep: Timer | undefined;
  #coarseNowMs: number;
  #peak = 0;
  #refused = 0;
  #onEmpty: (() => void) | undefined;

  constructor(options: FrameServerOptions<Facts>) {
    this.#options = options;
    this.#coarseNowMs = options.clock.monotonicMs();
    const requestContexts = new Map<number, WireContext>();
    this.#services = {
      handlers: options.handlers,
      log: options.log,
      maxBodyBytes: options.maxBodyBytes,
      maxDiscardBytes,
      closesAfterInvalid: options.closesAfterInvalid,
      answersOversized: options.answersOversized,
      context: (requestStatus) => {
        const base = options.context();
        if (requestStatus === 0) return base;
        const known = requestContexts.get(requestStatus);
        if (known !== undefined && known.addressWidth === base.addressWidth) return known;
        const context = { ...base, requestStatus };
        requestContexts.set(requestStatus, context);
        return context;
      },
      statusOf: options.statusOf,
      coarseNowMs: () => this.#coarseNowMs,
      sessionClosed: (session) => this.#forget(session),
    };
  }

  get connections(): ConnectionCounts {
    return {
      current: this.#sessions.size,
      peak: this.#peak,
      limit: this.#options.maxConnections,
      refused: this.#refused,
    };
  }

  /** Listens on each address; rejects, with nothing left open, when one of them cannot be had. */
  async listen(addresses: readonly string[], port: number): Promise<readonly Listener[]> {
    try {
      let chosen = port;
      for (const address of addresses) {
        const listener = await this.#options.network.listen(
          { address, port: chosen, backlog: 1024 },
          (connection) => this.#admit(connection),
        );
        this.#listeners.push(listener);
        chosen = listener.port;
      }
    } catch (error) {
      await this.#stopListening();
      throw error;
    }
    this.#coarseNowMs = this.#options.clock.monotonicMs();
    this.#sweep = this.#options.clock.every(sweepPeriodMs, () => this.#sweepSessions());
    return this.#listeners;
  }

  /** Takes nothing new, lets exchanges under way end for at most `deadlineMs`, then cuts what is left. */
  async stop(deadlineMs: number): Promise<void> {
    await this.#stopListening();
    for (const session of this.#sessions) session.finish();
    if (this.#sessions.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.#options.clock.after(deadlineMs, resolve);
        this.#onEmpty = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    for (const session of this.#sessions) session.destroy();
    this.#sweep?.cancel();
  }

  async #stopListening(): Promise<void> {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) await listener.close();
  }

  #admit(connection: Connection): void {
    if (!this.#options.admits(connection.remoteAddress)) {
      this.#refused += 1;
      this.#options.log.debug("address-refused", { peer: connection.remoteAddress });
      connection.destroy();
      return;
    }
    if (this.#sessions.size >= this.#options.maxConnections && !this.#makeRoom()) {
      this.#refused += 1;
      connection.destroy();
      return;
    }
    const session = new FrameSession(
      connection,
      this.#options.newFacts(connection),
      this.#services,
    );
    this.#sessions.add(session);
    if (this.#sessions.size > this.#peak) this.#peak = this.#sessions.size;
  }

  /** Drops the oldest connection that never asked for anything: half-open floods must not lock clients out. */
  #makeRoom(): boolean {
    for (const session of this.#sessions) {
      if (!session.proven) {
        this.#sessions.delete(session);
        session.destroy();
        return true;
      }
    }
    return false;
  }

  #forget(session: FrameSession<Facts>): void {
    this.#sessions.delete(session);
    this.#options.onSessionEnd?.(session);
    if (this.#sessions.size === 0) this.#onEmpty?.();
  }

  #sweepSessions(): void {
    this.#coarseNowMs = this.#options.clock.monotonicMs();
    for (const session of this.#sessions) {
      session.expire(this.#coarseNowMs, this.#options.networkTimeoutMs);
    }
  }
}

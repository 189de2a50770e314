/**
 * The control socket: lines of JSON over a Unix socket, each an operation that runs on the bus. Who can open the socket is
 * decided by its permissions; everybody who can has the access given here. A peer that sends nonsense is told so and cut off.
 * Main thread.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import type { Caller } from "#control/caller.ts";
import type { ControlBus } from "#control/control-bus.ts";
import {
  type ControlReply,
  encodeMessage,
  failureOf,
  LineSplitter,
  maxRequestBytes,
  parseRequest,
} from "#control/control-wire.ts";
import { controlError } from "#control/errors.ts";
import type { Clock, Timer } from "#platform/clock.ts";
import type { Connection, Network, PathListener } from "#platform/network.ts";

export const controlLimits = {
  maxConnections: 32,
  /** Of one connection, at the same time. */
  maxRequestsUnderWay: 8,
  /** A connection that asks nothing for so long is closed. */
  idleMs: 600_000,
  /** Replies that a peer does not read. */
  maxUnsentBytes: 32 * 1024 * 1024,
} as const;

const sweepPeriodMs = 5000;
/** Owner and group may connect. */
const socketMode = 0o660;

export interface ControlServerOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  readonly bus: ControlBus;
  readonly path: string;
  readonly caller: Caller;
}

export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #sessions = new Set<ControlSession>();
  #listener: PathListener | undefined;
  #sweep: Timer | undefined;

  constructor(options: ControlServerOptions) {
    this.#options = options;
  }

  /** Rejects with the system's error where another daemon answers on the socket or the file cannot be made. */
  async start(): Promise<void> {
    const { network, clock, path } = this.#options;
    this.#listener = await network.listenPath(
      { path, backlog: controlLimits.maxConnections, mode: socketMode },
      (connection) => this.#admit(connection),
    );
    this.#sweep = clock.every(sweepPeriodMs, () => {
      for (const session of this.#sessions) session.expire();
    });
  }

  /** Takes nothing new and ends every connection; operations under way run to their end without being answered. */
  async stop(): Promise<void> {
    this.#sweep?.cancel();
    await this.#listener?.close();
    for (const session of this.#sessions) session.end();
  }

  #admit(connection: Connection): void {
    if (this.#sessions.size >= controlLimits.maxConnections) {
      connection.destroy();
      return;
    }
    const session = new ControlSession(connection, this.#options, () => {
      this.#sessions.delete(session);
    });
    this.#sessions.add(session);
  }
}

class ControlSession {
  readonly #connection: Connection;
  readonly #options: ControlServerOptions;
  readonly #lines = new LineSplitter(maxRequestBytes);
  #underWay = 0;
  #usedAtMs: number;

  constructor(connection: Connection, options: ControlServerOptions, onClose: () => void) {
    this.#connection = connection;
    this.#options = options;
    this.#usedAtMs = options.clock.monotonicMs();
    connection.onReceive = (chunk) => this.#receive(chunk);
    connection.onEnd = () => connection.end();
    connection.onClose = onClose;
  }

  expire(): void {
    const idle = this.#options.clock.monotonicMs() - this.#usedAtMs;
    if (this.#underWay === 0 && idle > controlLimits.idleMs) this.#connection.end();
  }

  end(): void {
    this.#connection.end();
  }

  #receive(chunk: Uint8Array): void {
    this.#usedAtMs = this.#options.clock.monotonicMs();
    try {
      for (const line of this.#lines.push(chunk)) this.#take(line);
    } catch (error) {
      this.#options.log.debug("control-peer-misbehaved", { why: describeError(error) });
      this.#send({ id: 0, ok: false, error: failureOf(error) });
      this.#connection.onReceive = () => {};
      this.#connection.end();
    }
  }

  #take(line: string): void {
    const { id, operation, input } = parseRequest(line);
    if (this.#underWay >= controlLimits.maxRequestsUnderWay) {
      const error = controlError(
        "control-busy",
        `${controlLimits.maxRequestsUnderWay} requests of this connection are under way: wait for a reply`,
      );
      this.#send({ id, ok: false, error: failureOf(error) });
      return;
    }
    this.#underWay += 1;
    const { bus, caller, log } = this.#options;
    bus.run(caller, operation, input).then(
      (output) => this.#finish({ id, ok: true, output }),
      (error: unknown) => {
        const failure = failureOf(error);
        const why = describeError(error);
        if (failure.code === "internal-error") log.error("operation-failed", { operation, why });
        else log.debug("operation-refused", { operation, why });
        this.#finish({ id, ok: false, error: failure });
      },
    );
  }

  #finish(reply: ControlReply): void {
    this.#underWay -= 1;
    this.#usedAtMs = this.#options.clock.monotonicMs();
    this.#send(reply);
  }

  #send(reply: ControlReply): void {
    const connection = this.#connection;
    if (connection.closed) return;
    if (connection.unsentBytes > controlLimits.maxUnsentBytes) connection.destroy();
    else connection.write(encodeMessage(reply));
  }
}

/** Asks the daemon over its control socket. One question a connection; the daemon may be newer or older than we are. */
import { AppError } from "#base/app-error.ts";
import { readShape } from "#base/schema.ts";
import { encodeMessage, LineSplitter, maxReplyBytes, parseReply } from "#control/control-wire.ts";
import type { Operation } from "#control/operation.ts";
import type { Clock } from "#platform/clock.ts";
import type { Connection, Network } from "#platform/network.ts";

export interface ControlClientOptions {
  readonly network: Network;
  readonly clock: Clock;
  /** Of the Unix socket. */
  readonly path: string;
}

const connectTimeoutMs = 2000;
const replyTimeoutMs = 30_000;

export class ControlClient {
  readonly #options: ControlClientOptions;

  constructor(options: ControlClientOptions) {
    this.#options = options;
  }

  get path(): string {
    return this.#options.path;
  }

  /** Rejects with `daemon-unreachable`, `daemon-silent`, or the error that the daemon answered. */
  async ask<Input, Output>(
    operation: Operation<Input, Output>,
    input: Input,
    signal?: AbortSignal,
  ): Promise<Output> {
    const connection = await this.#connect(signal);
    const onAbort = (): void => connection.destroy();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const line = await this.#exchange(connection, operation.name, input);
      const reply = parseReply(line);
      if (!reply.ok) {
        const details = reply.error.details as Readonly<Record<string, unknown>> | undefined;
        throw new AppError(reply.error.code, reply.error.message, details ? { details } : {});
      }
      return readShape(operation.output, reply.output, { what: "output", surplus: "drop" });
    } finally {
      signal?.removeEventListener("abort", onAbort);
      connection.destroy();
      signal?.throwIfAborted();
    }
  }

  async #connect(signal: AbortSignal | undefined): Promise<Connection> {
    const { network, path } = this.#options;
    try {
      return await network.connectPath({ path, timeoutMs: connectTimeoutMs }, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw new AppError(
        "daemon-unreachable",
        `no daemon answers at ${path} (${reasonOf(error)}): is it running, and is --socket right?`,
        { cause: error },
      );
    }
  }

  #exchange(connection: Connection, operation: string, input: unknown): Promise<string> {
    return new Promise((resolve, reject) => {
      const fail = (code: string, message: string): void => {
        timer.cancel();
        reject(new AppError(code, message));
      };
      const timer = this.#options.clock.after(replyTimeoutMs, () =>
        fail("daemon-silent", `the daemon did not answer within ${replyTimeoutMs / 1000} s`),
      );
      const lines = new LineSplitter(maxReplyBytes);
      connection.onReceive = (chunk) => {
        try {
          const [line] = lines.push(chunk);
          if (line === undefined) return;
          timer.cancel();
          resolve(line);
        } catch (error) {
          timer.cancel();
          reject(error);
        }
      };
      connection.onEnd = () => connection.end();
      connection.onClose = () =>
        fail("daemon-unreachable", "the daemon closed the connection: is it stopping?");
      connection.write(encodeMessage({ id: 1, operation, input }));
    });
  }
}

const reasons: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "there is no such socket"],
  ["ECONNREFUSED", "nobody listens"],
  ["EACCES", "permission denied: the socket is for the daemon's user and group"],
  ["ENOTSOCK", "that is no socket"],
  ["ETIMEDOUT", "it takes no connections"],
]);

function reasonOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  const known = typeof code === "string" ? reasons.get(code) : undefined;
  if (known !== undefined) return known;
  return error instanceof Error ? error.message : String(error);
}

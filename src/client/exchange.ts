/**
 * One exchange with one server over a pooled connection, and the rule that decides whether it may be said twice: a
 * connection from the pool can be dead without our knowing, so that what may be repeated is, once, over a fresh one.
 */
import { failureOf } from "#client/failures.ts";
import type { Endpoint } from "#model/endpoint.ts";
import type { ConnectionPool } from "#net/connection-pool.ts";
import type { FrameClient } from "#net/frame-client.ts";
import type { Message } from "#protocol/message.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";

export interface ExchangeOptions {
  readonly signal?: AbortSignal | undefined;
  /** For steps known to take longer than the network timeout. */
  readonly timeoutMs?: number;
  /** Only a connection that nobody used before. */
  readonly fresh?: boolean;
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  /** `reused` tells that the connection may have been dead before. */
  | { readonly ok: false; readonly error: unknown; readonly reused: boolean };

/** Leases a connection for `use`, gives it back or drops it by how that ends, and ends it when the signal says so. */
export async function attempt<T>(
  pool: ConnectionPool,
  server: Endpoint,
  options: ExchangeOptions & { readonly use: (client: FrameClient) => Promise<T> },
): Promise<Outcome<T>> {
  const { signal } = options;
  let reused = false;
  try {
    const lease = await pool.lease(server, { signal, fresh: options.fresh === true });
    reused = lease.reused;
    const { client } = lease;
    if (options.timeoutMs !== undefined) client.timeoutMs = options.timeoutMs;
    const onAbort = (): void => client.destroy();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const value = await options.use(client);
      lease.giveBack();
      return { ok: true, value };
    } catch (error) {
      // After a bare EINVAL a storage closes the connection (protocol §1.6).
      const usable = error instanceof WireStatusError && error.status !== wireStatus.invalid;
      if (usable) lease.giveBack();
      else lease.drop();
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  } catch (error) {
    signal?.throwIfAborted();
    return { ok: false, error, reused };
  }
}

export interface Call<Request, Reply> extends ExchangeOptions {
  readonly message: Message<Request, Reply, "none">;
  readonly request: Request;
  /** Doing it twice is as good as doing it once. */
  readonly repeatable: boolean;
  /** It changes something: where the first try may have done so, how the second one failed tells nothing. */
  readonly changes?: boolean;
}

/** One small exchange. Rejects with what the exchange rejected with. */
export async function call<Request, Reply>(
  pool: ConnectionPool,
  server: Endpoint,
  options: Call<Request, Reply>,
): Promise<Reply> {
  const use = (client: FrameClient): Promise<Reply> =>
    client.call(options.message, options.request);
  const first = await attempt(pool, server, { ...options, use });
  if (first.ok) return first.value;
  const broken = failureOf(first.error)?.kind === "broken";
  if (!broken || !first.reused || !options.repeatable) throw first.error;
  pool.forget(server);
  const second = await attempt(pool, server, { ...options, use, fresh: true });
  if (second.ok) return second.value;
  throw options.changes === true ? first.error : second.error;
}

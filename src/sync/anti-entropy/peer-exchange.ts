/** Exchanges with one peer over connections of a pool. A peer has one or two addresses, which are tried in turn. */
import { AppError } from "#base/app-error.ts";
import type { ByteFlow } from "#net/byte-flow.ts";
import type { ConnectionPool, Lease } from "#net/connection-pool.ts";
import type { Message } from "#protocol/message.ts";
import { WireStatusError } from "#protocol/wire-status.ts";

export interface PeerEndpoint {
  /** In the order in which they are tried. */
  readonly addresses: readonly string[];
  readonly port: number;
}

export class PeerExchange {
  readonly #pool: ConnectionPool;
  readonly #where: () => PeerEndpoint;

  /** `where` is asked each time: addresses may change. */
  constructor(pool: ConnectionPool, where: () => PeerEndpoint) {
    this.#pool = pool;
    this.#where = where;
  }

  /** Rejects with `WireStatusError`, or a net error. `timeoutMs`: for answers that are known to take longer. */
  async call<Request, Reply>(
    message: Message<Request, Reply, "none">,
    request: Request,
    timeoutMs?: number,
  ): Promise<Reply> {
    return await this.#leased(async ({ client }) => {
      const usual = client.timeoutMs;
      if (timeoutMs !== undefined) client.timeoutMs = timeoutMs;
      try {
        return await client.call(message, request);
      } finally {
        client.timeoutMs = usual;
      }
    });
  }

  /** `use` must drain the reply, or reject. */
  download<Request, Result>(
    message: Message<Request, undefined, "reply">,
    request: Request,
    use: (flow: ByteFlow) => Promise<Result>,
  ): Promise<Result> {
    return this.#leased(async ({ client }) => use(await client.download(message, request)));
  }

  async #leased<Result>(exchange: (lease: Lease) => Promise<Result>): Promise<Result> {
    const { addresses, port } = this.#where();
    let failure: unknown = new AppError("peer-unreachable", "no address of the peer is known");
    for (const address of addresses) {
      let lease: Lease;
      try {
        lease = await this.#pool.lease({ address, port });
      } catch (error) {
        failure = error;
        continue;
      }
      try {
        const result = await exchange(lease);
        lease.giveBack();
        return result;
      } catch (error) {
        if (error instanceof WireStatusError && lease.client.usable) lease.giveBack();
        else lease.drop();
        throw error;
      }
    }
    throw failure;
  }
}

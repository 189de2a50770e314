/**
 * What a tracker asks of the others in an election (protocol §2.5, §9.7). Each call has its own connection and deadlines; a tracker that
 * cannot be reached, is silent or talks nonsense is one that does not take part. Main thread.
 */
import type { Endpoint, ServerEndpoint } from "#model/endpoint.ts";
import { FrameClient } from "#net/frame-client.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import {
  commitNextLeader,
  getTrackerStatus,
  notifyNextLeader,
  notifyReselectLeader,
} from "#protocol/fastdfs/tracker-cluster.ts";
import { WireStatusError } from "#protocol/wire-status.ts";
import type { Placement } from "#tracker/election/placement.ts";
import { trackerQuestionTimeoutMs } from "#tracker/limits.ts";

export interface TrackerCallParts {
  readonly network: Network;
  readonly clock: Clock;
  /** The address of this machine by which the tracker at `peer` knows us, if there is one. */
  readonly localAddressFor: (peer: string) => string | undefined;
}

/** `status`: it was reached, and refuses. */
export type Answer<Reply> =
  | { readonly name: "answered"; readonly reply: Reply }
  | { readonly name: "refused"; readonly status: number }
  | { readonly name: "unreachable" };

export class TrackerCalls {
  readonly #parts: TrackerCallParts;
  readonly #stop = new AbortController();
  readonly #open = new Set<FrameClient>();

  constructor(parts: TrackerCallParts) {
    this.#parts = parts;
  }

  placement(tracker: ServerEndpoint): Promise<Answer<Placement>> {
    return this.ask(tracker, (client) => client.call(getTrackerStatus, undefined));
  }

  nominate(tracker: ServerEndpoint, leader: Endpoint): Promise<Answer<undefined>> {
    return this.ask(tracker, (client) => client.call(notifyNextLeader, { leader }));
  }

  commit(tracker: ServerEndpoint, leader: Endpoint): Promise<Answer<undefined>> {
    return this.ask(tracker, (client) => client.call(commitNextLeader, { leader }));
  }

  unseat(tracker: ServerEndpoint): Promise<Answer<undefined>> {
    return this.ask(tracker, (client) => client.call(notifyReselectLeader, undefined));
  }

  /** Never rejects. */
  async ask<Reply>(
    tracker: ServerEndpoint,
    exchange: (client: FrameClient) => Promise<Reply>,
  ): Promise<Answer<Reply>> {
    let client: FrameClient | undefined;
    try {
      client = await this.connect(tracker);
      return { name: "answered", reply: await exchange(client) };
    } catch (error) {
      if (error instanceof WireStatusError) return { name: "refused", status: error.status };
      return { name: "unreachable" };
    } finally {
      if (client !== undefined) this.release(client);
    }
  }

  /** To whichever of its addresses answers. Rejects where none does; `release` it at the end. */
  async connect(tracker: ServerEndpoint): Promise<FrameClient> {
    const { network, clock, localAddressFor } = this.#parts;
    const timeoutMs = trackerQuestionTimeoutMs;
    let failure: unknown;
    for (const address of tracker.addresses) {
      const from = localAddressFor(address);
      try {
        const client = await FrameClient.connect(
          { address, port: tracker.port, timeoutMs, ...(from === undefined ? {} : { from }) },
          { network, clock, networkTimeoutMs: timeoutMs },
          this.#stop.signal,
        );
        this.#open.add(client);
        return client;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  release(client: FrameClient): void {
    this.#open.delete(client);
    client.destroy();
  }

  /** Whatever is under way fails now. */
  stop(): void {
    this.#stop.abort();
    for (const client of [...this.#open]) this.release(client);
  }
}

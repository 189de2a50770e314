/**
 * Single questions to the trackers, each over a connection of its own: the reporters' connections are busy with their own talk, and a
 * tracker that never answers must not hold up the others. All are asked at once, within a deadline. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import { type Endpoint, formatServerEndpoint, type ServerEndpoint } from "#model/endpoint.ts";
import { FrameClient } from "#net/frame-client.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import type { Message } from "#protocol/message.ts";
import { WireStatusError } from "#protocol/wire-status.ts";

/** Trackers answer from memory; whoever takes longer is not well. */
export const callTimeoutMs = 5000;

export interface TrackerCallsParts {
  readonly trackers: readonly ServerEndpoint[];
  /** Where connections come from; undefined leaves it to the system. */
  readonly joinFrom: string | undefined;
  readonly connectTimeoutMs: number;
  readonly network: Network;
  readonly clock: Clock;
  readonly leader: () => Endpoint | undefined;
}

export type TrackerAnswer<Reply> =
  | { readonly kind: "reply"; readonly tracker: string; readonly reply: Reply }
  /** It answered, with a status that is not 0. */
  | { readonly kind: "refused"; readonly tracker: string; readonly status: number }
  | { readonly kind: "silent"; readonly tracker: string; readonly problem: string };

export class TrackerCalls {
  readonly #parts: TrackerCallsParts;

  constructor(parts: TrackerCallsParts) {
    this.#parts = parts;
  }

  /** What each tracker says, in the order of the settings. Never rejects. */
  askAll<Request, Reply>(
    message: Message<Request, Reply, "none">,
    request: Request,
  ): Promise<readonly TrackerAnswer<Reply>[]> {
    return Promise.all(this.#parts.trackers.map((tracker) => this.#ask(tracker, message, request)));
  }

  /** What the tracker of that name says, as answers have it. Never rejects. */
  async ask<Request, Reply>(
    name: string,
    message: Message<Request, Reply, "none">,
    request: Request,
  ): Promise<TrackerAnswer<Reply>> {
    const tracker = this.#parts.trackers.find((each) => formatServerEndpoint(each) === name);
    if (tracker !== undefined) return this.#ask(tracker, message, request);
    return { kind: "silent", tracker: name, problem: "it is none of ours" };
  }

  /**
   * What the leading tracker answers, else the first other one that can. A refusal is an answer where it comes from the leader; of
   * others it counts only when nobody gives a better one. Rejects where nobody answers.
   */
  async askLeaderFirst<Request, Reply>(
    message: Message<Request, Reply, "none">,
    request: Request,
  ): Promise<Reply> {
    const { trackers } = this.#parts;
    const leads = trackers.find((tracker) => this.#leads(tracker));
    let failure: Error = new Error("there are no trackers");
    const ordered =
      leads === undefined ? trackers : [leads, ...trackers.filter((t) => t !== leads)];
    for (const tracker of ordered) {
      const answer = await this.#ask(tracker, message, request);
      if (answer.kind === "reply") return answer.reply;
      if (answer.kind === "refused") {
        failure = new WireStatusError(answer.status, `tracker ${answer.tracker} refused`);
        if (tracker === leads) throw failure;
      } else if (!(failure instanceof WireStatusError)) failure = new Error(answer.problem);
    }
    throw failure;
  }

  #leads(tracker: ServerEndpoint): boolean {
    const leader = this.#parts.leader();
    return leader?.port === tracker.port && tracker.addresses.includes(leader.address);
  }

  async #ask<Request, Reply>(
    tracker: ServerEndpoint,
    message: Message<Request, Reply, "none">,
    request: Request,
  ): Promise<TrackerAnswer<Reply>> {
    const name = formatServerEndpoint(tracker);
    let problem = "it has no address";
    for (const address of tracker.addresses) {
      let client: FrameClient | undefined;
      try {
        client = await this.#connect(address, tracker.port);
        return { kind: "reply", tracker: name, reply: await client.call(message, request) };
      } catch (error) {
        if (error instanceof WireStatusError) {
          return { kind: "refused", tracker: name, status: error.status };
        }
        problem = describeError(error);
      } finally {
        client?.close();
      }
    }
    return { kind: "silent", tracker: name, problem };
  }

  #connect(address: string, port: number): Promise<FrameClient> {
    const { joinFrom, connectTimeoutMs, network, clock } = this.#parts;
    const from = joinFrom === undefined ? {} : { from: joinFrom };
    const timeoutMs = Math.min(connectTimeoutMs, callTimeoutMs);
    return FrameClient.connect(
      { address, port, timeoutMs, ...from },
      { network, clock, networkTimeoutMs: callTimeoutMs },
    );
  }
}

/**
 * A follower's connection to its leader: introduces us once, pings, and copies the counters of trunk files now and then (protocol §2.5/58,
 * 65 and 63). One exchange at a time. Main thread.
 */
import type { ServerEndpoint } from "#model/endpoint.ts";
import type { FrameClient } from "#net/frame-client.ts";
import { joinLeader, pingLeader } from "#protocol/fastdfs/tracker-cluster.ts";
import type { ConnectionCounts } from "#protocol/fields.ts";
import type { ReplyOf } from "#protocol/message.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { TrackerCalls } from "#tracker/election/tracker-calls.ts";
import { groupsFileReads, maxGroupsFileBytes } from "#tracker/limits.ts";
import { wholeSystemFile } from "#tracker/system-file-copy.ts";

export interface Introduction {
  /** Unix seconds. */
  readonly upTime: number;
  readonly version: string;
  readonly port: number;
}

export type TrunkServers = ReplyOf<typeof pingLeader>["groups"];

export class LeaderLine {
  readonly #calls: TrackerCalls;
  #client: FrameClient | undefined;
  #pings = 0;
  /** Asked once a connection, where the leader does not give them. */
  #refusesFiles = false;

  constructor(calls: TrackerCalls) {
    this.#calls = calls;
  }

  /** `not-leading` is what the other one says itself. Rejects where it is unreachable or refuses otherwise. */
  async ping(
    leader: ServerEndpoint,
    introduction: Introduction,
    connections: ConnectionCounts,
  ): Promise<TrunkServers | "not-leading"> {
    try {
      const client = this.#client ?? (await this.#introduce(leader, introduction));
      const { groups } = await client.call(pingLeader, { connections });
      this.#pings += 1;
      return groups;
    } catch (error) {
      this.hangUp();
      const refused = error instanceof WireStatusError && error.status === wireStatus.notSupported;
      if (refused) return "not-leading";
      throw error;
    }
  }

  /** The leader's file of groups, on every third ping; undefined where it is not due or cannot be had. */
  async groupsFile(): Promise<string | undefined> {
    const client = this.#client;
    const isDue = this.#pings % groupsFileReads.everyPings === 1;
    if (client === undefined || !isDue || this.#refusesFiles) return undefined;
    try {
      return (await wholeSystemFile(client, 0, maxGroupsFileBytes)).toString("latin1");
    } catch (error) {
      if (!(error instanceof WireStatusError)) throw error;
      this.#refusesFiles = true;
      return undefined;
    }
  }

  hangUp(): void {
    const client = this.#client;
    this.#client = undefined;
    this.#pings = 0;
    this.#refusesFiles = false;
    if (client !== undefined) this.#calls.release(client);
  }

  async #introduce(leader: ServerEndpoint, introduction: Introduction): Promise<FrameClient> {
    const client = await this.#calls.connect(leader);
    this.#client = client;
    await client.call(joinLeader, introduction);
    return client;
  }
}

/**
 * Carries out what the election machine wants (protocol §9.7): asks the other trackers, announces, pings the leader. Every call has a
 * deadline, and every one comes back to the machine, which is thrown forward by a clock. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import { assert } from "#base/assert.ts";
import { ignore, type Log } from "#base/log.ts";
import { formatEndpoint, type ServerEndpoint } from "#model/endpoint.ts";
import type { Clock, Timer } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import type { Random } from "#platform/random.ts";
import type { ConnectionCounts } from "#protocol/fields.ts";
import { wireStatus } from "#protocol/wire-status.ts";
import type { ElectionEffect, TrackerKey } from "#tracker/election/election-machine.ts";
import { type Introduction, LeaderLine, type TrunkServers } from "#tracker/election/leader-line.ts";
import type { Follower, Leadership } from "#tracker/election/leadership.ts";
import type { Candidate, Placement } from "#tracker/election/placement.ts";
import { type Answer, TrackerCalls } from "#tracker/election/tracker-calls.ts";
import { electionPauseMs, electionTickMs, maxGroupsFileBytes } from "#tracker/limits.ts";
import { wholeSystemFile } from "#tracker/system-file-copy.ts";

export interface ElectionParts {
  readonly leadership: Leadership;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How we are placed, as GET_STATUS tells it; undefined without groups. */
  readonly placement: () => Placement | undefined;
  readonly introduction: () => Introduction;
  readonly connections: () => ConnectionCounts;
  /** What the leader says; empty where nothing changed. */
  readonly onTrunkServers: (groups: TrunkServers) => void;
  readonly onGroupsFile: (text: string) => void;
}

export class Election {
  readonly #parts: ElectionParts;
  readonly calls: TrackerCalls;
  readonly #line: LeaderLine;
  #timer: Timer | undefined;

  constructor(parts: ElectionParts) {
    this.#parts = parts;
    const { network, clock, leadership } = parts;
    const localAddressFor = (peer: string): string | undefined => leadership.localAddressFor(peer);
    this.calls = new TrackerCalls({ network, clock, localAddressFor });
    this.#line = new LeaderLine(this.calls);
  }

  begin(): void {
    const { leadership, clock } = this.#parts;
    leadership.onEffects = (effects) => {
      for (const effect of effects) this.#carryOut(effect);
    };
    this.#timer = clock.every(electionTickMs, () => leadership.apply({ name: "tick" }));
  }

  stop(): void {
    this.#timer?.cancel();
    this.#parts.leadership.onEffects = () => {};
    this.#line.hangUp();
    this.calls.stop();
  }

  #carryOut(effect: ElectionEffect): void {
    const { log } = this.#parts;
    const later = (work: Promise<void>): void => ignore(work, log, "the machine goes on by time");
    switch (effect.name) {
      case "ask":
        later(this.#ask());
        return;
      case "announce":
        later(this.#announce());
        return;
      case "ping":
        later(this.#ping(effect.leader));
        return;
      case "hang-up":
        this.#line.hangUp();
        return;
      case "unseat":
        later(this.#unseat(effect.rival));
        return;
      case "refuse":
    }
  }

  async #ask(): Promise<void> {
    const { leadership, placement } = this.#parts;
    const others = await Promise.all(
      leadership.others.map(async (entry): Promise<Candidate | undefined> => {
        const answer = await this.calls.placement(entry);
        return answer.name === "answered" ? candidate(entry, answer.reply) : undefined;
      }),
    );
    const { self } = leadership;
    const own = placement();
    leadership.apply({
      name: "placements",
      own: self === undefined || own === undefined ? undefined : candidate(self, own),
      others: others.filter((each) => each !== undefined),
      pauseMs: this.pauseMs(),
    });
  }

  /** To all at once. A tracker that cannot be reached, or does not know us yet, is passed over; who objects ends it. */
  async #announce(): Promise<void> {
    const { leadership, log } = this.#parts;
    const { self, others } = leadership;
    if (self === undefined) return;
    const [leader] = endpointsOf(self);
    if (leader === undefined) return;
    const key = leadership.keyOf(self);
    leadership.apply({ name: "nominated", tracker: key, isSelf: true });
    const nominations = await Promise.all(
      others.map(async (entry) => ({ entry, answer: await this.calls.nominate(entry, leader) })),
    );
    let failure = objection(nominations, [wireStatus.notFound]);
    if (failure === undefined) {
      const willing = nominations.filter(({ answer }) => answer.name === "answered");
      const commits = await Promise.all(
        willing.map(async ({ entry }) => ({
          entry,
          answer: await this.calls.commit(entry, leader),
        })),
      );
      failure = objection(commits, []);
    }
    if (failure !== undefined) log.notice("election-without-result", { why: failure });
    leadership.apply({ name: "announced", self: key, failure, pauseMs: this.pauseMs() });
  }

  async #ping(leader: TrackerKey): Promise<void> {
    const { leadership, introduction, connections, onTrunkServers, onGroupsFile, log } =
      this.#parts;
    const entry = leadership.byKey(leader);
    try {
      assert(entry !== undefined, "the leader is one of the trackers");
      const groups = await this.#line.ping(entry, introduction(), connections());
      if (groups === "not-leading") {
        leadership.apply({ name: "pinged", leader, outcome: "not-leading" });
        return;
      }
      if (groups.length > 0) onTrunkServers(groups);
      const file = await this.#line.groupsFile();
      if (file !== undefined) onGroupsFile(file);
      leadership.apply({ name: "pinged", leader, outcome: "answered" });
    } catch (error) {
      log.debug("leader-ping-failed", { leader, why: describeError(error) });
      leadership.apply({ name: "pinged", leader, outcome: "failed" });
    }
  }

  async #unseat(rival: TrackerKey): Promise<void> {
    const { leadership, log } = this.#parts;
    const entry = leadership.byKey(rival);
    if (entry === undefined) return;
    log.notice("two-leaders", { rival });
    await this.calls.unseat(entry);
    leadership.tellAgain();
  }

  /** What it knows of numbers that were given by leaders before us. Not waited for: nothing is given before it is known. */
  readCounters(follower: Follower): void {
    const { leadership, onGroupsFile, log } = this.#parts;
    const entry = leadership.find(follower.endpoint);
    if (entry === undefined) return;
    const read = this.calls
      .ask(entry, (client) => wholeSystemFile(client, 0, maxGroupsFileBytes))
      .then((answer) => {
        if (answer.name !== "answered") return;
        onGroupsFile(answer.reply.toString("latin1"));
        follower.countersRead = true;
      });
    ignore(read, log, "read again when it follows anew");
  }

  /** How long to wait before an election is tried again. */
  pauseMs(): number {
    const { least, most } = electionPauseMs;
    return least + this.#parts.random.below(most - least);
  }
}

function candidate(entry: ServerEndpoint, placement: Placement): Candidate | undefined {
  const [endpoint] = endpointsOf(entry);
  return endpoint === undefined ? undefined : { ...placement, endpoint };
}

function endpointsOf({
  addresses,
  port,
}: ServerEndpoint): readonly { address: string; port: number }[] {
  return addresses.map((address) => ({ address, port }));
}

/** Who refused, in words; `tolerated` are statuses that do not count. */
function objection(
  answers: readonly { readonly entry: ServerEndpoint; readonly answer: Answer<undefined> }[],
  tolerated: readonly number[],
): string | undefined {
  for (const { entry, answer } of answers) {
    if (answer.name !== "refused" || tolerated.includes(answer.status)) continue;
    const [endpoint] = endpointsOf(entry);
    const who = endpoint === undefined ? "a tracker" : formatEndpoint(endpoint);
    return `${who} objects (status ${answer.status})`;
  }
  return undefined;
}

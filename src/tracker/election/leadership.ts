/**
 * Which trackers there are and which of them leads (protocol §9.7): holds the state of the election machine, knows which entry of the
 * list is us, and who follows. A tracker that knows no other one leads by itself as soon as it has a group. Not persisted: the list
 * is what the joined storages know of the trackers, so that one which no storage names any more is forgotten. Main thread.
 */
import type { Log } from "#base/log.ts";
import {
  type Endpoint,
  formatEndpoint,
  maxAddressesPerServer,
  type ServerEndpoint,
} from "#model/endpoint.ts";
import { type Clock, nowSeconds } from "#platform/clock.ts";
import type { ConnectionCounts } from "#protocol/fields.ts";
import {
  aloneState,
  type ElectionEffect,
  type ElectionEvent,
  type ElectionInput,
  type ElectionRefusal,
  type ElectionState,
  type TrackerKey,
  transition,
} from "#tracker/election/election-machine.ts";
import { followerSilenceSeconds, maxTrackers } from "#tracker/limits.ts";
import { addressFor } from "#tracker/requester-address.ts";

/** A tracker that follows us, as it told itself. */
export interface Follower {
  readonly endpoint: Endpoint;
  readonly upTime: number;
  readonly version: string;
  connections: ConnectionCounts;
  /** Unix seconds of its last ping; 0 before the first. */
  lastPingTime: number;
  /** Monotonic milliseconds of the same. */
  pingedAtMs: number;
  /** We have read its counters of trunk files since it follows us. */
  countersRead: boolean;
  /** Our counters by group, as it has read them for certain. */
  fileIds: ReadonlyMap<string, number>;
}

export type MergeResult = "merged" | "not-among-them" | "too-many";

/** Whoever asks, with the addresses that its session shows. */
export interface LeaderAsker {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly facts?: { readonly trackerAddress: string | undefined };
}

/** Where a storage reached us, and as what it knows us; the first is an address of this machine for certain. */
export interface OwnAddresses {
  readonly local: string;
  readonly configured: string;
}

export interface LeadershipParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly hasGroups: () => boolean;
}

export class Leadership {
  readonly #parts: LeadershipParts;
  /** Known from the socket only, hence after the start. */
  #ownPort = 0;
  readonly #ownAddresses = new Set<string>();
  readonly #localAddresses = new Set<string>();
  /** `address:port` of every entry that turned out to be us. */
  readonly #ownKeys = new Set<string>();
  /** What each storage knows of the trackers, by whatever names the storage. */
  readonly #lists = new Map<string, readonly ServerEndpoint[]>();
  #trackers: readonly ServerEndpoint[] = [];
  #state: ElectionState = aloneState;
  #version = 0;
  #news = 0;
  #since: number;
  #sinceMs: number;
  readonly #followers = new Map<string, Follower>();
  /** Carries out what the machine wants of the other trackers. Called after each step. */
  onEffects: (effects: readonly ElectionEffect[]) => void = () => {};

  constructor(parts: LeadershipParts) {
    this.#parts = parts;
    this.#since = nowSeconds(parts.clock);
    this.#sinceMs = parts.clock.monotonicMs();
  }

  set ownPort(port: number) {
    this.#ownPort = port;
  }

  get ownPort(): number {
    return this.#ownPort;
  }

  /** Grows with each change of the leader. */
  get version(): number {
    return this.#version;
  }

  /** Grows with whatever storages are to be told of the leader, also when it is what it was. */
  get news(): number {
    return this.#news;
  }

  /** Unix seconds of the last change of the leader. */
  get since(): number {
    return this.#since;
  }

  /** How long ago that was, whatever became of the clock. */
  get forSeconds(): number {
    return (this.#parts.clock.monotonicMs() - this.#sinceMs) / 1000;
  }

  get phase(): ElectionState["phase"] {
    return this.#state.phase;
  }

  get isLeader(): boolean {
    const { name } = this.#state.phase;
    return name === "alone" ? this.#parts.hasGroups() : name === "leading";
  }

  /** True while no other tracker is known. */
  get isAlone(): boolean {
    return this.#state.phase.name === "alone";
  }

  get trackers(): readonly ServerEndpoint[] {
    return this.#trackers;
  }

  get others(): readonly ServerEndpoint[] {
    return this.#trackers.filter((entry) => !this.#isSelf(entry));
  }

  /** Our own entry, which the others know us by. */
  get self(): ServerEndpoint | undefined {
    return this.#trackers.find((entry) => this.#isSelf(entry));
  }

  /** An address of this machine by which the others know us; C identifies followers by it. */
  localAddressFor(peer: string): string | undefined {
    const isWide = peer.includes(":");
    return this.self?.addresses.find(
      (address) => this.#localAddresses.has(address) && address.includes(":") === isWide,
    );
  }

  /** The trackers that introduced themselves, by their key in `follow`. */
  get followers(): ReadonlyMap<string, Follower> {
    return this.#followers;
  }

  /** Those who pinged just now. */
  get presentFollowers(): readonly Follower[] {
    const oldest = this.#parts.clock.monotonicMs() - followerSilenceSeconds * 1000;
    return [...this.#followers.values()].filter(({ pingedAtMs }) => pingedAtMs >= oldest);
  }

  /** Us and those who follow and pinged just now are more than half of all trackers. */
  get hasMajority(): boolean {
    return 2 * (1 + this.presentFollowers.length) > 1 + this.others.length;
  }

  /**
   * Takes over what a storage knows of the trackers (81, step 4). `own` are addresses of ours that its connection shows.
   * We are the entry with one of our addresses and our port; the only entry is us in any case, since the storage reached us.
   */
  merge(storage: string, list: readonly ServerEndpoint[], own: OwnAddresses): MergeResult {
    const lists = new Map(this.#lists).set(storage, list);
    const merged = unionOf(lists.values());
    if (merged.length > maxTrackers) return "too-many";
    const isOwn = this.#ownTest(own);
    const found = list.filter((entry) => isOwn(entry) || list.length === 1);
    if (found.length === 0) return "not-among-them";
    for (const address of shownBy(own)) this.#ownAddresses.add(address);
    if (own.local !== "") this.#localAddresses.add(own.local);
    for (const entry of [...found, ...merged.filter(isOwn)]) {
      for (const key of keysOf(entry)) this.#ownKeys.add(key);
    }
    this.#lists.set(storage, list);
    this.#adopt(merged);
    return "merged";
  }

  /** The entries of a list which are not us, by what `merge` goes by. */
  othersAmong(list: readonly ServerEndpoint[], own: OwnAddresses): readonly ServerEndpoint[] {
    const isOwn = this.#ownTest(own);
    return list.length === 1 ? [] : list.filter((entry) => !isOwn(entry));
  }

  /** Storages that are members no more have no say in which trackers there are. */
  keepLists(isMember: (storage: string) => boolean): void {
    const gone = [...this.#lists.keys()].filter((storage) => !isMember(storage));
    if (gone.length === 0 || gone.length === this.#lists.size) return;
    for (const storage of gone) this.#lists.delete(storage);
    this.#adopt(unionOf(this.#lists.values()));
  }

  /** First phase (66). "stepped-down": we led, and somebody else was named; "follows": the leader that we follow is well. */
  nominate(endpoint: Endpoint): "noted" | "unknown" | ElectionRefusal {
    const tracker = this.find(endpoint);
    if (tracker === undefined) return "unknown";
    const isSelf = this.#isSelf(tracker);
    return this.apply({ name: "nominated", tracker: this.keyOf(tracker), isSelf }) ?? "noted";
  }

  /** Second phase (67). */
  commit(endpoint: Endpoint): "leads" | "unknown" | ElectionRefusal {
    const tracker = this.find(endpoint);
    if (tracker === undefined) return "unknown";
    const isSelf = this.#isSelf(tracker);
    return this.apply({ name: "committed", tracker: this.keyOf(tracker), isSelf }) ?? "leads";
  }

  /** Leads no more, unless nobody else is there to lead (68). */
  reselect(pauseMs: number): ElectionRefusal | undefined {
    const { hasMajority } = this;
    const refusal = this.apply({ name: "reselect", hasMajority, pauseMs });
    if (this.isLeader) this.tellAgain();
    return refusal;
  }

  /** Storages that heard of two leaders are to hear again who it is. */
  tellAgain(): void {
    this.#news += 1;
  }

  /** Runs the election machine; the effects are carried out before this returns. */
  apply(input: ElectionEvent): ElectionRefusal | undefined {
    const before = this.#state;
    const timed = { ...input, nowMs: this.#parts.clock.monotonicMs() } as ElectionInput;
    const { state, effects } = transition(before, timed);
    this.#state = state;
    this.#noteChange(before, input.name);
    const orders = effects.filter(({ name }) => name !== "refuse");
    if (orders.length > 0) this.onEffects(orders);
    for (const effect of effects) if (effect.name === "refuse") return effect.why;
    return undefined;
  }

  find(endpoint: Endpoint): ServerEndpoint | undefined {
    return this.#trackers.find(
      (entry) => entry.port === endpoint.port && entry.addresses.includes(endpoint.address),
    );
  }

  byKey(key: TrackerKey): ServerEndpoint | undefined {
    return this.#trackers.find((entry) => this.keyOf(entry) === key);
  }

  /** The key by which the machine knows a tracker. */
  keyOf(entry: ServerEndpoint): TrackerKey {
    return keysOf(entry)[0] ?? "";
  }

  /** Where the leader is, for whoever asks: of two addresses the one of the asker's network. */
  endpointFor(asker: LeaderAsker): Endpoint | "none" {
    if (this.isLeader) return this.ownEndpointFor(asker);
    const { phase } = this.#state;
    const leader = phase.name === "following" ? this.byKey(phase.leader) : undefined;
    if (leader === undefined) return "none";
    return { address: addressFor(leader.addresses, asker.remoteAddress), port: leader.port };
  }

  /** Storages look us up in their own list, so they are told the address that they wrote there. */
  ownEndpointFor(asker: LeaderAsker): Endpoint {
    const entries = this.#trackers.filter((entry) => this.#isSelf(entry));
    const asConfigured = asker.facts?.trackerAddress;
    if (asConfigured !== undefined) {
      const entry = entries.find((each) => each.addresses.includes(asConfigured));
      if (entry !== undefined) return { address: asConfigured, port: entry.port };
    }
    const self = entries[0] ?? { addresses: [asker.localAddress], port: this.#ownPort };
    return { address: addressFor(self.addresses, asker.remoteAddress), port: self.port };
  }

  /** A follower introduced itself (58). */
  follow(key: string, follower: Follower): void {
    this.#followers.set(key, follower);
  }

  #isSelf(entry: ServerEndpoint): boolean {
    return keysOf(entry).some((key) => this.#ownKeys.has(key));
  }

  #ownTest(own: OwnAddresses): (entry: ServerEndpoint) => boolean {
    const addresses = new Set([...this.#ownAddresses, ...shownBy(own)]);
    return (entry) =>
      this.#isSelf(entry) ||
      (entry.port === this.#ownPort && entry.addresses.some((address) => addresses.has(address)));
  }

  #adopt(trackers: readonly ServerEndpoint[]): void {
    this.#trackers = trackers;
    const known = new Set(trackers.map((entry) => this.keyOf(entry)));
    const alone = trackers.every((entry) => this.#isSelf(entry));
    this.apply({ name: "trackers", known, alone });
  }

  /** The one place where changes of the leader are noted. */
  #noteChange(before: ElectionState, why: string): void {
    const [from, now] = [leaderIn(before), leaderIn(this.#state)];
    if (from === now) return;
    this.#followers.clear();
    this.#version += 1;
    this.#news += 1;
    this.#since = nowSeconds(this.#parts.clock);
    this.#sinceMs = this.#parts.clock.monotonicMs();
    this.#parts.log.notice("tracker-leader", { leader: now, before: from, why });
  }
}

function leaderIn({ phase }: ElectionState): string {
  switch (phase.name) {
    case "alone":
    case "leading":
      return phase.name === "alone" ? "this tracker, the only one" : "this tracker";
    case "following":
      return phase.leader;
    default:
      return "none";
  }
}

function shownBy(own: OwnAddresses): readonly string[] {
  return [own.local, own.configured].filter((address) => address !== "");
}

/** Entries that share an address and port are one tracker. */
function unionOf(lists: Iterable<readonly ServerEndpoint[]>): readonly ServerEndpoint[] {
  const merged: ServerEndpoint[] = [];
  for (const list of lists) {
    for (const entry of list) {
      const at = merged.findIndex((known) => isSame(known, entry));
      const known = merged[at];
      if (known === undefined) merged.push(entry);
      else merged[at] = joined(known, entry);
    }
  }
  return merged;
}

function keysOf(entry: ServerEndpoint): readonly string[] {
  return entry.addresses.map((address) => formatEndpoint({ address, port: entry.port }));
}

function isSame(one: ServerEndpoint, other: ServerEndpoint): boolean {
  return (
    one.port === other.port && one.addresses.some((address) => other.addresses.includes(address))
  );
}

function joined(known: ServerEndpoint, entry: ServerEndpoint): ServerEndpoint {
  const more = entry.addresses.filter((address) => !known.addresses.includes(address));
  if (more.length === 0 || known.addresses.length >= maxAddressesPerServer) return known;
  return {
    port: known.port,
    addresses: [...known.addresses, ...more].slice(0, maxAddressesPerServer),
  };
}

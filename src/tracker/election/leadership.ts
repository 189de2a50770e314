/**
 * Which trackers there are and which of them leads (protocol §9.7). A tracker that knows no other one leads by itself as soon
 * as it has a group; among several, the leader is whom the two-phase announcement (66, 67) named. Not persisted: the list comes
 * with every JOIN. Main thread.
 */
import {
  type Endpoint,
  formatEndpoint,
  maxAddressesPerServer,
  type ServerEndpoint,
} from "#model/endpoint.ts";
import type { ConnectionCounts } from "#protocol/fields.ts";
import { maxTrackers } from "#tracker/limits.ts";
import { addressFor } from "#tracker/requester-address.ts";

/** A tracker that follows us, as it told itself. */
export interface Follower {
  readonly endpoint: Endpoint;
  readonly upTime: number;
  readonly version: string;
  connections: ConnectionCounts;
  /** Unix seconds of its last ping; 0 before the first. */
  lastPingTime: number;
}

export type MergeResult = "merged" | "not-among-them" | "too-many";

/** Whoever asks, with the addresses that its session shows. */
export interface LeaderAsker {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly facts?: { readonly trackerAddress: string | undefined };
}

export class Leadership {
  readonly #hasGroups: () => boolean;
  /** Known from the socket only, hence after the start. */
  #ownPort = 0;
  readonly #ownAddresses = new Set<string>();
  /** `address:port` of every entry that turned out to be us. */
  readonly #ownKeys = new Set<string>();
  #trackers: readonly ServerEndpoint[] = [];
  #named: ServerEndpoint | undefined;
  #candidate: ServerEndpoint | undefined;
  #version = 0;
  readonly #followers = new Map<string, Follower>();

  constructor(hasGroups: () => boolean) {
    this.#hasGroups = hasGroups;
  }

  set ownPort(port: number) {
    this.#ownPort = port;
  }

  /** Grows with each change of the leader. */
  get version(): number {
    return this.#version;
  }

  get isLeader(): boolean {
    if (this.isAlone) return this.#hasGroups();
    return this.#named !== undefined && this.#isSelf(this.#named);
  }

  /** True while no other tracker is known. */
  get isAlone(): boolean {
    return this.#trackers.every((entry) => this.#isSelf(entry));
  }

  get trackers(): readonly ServerEndpoint[] {
    return this.#trackers;
  }

  get others(): readonly ServerEndpoint[] {
    return this.#trackers.filter((entry) => !this.#isSelf(entry));
  }

  /** The trackers that introduced themselves, by their key in `follow`. */
  get followers(): ReadonlyMap<string, Follower> {
    return this.#followers;
  }

  /**
   * Takes over what a storage knows of the trackers (81, step 4). `ownAddresses` are those of ours that its connection shows.
   * We are the entry with one of our addresses and our port; the only entry is us in any case, since the storage reached us.
   */
  merge(list: readonly ServerEndpoint[], ownAddresses: readonly string[]): MergeResult {
    const merged = [...this.#trackers];
    for (const entry of list) {
      const at = merged.findIndex((known) => isSame(known, entry));
      const known = merged[at];
      if (known === undefined) merged.push(entry);
      else merged[at] = joined(known, entry);
    }
    if (merged.length > maxTrackers) return "too-many";
    const own = new Set([...this.#ownAddresses, ...ownAddresses]);
    const isOwn = (entry: ServerEndpoint): boolean =>
      entry.port === this.#ownPort && entry.addresses.some((address) => own.has(address));
    const found = list.filter((entry) => isOwn(entry) || this.#isSelf(entry) || list.length === 1);
    if (found.length === 0) return "not-among-them";
    const wasAlone = this.isAlone;
    for (const address of ownAddresses) this.#ownAddresses.add(address);
    for (const entry of [...found, ...merged.filter(isOwn)]) {
      for (const key of keysOf(entry)) this.#ownKeys.add(key);
    }
    this.#adopt(merged);
    // From now on the leader is elected.
    if (wasAlone && !this.isAlone) this.#version += 1;
    return "merged";
  }

  /** First phase (66). "stepped-down": we led, and somebody else was named. */
  nominate(endpoint: Endpoint): "noted" | "unknown" | "stepped-down" {
    const tracker = this.find(endpoint);
    if (tracker === undefined) return "unknown";
    if (this.isLeader && !this.#isSelf(tracker)) {
      this.stepDown();
      return "stepped-down";
    }
    this.#candidate = tracker;
    return "noted";
  }

  /** Second phase (67). */
  commit(endpoint: Endpoint): "leads" | "unknown" | "not-nominated" {
    const tracker = this.find(endpoint);
    if (tracker === undefined) return "unknown";
    if (tracker !== this.#candidate) return "not-nominated";
    this.#candidate = undefined;
    this.#name(tracker);
    return "leads";
  }

  /** Leads no more, unless nobody else is there to lead. */
  stepDown(): void {
    this.#name(undefined);
  }

  find(endpoint: Endpoint): ServerEndpoint | undefined {
    return this.#trackers.find(
      (entry) => entry.port === endpoint.port && entry.addresses.includes(endpoint.address),
    );
  }

  /** Where the leader is, for whoever asks: of two addresses the one of the asker's network. */
  endpointFor(asker: LeaderAsker): Endpoint | "none" {
    if (this.isLeader) return this.ownEndpointFor(asker);
    const leader = this.#named;
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

  #adopt(trackers: readonly ServerEndpoint[]): void {
    const named = this.#named;
    const candidate = this.#candidate;
    this.#trackers = trackers;
    this.#named = trackers.find((entry) => named !== undefined && isSame(entry, named));
    this.#candidate = trackers.find((entry) => candidate !== undefined && isSame(entry, candidate));
  }

  #name(leader: ServerEndpoint | undefined): void {
    if (leader === this.#named) return;
    this.#named = leader;
    this.#followers.clear();
    this.#version += 1;
  }
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

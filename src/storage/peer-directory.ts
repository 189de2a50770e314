/**
 * The members of the group as this storage sees them: where each is, what it is fit for, whether it is one of ours. What the leading
 * tracker lists is merged by the original's rules (protocol §6.6), with one difference: we cling to a status of our own making only for
 * a while, so that a member which was deleted and came back empty is filled, whatever we saw of it before. Members survive restarts: a
 * node that finds no tracker still finds its peers. Main thread; no time of its own.
 */
import { isIpAddress } from "#model/ip-address.ts";
import type { StorageId } from "#model/storage-id.ts";
import type { StorageIdEntry } from "#model/storage-id-line.ts";
import {
  type ReadWriteMode,
  readWriteMode,
  type StorageStatus,
  storageStatus,
} from "#model/storage-status.ts";
import type { StorageBrief } from "#protocol/fields.ts";

/** Members of the past among them; C allows 32 that are there. */
export const maxPeers = 64;
/** Of one storage. */
export const maxFormerAddresses = 16;
/** What we reported of a member stands against older views of trackers for this long. */
export const assertionMs = 60_000;

/** A member of the group, ourselves included. */
export interface Peer {
  readonly id: StorageId;
  /** To be tried in this order; one or two, and empty only for a member of which no tracker told an address. */
  readonly addresses: readonly string[];
  /** Addresses that it had before, newest first: old file ids name them. */
  readonly formerAddresses: readonly string[];
  /** 0 where it is not known. */
  readonly port: number;
  readonly status: StorageStatus;
  /** Monotonic milliseconds: since when it has this status here. */
  readonly sinceMs: number;
  /** What clients may do there; replication is not concerned. */
  readonly mode: ReadWriteMode;
  /** Undefined until the sync link has found out. */
  readonly cairn: boolean | undefined;
  /** The id of its first store path's disk, as it told itself: the same under whatever address. */
  readonly disk?: string | undefined;
}

export type SavedPeer = Pick<
  Peer,
  "id" | "addresses" | "formerAddresses" | "port" | "status" | "cairn" | "disk"
>;

export interface MergeOutcome {
  readonly changed: boolean;
  /** Where our view is newer than the tracker's, it should be told (85). */
  readonly contradicted: readonly StorageBrief[];
}

const { init, waitSync, syncing, ipChanged, deleted, offline, online, active, none } =
  storageStatus;

/** Deleted, or known under another address by now. */
export function isGone(status: StorageStatus): boolean {
  return status === deleted || status === ipChanged || status === none;
}

/** ONLINE or ACTIVE. */
export function isAvailable(status: StorageStatus): boolean {
  return status === online || status === active;
}

/**
 * What a member is after a tracker told `told` of it, where we saw `local`. `asserted`: we reported `local` ourselves, a short while
 * ago. Pure.
 */
export function mergedStatus(
  local: StorageStatus,
  told: StorageStatus,
  asserted: boolean,
): { readonly status: StorageStatus; readonly contradicts: boolean } {
  const take = { status: told, contradicts: false };
  const keep = (contradicts: boolean) => ({ status: local, contradicts });
  if (told === none) return keep(false);
  if (told === local || isGone(local) || isGone(told)) return take;
  if (told === offline) {
    return isAvailable(local) || local === init ? take : keep(true);
  }
  const settling = told === waitSync || told === syncing;
  return settling && asserted && local > told ? keep(true) : take;
}

interface Entry extends Peer {
  /** Monotonic milliseconds until which our own report stands. */
  readonly assertedUntilMs: number;
}

export class PeerDirectory {
  readonly #entries = new Map<StorageId, Entry>();
  #ids: ReadonlyMap<StorageId, StorageIdEntry> = new Map();
  /** From which id a member without storage id came, for those that are listed later. */
  readonly #moves = new Map<StorageId, StorageId>();
  #sorted: readonly Entry[] = [];
  #briefs: readonly StorageBrief[] = [];

  constructor(saved: readonly SavedPeer[] = []) {
    for (const peer of saved.slice(0, maxPeers)) {
      const mode = readWriteMode.both;
      this.#entries.set(peer.id, { ...peer, mode, sinceMs: 0, assertedUntilMs: 0 });
    }
    this.#sort();
  }

  /** By id, bytewise; those that are gone among them. */
  get peers(): readonly Peer[] {
    return this.#sorted;
  }

  /** The same as trackers tell them. */
  get briefs(): readonly StorageBrief[] {
    return this.#briefs;
  }

  byId(id: string): Peer | undefined {
    return this.#entries.get(id as StorageId);
  }

  /** Who has `address`, or had it before and nobody has it now; of several ports, any. */
  byAddress(address: string): Peer | undefined {
    const here = (peer: Entry): boolean => !isGone(peer.status) && peer.addresses.includes(address);
    const once = (peer: Entry): boolean =>
      !isGone(peer.status) && peer.formerAddresses.includes(address);
    return this.#sorted.find(here) ?? this.#sorted.find(once);
  }

  /** What is kept over restarts. */
  saved(): readonly SavedPeer[] {
    return this.#sorted.map(({ id, addresses, formerAddresses, port, status, cairn, disk }) => ({
      ...{ id, addresses, formerAddresses, port, status, cairn, disk },
    }));
  }

  /** The list of the leading tracker. */
  merge(listed: readonly StorageBrief[], nowMs: number): MergeOutcome {
    let changed = false;
    const contradicted: StorageBrief[] = [];
    for (const brief of listed) {
      const known = this.#entries.get(brief.id);
      if (known === undefined && this.#entries.size >= maxPeers) continue;
      const asserted = known !== undefined && nowMs < known.assertedUntilMs;
      const { status, contradicts } = mergedStatus(known?.status ?? none, brief.status, asserted);
      const entry = this.#listed(known, { ...brief, status }, nowMs);
      if (contradicts) contradicted.push(briefOf(entry));
      if (known !== undefined && isSame(known, entry)) continue;
      this.#entries.set(brief.id, entry);
      changed = true;
    }
    const ids = new Set(listed.map(({ id }) => id));
    for (const entry of this.#sorted) {
      if (!ids.has(entry.id) && !isGone(entry.status)) contradicted.push(briefOf(entry));
    }
    if (changed) this.#sort();
    for (const [to, from] of this.#moves) this.#follow(from, to);
    return { changed, contradicted };
  }

  /** We know better than the trackers, because we fill it. False where it is no member. */
  assert(id: StorageId, status: StorageStatus, nowMs: number): boolean {
    const known = this.#entries.get(id);
    if (known === undefined) return false;
    const sinceMs = known.status === status ? known.sinceMs : nowMs;
    this.#entries.set(id, { ...known, status, sinceMs, assertedUntilMs: nowMs + assertionMs });
    this.#sort();
    return true;
  }

  /** The table of storage ids; empty where the cluster has none. True when something about a member is new. */
  learnIds(entries: readonly StorageIdEntry[]): boolean {
    this.#ids = new Map(entries.map((entry) => [entry.id, entry]));
    let changed = false;
    for (const [id, known] of this.#entries) {
      const entry = this.#placed(known, known.addresses[0] ?? "");
      if (isSame(known, entry)) continue;
      this.#entries.set(id, entry);
      changed = true;
    }
    if (changed) this.#sort();
    return changed;
  }

  /** Found out by whoever has spoken to it. True when that is new. */
  learnCairn(id: StorageId, cairn: boolean): boolean {
    const known = this.#entries.get(id);
    if (known === undefined || known.cairn === cairn) return false;
    this.#entries.set(id, { ...known, cairn });
    this.#sort();
    return true;
  }

  /** Who has `disk`, or was the last one to have it. */
  byDisk(disk: string): Peer | undefined {
    return this.#sorted.find((peer) => peer.disk === disk);
  }

  /** `id` has told its disk; whoever had it before has not any more. True when that is new. */
  learnDisk(id: StorageId, disk: string): boolean {
    const known = this.#entries.get(id);
    if (known === undefined || known.disk === disk) return false;
    const before = this.#sorted.find((peer) => peer.disk === disk);
    if (before !== undefined) this.#entries.set(before.id, { ...before, disk: undefined });
    this.#entries.set(id, { ...known, disk });
    this.#sort();
    return true;
  }

  /** A member without storage id has another address, and thereby another id. True when that is new. */
  learnMove(from: StorageId, to: StorageId): boolean {
    if (this.#moves.size < maxPeers) this.#moves.set(to, from);
    return this.#follow(from, to);
  }

  #follow(from: StorageId, to: StorageId): boolean {
    const before = this.#entries.get(from);
    const after = this.#entries.get(to);
    if (before === undefined || after === undefined || from === to) return false;
    const former = [...before.addresses, ...before.formerAddresses, ...after.formerAddresses];
    const formerAddresses = distinct(former, after.addresses);
    if (formerAddresses.join() === after.formerAddresses.join()) return false;
    this.#entries.set(to, { ...after, formerAddresses, cairn: after.cairn ?? before.cairn });
    this.#sort();
    return true;
  }

  #listed(known: Entry | undefined, brief: StorageBrief, nowMs: number): Entry {
    const { id, status } = brief;
    const moved = known === undefined || known.status !== status;
    const entry: Entry = {
      id,
      addresses: known?.addresses ?? [],
      formerAddresses: known?.formerAddresses ?? [],
      port: brief.port === 0 ? (known?.port ?? 0) : brief.port,
      status,
      sinceMs: moved ? nowMs : known.sinceMs,
      mode: known?.mode ?? readWriteMode.both,
      cairn: known?.cairn,
      disk: known?.disk,
      assertedUntilMs: known?.assertedUntilMs ?? 0,
    };
    return this.#placed(entry, brief.address);
  }

  /** With its addresses as the table of ids has them, else with the one that is known. */
  #placed(known: Entry, address: string): Entry {
    const row = this.#ids.get(known.id);
    const told = isIpAddress(address) ? [address] : known.addresses;
    const addresses = row === undefined ? told : withTold(row.addresses, told);
    const former = distinct([...known.addresses, ...known.formerAddresses], addresses);
    return {
      ...known,
      addresses,
      formerAddresses: former,
      port: known.port === 0 ? (row?.port ?? 0) : known.port,
      mode: row?.mode ?? readWriteMode.both,
    };
  }

  #sort(): void {
    this.#sorted = [...this.#entries.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
    this.#briefs = this.#sorted.map(briefOf);
  }
}

/** The one that the tracker chose for our kind of network comes first. */
function withTold(row: readonly string[], told: readonly string[]): readonly string[] {
  const first = told.filter((address) => row.includes(address));
  return first.length === 0 ? row : [...first, ...row.filter((each) => !first.includes(each))];
}

function distinct(addresses: readonly string[], except: readonly string[]): readonly string[] {
  return [...new Set(addresses)]
    .filter((address) => !except.includes(address))
    .slice(0, maxFormerAddresses);
}

function briefOf({ status, port, id, addresses }: Peer): StorageBrief {
  return { status, port, id, address: addresses[0] ?? "" };
}

function isSame(one: Entry, other: Entry): boolean {
  return (
    one.status === other.status &&
    one.port === other.port &&
    one.mode === other.mode &&
    one.addresses.join() === other.addresses.join() &&
    one.formerAddresses.join() === other.formerAddresses.join()
  );
}

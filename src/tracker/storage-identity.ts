/**
 * Who a storage is: by the storage ids file where there is one, else by its address (protocol §2.4/81 step 6, §3.10, §9.6).
 * Immutable.
 */
import type { GroupName } from "#model/group-name.ts";
import { isIpv4 } from "#model/ip-address.ts";
import { ipv6ShortCode } from "#model/ipv6-short-code.ts";
import { StorageId } from "#model/storage-id.ts";
import { formatStorageIdLine, type StorageIdEntry } from "#model/storage-id-line.ts";
import { type ReadWriteMode, readWriteMode } from "#model/storage-status.ts";
import { maxStorageIdsReplyBytes } from "#tracker/limits.ts";

export interface StorageIdentity {
  readonly id: StorageId;
  readonly group: GroupName;
  /** One or two. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly mode: ReadWriteMode;
}

/** Where a storage says, or is seen, to be. */
export interface StoragePlace {
  readonly group: string;
  readonly address: string;
  readonly port: number;
}

export class StorageIdTable {
  /** Sorted by id, bytewise. */
  readonly entries: readonly StorageIdEntry[];
  readonly #byId: ReadonlyMap<string, StorageIdEntry>;
  readonly #byPlace: ReadonlyMap<string, StorageIdEntry>;

  constructor(entries: readonly StorageIdEntry[]) {
    this.entries = [...entries].sort((one, other) => (one.id < other.id ? -1 : 1));
    this.#byId = new Map(this.entries.map((entry) => [entry.id, entry]));
    this.#byPlace = new Map(
      this.entries.flatMap((entry) =>
        entry.addresses.map((address) => [placeKey(address, entry.port), entry] as const),
      ),
    );
  }

  byId(id: string): StorageIdEntry | undefined {
    return this.#byId.get(id);
  }

  /** Addresses and ports are unique over all groups. */
  byAddress(address: string, port: number): StorageIdEntry | undefined {
    return this.#byPlace.get(placeKey(address, port));
  }

  byPlace(place: StoragePlace): StorageIdEntry | undefined {
    const entry = this.byAddress(place.address, place.port);
    return entry?.group === place.group ? entry : undefined;
  }

  /** The entries from `start` on that fit one reply, at least one. */
  page(start: number): readonly StorageIdEntry[] {
    let bytes = 8;
    let end = start;
    for (; end < this.entries.length; end += 1) {
      bytes += formatStorageIdLine(this.entries[end] as StorageIdEntry).length + 1;
      if (bytes > maxStorageIdsReplyBytes && end > start) break;
    }
    return this.entries.slice(start, end);
  }
}

/** Undefined where the table knows no such storage. `claimedId` is what the storage says itself, if that is to be trusted. */
export function identify(
  table: StorageIdTable | undefined,
  place: StoragePlace & { readonly group: GroupName },
  claimedId: StorageId | undefined,
): StorageIdentity | undefined {
  if (table === undefined) {
    const { group, address, port } = place;
    const id = idOfAddress(address);
    return { id, group, addresses: [address], port, mode: readWriteMode.both };
  }
  return claimedId === undefined ? table.byPlace(place) : table.byId(claimedId);
}

/** An IPv4 address is its own id; an IPv6 address has a short code, with which C never made a file id (§3.10). */
export function idOfAddress(address: string): StorageId {
  return isIpv4(address) ? StorageId(address) : ipv6ShortCode(address);
}

function placeKey(address: string, port: number): string {
  return `${address} ${port}`;
}

/**
 * What this storage has learnt from its trackers: the cluster's parameters, the table of storage ids, its own address and
 * id, the members of its group. Every reporter writes here; handlers and the file store read. Main thread.
 */
import { parseByteSize } from "#base/byte-size.ts";
import type { StorePathPolicy } from "#filestore/path-selector.ts";
import type { ReservedSpace } from "#filestore/settings.ts";
import type { Endpoint } from "#model/endpoint.ts";
import type { FileSource } from "#model/file-id.ts";
import { isIpv4 } from "#model/ip-address.ts";
import type { StorageId } from "#model/storage-id.ts";
import type { StorageIdEntry } from "#model/storage-id-line.ts";
import { type ReadWriteMode, readWriteMode, type StorageStatus } from "#model/storage-status.ts";
import type { ChangeReport } from "#protocol/fastdfs/change-report.ts";
import type { Parameter } from "#protocol/fastdfs/tracker-lookups.ts";
import type { StorageBrief } from "#protocol/fields.ts";
import { trackerParameter } from "#protocol/peer/trunk-lease.ts";
import {
  isGone,
  type MergeOutcome,
  type Peer,
  PeerDirectory,
  type SavedPeer,
} from "#storage/peer-directory.ts";
import {
  defaultTrunkParameters,
  isTrue,
  readTrunkParameters,
  type TrunkParameters,
} from "#storage/trunk-parameters.ts";

/** The part of PARAMETER_REQ that a storage acts upon (protocol §2.4/75). */
export interface ClusterParameters {
  readonly usesStorageIds: boolean;
  readonly idsInFilenames: boolean;
  readonly addressWidth: 16 | 46;
  readonly storePathPolicy: StorePathPolicy;
  readonly reserved: ReservedSpace;
  readonly trunk: TrunkParameters;
  /** The tracker is one of ours. */
  readonly cairn: boolean;
  /** Storages without ids may report that their address has changed, and ask what became of others. */
  readonly adjustsAddresses: boolean;
}

const gibibyte = 1024 ** 3;
const nothingNew: MergeOutcome = { changed: false, contradicted: [] };

/** What the original assumes where a key is missing. */
export const defaultParameters: ClusterParameters = {
  usesStorageIds: false,
  idsInFilenames: false,
  addressWidth: 16,
  storePathPolicy: "round-robin",
  reserved: { kind: "bytes", bytes: gibibyte },
  trunk: defaultTrunkParameters,
  cairn: false,
  adjustsAddresses: true,
};

/** Missing or unreadable keys keep their defaults, as in the original. */
export function readParameters(lines: readonly Parameter[]): ClusterParameters {
  const values = new Map(lines.map(([name, value]) => [name.trim(), value.trim()]));
  return {
    usesStorageIds: isTrue(values.get("use_storage_id")),
    idsInFilenames: values.get("id_type_in_filename") === "id",
    addressWidth: values.get("response_ip_addr_size") === "46" ? 46 : 16,
    storePathPolicy: values.get("store_path") === "2" ? "most-free" : "round-robin",
    reserved: readReserved(values.get("reserved_storage_space")),
    trunk: readTrunkParameters(lines),
    cairn: values.has(trackerParameter),
    adjustsAddresses: isTrue(values.get("storage_ip_changed_auto_adjust") ?? "1"),
  };
}

function readReserved(value: string | undefined): ReservedSpace {
  if (value === undefined) return defaultParameters.reserved;
  if (value.endsWith("%")) {
    const percent = Number.parseFloat(value);
    return percent >= 0 && percent < 100
      ? { kind: "percent", percent }
      : defaultParameters.reserved;
  }
  const bytes = parseByteSize(value);
  return bytes === undefined ? defaultParameters.reserved : { kind: "bytes", bytes };
}

export class ClusterView {
  readonly #announcedAddress: string;
  #parameters = defaultParameters;
  #ids: ReadonlyMap<StorageId, StorageIdEntry> = new Map();
  #ownId: StorageId | undefined;
  #seenAddress: string | undefined;
  /** The newest first. */
  #ownAddresses: readonly string[] = [];
  #directory = new PeerDirectory();
  #isListed = false;
  #leader: Endpoint | undefined;
  #trunkServer: StorageBrief | undefined;
  readonly #answeredJoin = new Set<string>();
  /** Who file ids come from may have changed. */
  onSourceChange: () => void = () => {};
  /** The group's members or its trunk server may have changed; for one listener, others use `addGroupListener`. */
  onGroupChange: () => void = () => {};
  readonly #groupListeners = new Set<() => void>();

  /** `announcedAddress` is what we take for our own until a tracker tells what it sees. */
  constructor(announcedAddress: string) {
    this.#announcedAddress = announcedAddress;
  }

  get parameters(): ClusterParameters {
    return this.#parameters;
  }

  get ownId(): StorageId | undefined {
    return this.#ownId;
  }

  /** The group with ourselves and with those that are gone, as trackers tell it. */
  get members(): readonly StorageBrief[] {
    return this.#directory.briefs;
  }

  /** The same with everything that is known of each. */
  get peers(): readonly Peer[] {
    return this.#directory.peers;
  }

  /** A leading tracker has told since the start who the members are; those of an earlier run may not be all. */
  get isListed(): boolean {
    return this.#isListed;
  }

  /** As the sync links and restarts need it. */
  get directory(): PeerDirectory {
    return this.#directory;
  }

  /** What was known at the end of the last run; before anything is learnt. */
  restorePeers(saved: readonly SavedPeer[]): void {
    this.#directory = new PeerDirectory(saved);
  }

  /** Called whenever the group's members or its trunk server may have changed, until what is returned is called. */
  addGroupListener(listener: () => void): () => void {
    this.#groupListeners.add(listener);
    return () => this.#groupListeners.delete(listener);
  }

  /** What clients may do here, as the table of storage ids has it. */
  get ownMode(): ReadWriteMode {
    const own = this.#ownId === undefined ? undefined : this.#ids.get(this.#ownId);
    return own?.mode ?? readWriteMode.both;
  }

  /** The member that a file id names as its source, also by an address which it had before; undefined where nobody is known. */
  peerOf(source: FileSource): Peer | undefined {
    return source.kind === "id"
      ? this.#directory.byId(source.id)
      : this.#directory.byAddress(source.address);
  }

  get leader(): Endpoint | undefined {
    return this.#leader;
  }

  /** How our group's list has us; undefined until a leading tracker has told. `port` is ours. */
  ownStatus(port: number): StorageStatus | undefined {
    return this.members.find((member) => this.isOwn(member, port))?.status;
  }

  /** True for what tells about this storage; `port` is ours. */
  isOwn(member: StorageBrief, port: number): boolean {
    if (this.#parameters.usesStorageIds) return member.id === this.#ownId;
    return member.address === this.ownAddress && (member.port === port || member.port === 0);
  }

  /** Who divides the trunk files of the group; undefined while there is none, or no leading tracker has told. */
  get trunkServer(): StorageBrief | undefined {
    return this.#trunkServer;
  }

  /** How many of our trackers have answered a join since we started, be it with a refusal. */
  get joinsAnswered(): number {
    return this.#answeredJoin.size;
  }

  /** `tracker` by any text that tells it from the others. */
  learnJoinAnswer(tracker: string): void {
    this.#answeredJoin.add(tracker);
  }

  /** What goes into the file ids made here. */
  get source(): FileSource {
    if (this.#parameters.usesStorageIds && this.#parameters.idsInFilenames && this.#ownId) {
      return { kind: "id", id: this.#ownId };
    }
    const seen = this.#seenAddress;
    const address = seen !== undefined && isIpv4(seen) ? seen : this.#announcedAddress;
    return { kind: "address", address };
  }

  /** Empty where the table does not know the id. */
  addressOf(id: StorageId): string {
    return this.#ids.get(id)?.addresses[0] ?? this.#directory.byId(id)?.addresses[0] ?? "";
  }

  /** True where the table of storage ids has `member` elsewhere, or not at all: a newer one may be there. */
  misses(member: StorageBrief): boolean {
    if (!this.#parameters.usesStorageIds || isGone(member.status)) return false;
    return this.#ids.get(member.id)?.addresses.includes(member.address) !== true;
  }

  learnParameters(parameters: ClusterParameters): void {
    this.#change(() => {
      this.#parameters = parameters;
    });
  }

  learnIds(entries: readonly StorageIdEntry[], ownId: StorageId | undefined): void {
    this.#change(() => {
      this.#ids = new Map(entries.map((entry) => [entry.id, entry]));
      this.#ownId = ownId;
    });
    if (this.#directory.learnIds(entries)) this.#groupChanged();
  }

  /** The table that a tracker told last; undefined where it has none. */
  get storageIds(): readonly StorageIdEntry[] | undefined {
    return this.parameters.usesStorageIds ? [...this.#ids.values()] : undefined;
  }

  /** As trackers see us, or as the settings say. */
  get ownAddress(): string {
    return this.#seenAddress ?? this.#announcedAddress;
  }

  /** True for every address that is, or was, ours. */
  isOwnAddress(address: string): boolean {
    const row = this.#ownId === undefined ? undefined : this.#ids.get(this.#ownId);
    const now = address === this.ownAddress || address === this.#announcedAddress;
    return now || row?.addresses.includes(address) === true || this.#ownAddresses.includes(address);
  }

  /** What we were seen at in earlier runs. */
  learnOwnAddresses(addresses: readonly string[]): void {
    this.#ownAddresses = addresses;
  }

  learnAddress(address: string): void {
    this.#change(() => {
      this.#seenAddress = address;
    });
  }

  /** What a beat, or what is answered like one, brought. `nowMs` is monotonic. */
  learnChanges(report: ChangeReport, nowMs: number = 0): MergeOutcome {
    const { members, trunkServer, leader } = report;
    if (leader !== undefined) this.#leader = leader === "none" ? undefined : leader;
    if (trunkServer !== undefined) {
      this.#trunkServer = trunkServer === "none" ? undefined : trunkServer;
    }
    const outcome = members === undefined ? nothingNew : this.#directory.merge(members, nowMs);
    this.#isListed ||= members !== undefined;
    if (members !== undefined || trunkServer !== undefined) this.#groupChanged();
    return outcome;
  }

  /** We fill `id` and have told the trackers, or are about to. False where it is no member. */
  assertStatus(id: StorageId, status: StorageStatus, nowMs: number): boolean {
    if (!this.#directory.assert(id, status, nowMs)) return false;
    this.#groupChanged();
    return true;
  }

  /** A sync link has found out what `id` is. */
  learnCairn(id: StorageId, cairn: boolean): void {
    if (this.#directory.learnCairn(id, cairn)) this.#groupChanged();
  }

  /** It has told by which disk it is known. */
  learnDisk(id: StorageId, disk: string): void {
    if (this.#directory.learnDisk(id, disk)) this.#groupChanged();
  }

  /** A member without storage id goes on under another address. */
  learnMove(from: StorageId, to: StorageId): void {
    if (this.#directory.learnMove(from, to)) this.#groupChanged();
  }

  #groupChanged(): void {
    this.onGroupChange();
    for (const listener of this.#groupListeners) listener();
  }

  #change(apply: () => void): void {
    const before = JSON.stringify(this.source);
    apply();
    if (JSON.stringify(this.source) !== before) this.onSourceChange();
  }
}

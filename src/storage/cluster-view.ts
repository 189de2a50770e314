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
import type { StorageStatus } from "#model/storage-status.ts";
import type { ChangeReport } from "#protocol/fastdfs/change-report.ts";
import type { Parameter } from "#protocol/fastdfs/tracker-lookups.ts";
import type { StorageBrief } from "#protocol/fields.ts";
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
}

const gibibyte = 1024 ** 3;

/** What the original assumes where a key is missing. */
export const defaultParameters: ClusterParameters = {
  usesStorageIds: false,
  idsInFilenames: false,
  addressWidth: 16,
  storePathPolicy: "round-robin",
  reserved: { kind: "bytes", bytes: gibibyte },
  trunk: defaultTrunkParameters,
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
  #members: readonly StorageBrief[] = [];
  #leader: Endpoint | undefined;
  #trunkServer: StorageBrief | undefined;
  readonly #answeredJoin = new Set<string>();
  /** Who file ids come from may have changed. */
  onSourceChange: () => void = () => {};
  /** The group's members or its trunk server may have changed. */
  onGroupChange: () => void = () => {};

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

  get members(): readonly StorageBrief[] {
    return this.#members;
  }

  get leader(): Endpoint | undefined {
    return this.#leader;
  }

  /** How our group's list has us; undefined until a leading tracker has told. `port` is ours. */
  ownStatus(port: number): StorageStatus | undefined {
    return this.#members.find((member) => this.isOwn(member, port))?.status;
  }

  /** True for what tells about this storage; `port` is ours. */
  isOwn(member: StorageBrief, port: number): boolean {
    if (this.#parameters.usesStorageIds) return member.id === this.#ownId;
    const address = this.#seenAddress ?? this.#announcedAddress;
    return member.address === address && (member.port === port || member.port === 0);
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
    return this.#ids.get(id)?.addresses[0] ?? "";
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
  }

  learnAddress(address: string): void {
    this.#change(() => {
      this.#seenAddress = address;
    });
  }

  learnChanges(report: ChangeReport): void {
    if (report.members !== undefined) this.#members = report.members;
    if (report.leader !== undefined) {
      this.#leader = report.leader === "none" ? undefined : report.leader;
    }
    if (report.trunkServer !== undefined) {
      this.#trunkServer = report.trunkServer === "none" ? undefined : report.trunkServer;
    }
    if (report.members !== undefined || report.trunkServer !== undefined) this.onGroupChange();
  }

  #change(apply: () => void): void {
    const before = JSON.stringify(this.source);
    apply();
    if (JSON.stringify(this.source) !== before) this.onSourceChange();
  }
}

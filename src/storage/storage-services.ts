/** What the handlers of one storage share. Main thread. */
import type { FileStore } from "#filestore/file-store.ts";
import type { FileSource } from "#model/file-id.ts";
import type { StorageId } from "#model/storage-id.ts";
import {
  isReadable,
  isWritable,
  type ReadWriteMode,
  readWriteMode,
} from "#model/storage-status.ts";
import type { Clock } from "#platform/clock.ts";
import { askedOnBehalf } from "#protocol/fastdfs/storage-files.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { AccessLog } from "#storage/access-log.ts";
import { RecentAddresses } from "#storage/recent-addresses.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";
import type { StorageCounters } from "#storage/storage-statistics.ts";
import { wireStatusOf } from "#storage/wire-statuses.ts";

/** Those who asked first are forgotten for others. */
const maxRecoveringPeers = 64;

export interface StorageServicesParts {
  readonly settings: StorageSettings;
  /** What clients are served from, with what only peers have; and what is here. */
  readonly store: FileStore;
  readonly local: FileStore;
  readonly clock: Clock;
  readonly counters: StorageCounters;
  readonly accessLog: AccessLog | undefined;
  /** Address of a numeric storage id as the trackers' table has it; empty where unknown. */
  readonly addressOfId: (id: StorageId) => string;
  /** Trackers have the storage at this address in RECOVERY. */
  readonly isRecovering?: (address: string) => boolean;
  /** A member of the group at this address is one of C's. */
  readonly isStorageOfC?: (address: string) => boolean;
  /** What clients may do here as the trackers' table has it (`rw=`); it may change while we run. */
  readonly tableMode: () => ReadWriteMode;
}

export class StorageServices {
  readonly settings: StorageSettings;
  readonly store: FileStore;
  readonly local: FileStore;
  readonly clock: Clock;
  readonly counters: StorageCounters;
  readonly accessLog: AccessLog | undefined;
  /**
   * Addresses of storages that asked for the list of a store path. A C storage that rebuilds one asks for an empty file for ever, once
   * that is refused as clients expect it (protocol §7); what releases before 6.15.4 answered, it takes.
   */
  readonly recoveringPeers = new RecentAddresses(maxRecoveringPeers);
  readonly #isRecovering: (address: string) => boolean;
  readonly #isStorageOfC: (address: string) => boolean;
  readonly #addressOfId: (id: StorageId) => string;
  readonly #tableMode: () => ReadWriteMode;

  constructor(parts: StorageServicesParts) {
    this.settings = parts.settings;
    this.store = parts.store;
    this.local = parts.local;
    this.clock = parts.clock;
    this.counters = parts.counters;
    this.accessLog = parts.accessLog;
    this.#addressOfId = parts.addressOfId;
    this.#tableMode = parts.tableMode;
    this.#isRecovering = parts.isRecovering ?? (() => false);
    this.#isStorageOfC = parts.isStorageOfC ?? (() => false);
  }

  /** True where empty files are to be given to `address` as what they are. */
  takesEmptyFiles(address: string): boolean {
    return this.recoveringPeers.has(address) || this.#isRecovering(address);
  }

  /** What another storage reads for a client of its own is read here or not at all: two that lack the same disk would ask each other for ever. */
  storeToRead({ headerStatus = 0 }: { readonly headerStatus?: number }): FileStore {
    return (headerStatus & askedOnBehalf) === 0 ? this.store : this.local;
  }

  /** As `storeToRead`. Storages of C ask each other before they send, with flags: they want to know what is here, and clients what the group has. */
  storeToTell(request: { readonly headerStatus: number }, address: string): FileStore {
    const isOfC = request.headerStatus !== 0 && this.#isStorageOfC(address);
    return isOfC ? this.local : this.storeToRead(request);
  }

  /** Another group than ours is EINVAL at a storage (protocol §2.6). */
  checkGroup(group: string): void {
    if (group !== this.settings.group) {
      throw new WireStatusError(
        wireStatus.invalid,
        `this storage belongs to ${this.settings.group}`,
      );
    }
  }

  /** What our own settings and the table both allow; replication is not concerned. */
  get mode(): ReadWriteMode {
    return (readWriteMode[this.settings.mode] & this.#tableMode()) as ReadWriteMode;
  }

  checkMayWrite(): void {
    if (!isWritable(this.mode)) {
      throw new WireStatusError(wireStatus.accessDenied, "this storage is set to take no changes");
    }
  }

  checkMayRead(): void {
    if (!isReadable(this.mode)) {
      throw new WireStatusError(wireStatus.accessDenied, "this storage is set to answer no reads");
    }
  }

  addressOfSource(source: FileSource): string {
    return source.kind === "address" ? source.address : this.#addressOfId(source.id);
  }

  statusOf(error: unknown): number {
    return wireStatusOf(error) ?? wireStatus.ioError;
  }
}

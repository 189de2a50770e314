/** What the handlers of one storage share. Main thread. */
import type { LocalFileStore } from "#filestore/local-file-store.ts";
import type { FileSource } from "#model/file-id.ts";
import type { StorageId } from "#model/storage-id.ts";
import type { Clock } from "#platform/clock.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { AccessLog } from "#storage/access-log.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";
import type { StorageCounters } from "#storage/storage-statistics.ts";
import { wireStatusOf } from "#storage/wire-statuses.ts";

export interface StorageServicesParts {
  readonly settings: StorageSettings;
  readonly store: LocalFileStore;
  readonly clock: Clock;
  readonly counters: StorageCounters;
  readonly accessLog: AccessLog | undefined;
  /** Address of a numeric storage id as the trackers' table has it; empty where unknown. */
  readonly addressOfId: (id: StorageId) => string;
}

export class StorageServices {
  readonly settings: StorageSettings;
  readonly store: LocalFileStore;
  readonly clock: Clock;
  readonly counters: StorageCounters;
  readonly accessLog: AccessLog | undefined;
  readonly #addressOfId: (id: StorageId) => string;

  constructor(parts: StorageServicesParts) {
    this.settings = parts.settings;
    this.store = parts.store;
    this.clock = parts.clock;
    this.counters = parts.counters;
    this.accessLog = parts.accessLog;
    this.#addressOfId = parts.addressOfId;
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

  checkMayWrite(): void {
    if (this.settings.mode === "read" || this.settings.mode === "none") {
      throw new WireStatusError(wireStatus.accessDenied, "this storage is set to take no changes");
    }
  }

  checkMayRead(): void {
    if (this.settings.mode === "write" || this.settings.mode === "none") {
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

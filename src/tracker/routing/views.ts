/** What the routing rules look at; the tracker's records satisfy it. All lists are sorted as §9 says: groups by name, storages by id. */
import type { GroupName } from "#model/group-name.ts";
import type { StorageId } from "#model/storage-id.ts";

/** MB of 2^20 bytes, as the storage reported it last. */
export interface Space {
  readonly totalMb: number;
  readonly freeMb: number;
}

export interface StorageView extends Space {
  readonly id: StorageId;
  /** The smaller one is preferred. */
  readonly uploadPriority: number;
  readonly storePaths: readonly Space[];
  /** Index of the store path that takes the next upload. */
  readonly currentWritePath: number;
  /** Files of the group stored before this have arrived (protocol §2.4/89); Unix seconds. */
  readonly lastSyncedTimestamp: number;
  /**
   * Up to which name time of a source (exclusive) it has everything, by the source as names carry it (`NameFacts.sourceKey`); what is
   * not in it is unknown. Undefined of a storage that does not tell, which is C's.
   */
  readonly held: ReadonlyMap<number, number> | undefined;
}

export interface GroupView<Storage extends StorageView = StorageView> extends Space {
  readonly name: GroupName;
  readonly trunkFreeMb: number;
  readonly storePathCount: number;
  /** ACTIVE storages whose mode allows reading. */
  readonly readable: readonly Storage[];
  /** ACTIVE storages whose mode allows writing. */
  readonly writable: readonly Storage[];
}

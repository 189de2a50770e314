/** What the shelf of a node's disks needs, and what it tells. Types only. */

import type { Log } from "#base/log.ts";
import type { NodeIdentity } from "#daemon/node-identity.ts";
import type { DiskMap } from "#disks/disk-map.ts";
import type { DiskVerdict, FormerNode } from "#disks/disk-plan.ts";
import type { Passport } from "#disks/passport.ts";
import type { DiskFinder } from "#disks/seen-disk.ts";
import type { DiskFile } from "#filestore/disk-file.ts";
import type { DiskId } from "#model/disk-id.ts";
import type { GroupName } from "#model/group-name.ts";
import type { Clock } from "#platform/clock.ts";

/** A store path and where it is now; without a directory, it has no disk, and `why` says so. */
export interface PlacedPath {
  readonly index: number;
  readonly directory: string;
  readonly diskDirectory: string | undefined;
  /** The disk may carry another id than the one that had this index. */
  readonly takesOver: boolean;
  readonly why: string | undefined;
}

/** The store, as the shelf needs it. */
export interface ShelfStore {
  addPath(path: PlacedPath): Promise<void>;
  takePath(index: number, why: string): Promise<void>;
  /** It is added again soon. */
  takePathBriefly(index: number, why: string): Promise<void>;
  /** By which id the path is known once it was opened. */
  pathId(index: number): string | undefined;
  writeDiskFile(storePathIndex: number, file: DiskFile): Promise<void>;
}

export interface DiskShelfParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly finder: DiskFinder;
  /** Changes whenever the finder may find something else. */
  readonly stamp: () => string;
  readonly map: DiskMap;
  readonly identity: NodeIdentity;
  /** Of the node, for people. */
  readonly name: string;
  readonly group: GroupName;
  /** Store paths of the settings, which come first. */
  readonly configured: number;
  /** New ones of a disk that is given to the node; left out: one. */
  readonly pathsPerDisk?: number;
  /** Writes a passport to a disk from which nothing is served. */
  readonly writeBare?: (mountPoint: string, text: string) => Promise<void>;
}

/** A disk of this node that is there and mounted. */
export interface OwnDisk {
  readonly diskId: DiskId;
  /** For people. */
  readonly name: string;
  readonly mountPoint: string;
  readonly passport: Passport;
  /** Store paths that are served from it. */
  readonly served: readonly number[];
}

export interface ShelfReport {
  readonly disks: readonly DiskVerdict[];
  readonly former: FormerNode | undefined;
}

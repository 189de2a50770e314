/**
 * What the node remembers of the disks that it was given: a cache of their passports, and what became of them since. A passport that is
 * seen wins; what is remembered tells of those that are away. Types only.
 */
import type { DiskId } from "#model/disk-id.ts";

/**
 * `store`: its store paths are served from it. `adopting`: somebody said that a disk of another node is ours from now on, and its passport
 * does not say so yet. `replaced`: another disk has taken its place, and what it has is out of date.
 */
export type DiskRole = "store" | "adopting" | "replaced";

export interface KnownDiskPath {
  readonly index: number;
  /** As in `.cairn/path`; undefined before it was opened for the first time. */
  readonly id: string | undefined;
  /** Relative to the mount point. */
  readonly directory: string;
  /** As in the passport. */
  readonly moves?: number;
}

export interface KnownDisk {
  readonly diskId: DiskId;
  readonly role: DiskRole;
  /** Ordered by index. */
  readonly paths: readonly KnownDiskPath[];
  /** Unix seconds, by the node's clock: when it was last there. */
  readonly seenAt: number;
}

export interface DiskMap {
  load(): readonly KnownDisk[];
  /** Replaces what was known of the disk. */
  save(disk: KnownDisk): void;
}

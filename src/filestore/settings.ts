/** What the engine needs to know of the configuration; cloned to each store-path worker. */
import type { FileSource } from "#model/file-id.ts";

export type Durability = "flushed" | "relaxed";

/** Reserved space as the tracker's rules count it (protocol §9.4). */
export type ReservedSpace =
  | { readonly kind: "bytes"; readonly bytes: number }
  | { readonly kind: "percent"; readonly percent: number };

/** A store path as a node remembers it. */
export interface KnownPath {
  /** Its own, which lies on it: 32 hexadecimal digits. */
  readonly id: string;
  /** Its directory was a mount point. */
  readonly ownMount: boolean;
}

export interface StorePathSettings {
  readonly index: number;
  readonly directory: string;
  readonly readOnly: boolean;
  readonly subdirCount: number;
  /** Makes the whole tree at start, for a C storage that is to take the path over. */
  readonly createAllDirectories: boolean;
  readonly distribution: "round-robin" | "hash";
  /** Files a directory takes before the next one is used. */
  readonly rotateCount: number;
  readonly durability: Durability;
  /** Of the path's journal (`worker/journal`), bytes; 0 for none. Only where changes are flushed. */
  readonly journalBytes: number;
  /** Whether small files may be packed into trunk files: `auto` where the disk turns. What is done is told at run time, too. */
  readonly packing: "auto" | "on" | "off";
  /** Content of normal files that is here already is not stored again. Such files are not packed. */
  readonly dedup: boolean;
  /** Who file ids made here say they come from (protocol §3.3). */
  readonly source: FileSource;
  /** Where a C storage kept its binlog, for the first start on its store path; empty where there was none. */
  readonly adoptBasePath: string;
  /** Of the disk that the path lies on, for what it carries beside its store paths; left out where it is not a disk of the node's own. */
  readonly diskDirectory?: string;
  /** A disk that carries another path's id is this path from now on. */
  readonly takesOver?: boolean;
  /** Left out: any directory is taken for the path. `newId` is for one that carries none, and the same until it is `known`: which it was before. */
  readonly identity?: { readonly newId: string; readonly known?: KnownPath };
}

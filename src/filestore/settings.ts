/** What the engine needs to know of the configuration; cloned to each store-path worker. */
import type { FileSource } from "#model/file-id.ts";

export type Durability = "flushed" | "relaxed";

/** Reserved space as the tracker's rules count it (protocol §9.4). */
export type ReservedSpace =
  | { readonly kind: "bytes"; readonly bytes: number }
  | { readonly kind: "percent"; readonly percent: number };

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
  /** Whether small files may be packed into trunk files: `auto` where the disk turns. What is done is told at run time, too. */
  readonly packing: "auto" | "on" | "off";
  /** Content of normal files that is here already is not stored again. Such files are not packed. */
  readonly dedup: boolean;
  /** Who file ids made here say they come from (protocol §3.3). */
  readonly source: FileSource;
  /** Where a C storage kept its binlog, for the first start on its store path; empty where there was none. */
  readonly adoptBasePath: string;
}

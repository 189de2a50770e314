/** What everything that works on one opened store path shares. Worker thread. */
import type { Log } from "#base/log.ts";
import type { BinlogWriter } from "#filestore/binlog/binlog-writer.ts";
import type { ContentLinks } from "#filestore/dedup/content-links.ts";
import type { RecheckFacts } from "#filestore/recheck-facts.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import type { PackedFiles } from "#filestore/trunk/packed-files.ts";
import type { DirectoryChooser } from "#filestore/worker/directory-chooser.ts";
import type { DirectoryTree } from "#filestore/worker/directory-tree.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import type { IssuedNames } from "#filestore/worker/issued-names.ts";
import type { CommitJournal } from "#filestore/worker/journal/commit-journal.ts";
import type { NameTimes } from "#filestore/worker/name-times.ts";
import type { Recheck } from "#filestore/worker/recheck/recheck.ts";
import type { RemovedNames } from "#filestore/worker/replicas/removed-names.ts";
import type { RoomReserve } from "#filestore/worker/room-reserve.ts";
import type { StagedFiles } from "#filestore/worker/staged-files.ts";
import type { FileSource } from "#model/file-id.ts";
import type { Clock } from "#platform/clock.ts";
import type { Databases } from "#platform/databases.ts";
import type { DiskReads } from "#platform/disk-reads.ts";
import type { FileError, Files } from "#platform/files.ts";
import type { Random } from "#platform/random.ts";

/** The world, as the engine is given it. */
export interface EngineParts {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Asked for by paths that need one; without any they do as well as they can. */
  readonly databases?: () => Databases;
  /**
   * A flush failed. The kernel may have dropped what was not on stable storage, hence nothing that was written since the last good
   * flush can be relied on; the changes that waited for this one end with an error.
   */
  readonly onFlushFailed?: (error: FileError) => void;
  /** So many numbers for new trunk files are wanted. */
  readonly onLeaseWanted?: (count: number) => void;
  /** How far looking at files again is; undefined once nothing is in doubt. */
  readonly onRecheck?: (facts: RecheckFacts | undefined) => void;
  /** Reads past the cache; each of them keeps what it read last by itself. Without it the cache serves. */
  readonly diskReads?: () => DiskReads;
  /** Of this node, see `name-clock.ts`; without it the path's names have a clock of their own. */
  readonly nameMemory?: SharedArrayBuffer;
}

export interface StorePath
  extends Required<Omit<EngineParts, "databases" | "nameMemory" | "onRecheck" | "diskReads">> {
  readonly settings: StorePathSettings;
  /** Who new names say that they come from; an address may change while the path is served. */
  source: FileSource;
  /** The settings' durability: nothing counts before it is on stable storage. */
  readonly flushed: boolean;
  readonly layout: FileLayout;
  readonly tree: DirectoryTree;
  readonly directories: DirectoryChooser;
  readonly binlog: BinlogWriter;
  /** Where commits are flushed to first. */
  readonly journal: CommitJournal;
  /** Files with a change under way, by `lockKey`. */
  readonly locks: Set<string>;
  readonly issued: IssuedNames;
  /** What the times in new names are taken from. */
  readonly names: NameTimes;
  readonly staged: StagedFiles;
  readonly removed: RemovedNames;
  /** The last run ended in good order: whatever stands in a slot has its record. */
  readonly endedWell: boolean;
  /** What a full disk keeps for deletions. */
  readonly reserve: RoomReserve;
  /** Its trunk files: reading them is for all, packing new files where it is on. */
  readonly packed: PackedFiles;
  /** Undefined where no file is in doubt. */
  recheck: Recheck | undefined;
  /** Undefined where content is stored as often as it comes. */
  contents: ContentLinks | undefined;
}

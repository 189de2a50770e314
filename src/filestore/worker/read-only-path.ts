/**
 * A store path whose file system can only be read: after an error the kernel mounts it like that, and its files are as good as they
 * were. It is opened without a claim and without a binlog, for reading alone; what an interrupted run left is settled when it can be
 * written again, by a worker that opens it anew. Worker thread.
 */
import type { BinlogWriter } from "#filestore/binlog/binlog-writer.ts";
import { binlogStart } from "#filestore/binlog/position.ts";
import { fileStoreError } from "#filestore/errors.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import { PackedFiles } from "#filestore/trunk/packed-files.ts";
import { Checkpoint, readEngineState } from "#filestore/worker/checkpoint.ts";
import { DirectoryChooser } from "#filestore/worker/directory-chooser.ts";
import {
  checkSubdirCount,
  DirectoryTree,
  makeIfMissing,
} from "#filestore/worker/directory-tree.ts";
import { type FileStoreError, onDisk } from "#filestore/worker/disk-failure.ts";
import { FileLayout } from "#filestore/worker/file-layout.ts";
import { IssuedNames } from "#filestore/worker/issued-names.ts";
import { CommitJournal } from "#filestore/worker/journal/commit-journal.ts";
import { NameTimes } from "#filestore/worker/name-times.ts";
import type { OpenedStorePath } from "#filestore/worker/open-store-path.ts";
import { RemovedNames } from "#filestore/worker/replicas/removed-names.ts";
import { RoomReserve } from "#filestore/worker/room-reserve.ts";
import { StagedFiles } from "#filestore/worker/staged-files.ts";
import type { EngineParts, StorePath } from "#filestore/worker/store-path.ts";
import { initialDistribution } from "#model/directory-distribution.ts";

/** Undefined where it was never a store path. Throws as `openStorePath` does, for what is not that of this configuration. */
export function openReadOnly(
  settings: StorePathSettings,
  parts: EngineParts,
): OpenedStorePath | undefined {
  const { files, log } = parts;
  const layout = new FileLayout(settings.directory.replace(/(?<=.)\/+$/, ""), settings.index);
  if (files.stat(layout.data, true)?.kind !== "directory") return undefined;
  const state = readEngineState(files, layout);
  const noted = state === "damaged" ? undefined : state?.subdirCount;
  checkSubdirCount(files, layout, { configured: settings.subdirCount, noted });
  const { databases: _, nameMemory: memory, onRecheck: __, ...world } = parts;
  const settledBefore = state === undefined || state === "damaged" ? binlogStart : state.checkpoint;
  const limit = (state === "damaged" ? undefined : state?.nameLimit) ?? 0;
  const { clock } = parts;
  const names = new NameTimes({ clock, memory, storePathIndex: settings.index, start: limit });
  names.noted(limit);
  const tree = new DirectoryTree(files, layout, false);
  const directories = new DirectoryChooser(settings, initialDistribution);
  const onLeaseWanted = (): void => {};
  const packed = new PackedFiles(
    {
      ...world,
      settings: { ...settings, readOnly: true },
      layout,
      tree,
      directories,
      onLeaseWanted,
      onFlushFailed: () => {},
      flushed: false,
    },
    () => binlogStart,
  );
  const store: StorePath = {
    ...world,
    onLeaseWanted,
    onFlushFailed: parts.onFlushFailed ?? (() => {}),
    settings,
    source: settings.source,
    flushed: false,
    layout,
    get binlog(): BinlogWriter {
      throw refusalOf(settings.directory);
    },
    journal: new CommitJournal({ ...parts, layout, bytes: 0 }),
    tree,
    directories,
    packed,
    locks: new Set(),
    issued: new IssuedNames(Number.POSITIVE_INFINITY),
    names,
    staged: new StagedFiles(files, layout, log),
    removed: new RemovedNames({ files, layout, binlog: { position: binlogStart } }),
    endedWell: true,
    reserve: new RoomReserve({ files, clock, log, layout, onNoRoom: () => {} }),
    recheck: undefined,
    contents: undefined,
  };
  const checkpoint = new Checkpoint(
    { files, layout, log },
    // Peers read the binlog up to there.
    { subdirCount: settings.subdirCount, position: settledBefore },
  );
  const readOnly = "its file system can only be read";
  return {
    store,
    checkpoint,
    report: { rolledForward: 0, swept: 0, adopted: false, readOnly },
  };
}

/** What a change is answered with. */
export function refusalOf(directory: string): FileStoreError {
  const message = `${directory} is on a read-only file system: remount it for writing`;
  return fileStoreError("disk-failed", message, { details: { errno: "EROFS" } });
}

/** Ends well where the path can be written again, and is nobody else's. Throws `disk-failed`. */
export function requireWritable({ files, layout }: StorePath): void {
  onDisk("take the path for writing", () => {
    makeIfMissing(files, layout.own);
    files.claim(layout.own);
  });
}

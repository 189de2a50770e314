/** Puts the imports of foreign disks together with what they need of the node. */
import { posix } from "node:path";
import { AppError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import type { Config } from "#config/schema.ts";
import type { NodeStorage } from "#daemon/compose.ts";
import { DiskImports } from "#daemon/disk-imports.ts";
import type { ForeignDisks } from "#daemon/foreign-disks.ts";
import { importTailBytes, maxCandidates } from "#filestore/import/import-limits.ts";
import type { LocalFileStore } from "#filestore/local-file-store.ts";
import { DiskId, isDiskId } from "#model/disk-id.ts";
import type { Platform } from "#platform/platform.ts";
import { recentChanges } from "#sync/recent-deletions.ts";
import { syncStoreOf } from "#sync/sync-store.ts";

export interface NodeImportsParts {
  readonly log: Log;
  /** Undefined where the node stores no files. */
  readonly storage: NodeStorage | undefined;
  readonly address: string;
  /** Undefined where the node does not look after its disks. */
  readonly foreign: ForeignDisks | undefined;
}

/** What was under way when the node ended goes on. */
export function startImports(
  { host, children, clock }: Platform,
  { node, storage: settings }: Config,
  parts: NodeImportsParts,
): DiskImports | undefined {
  const { log, storage, address, foreign } = parts;
  if (storage === undefined) return undefined;
  const { store } = storage;
  const own = (): ForeignDisks => {
    if (foreign !== undefined) return foreign;
    throw new AppError(
      "not-allowed",
      "this node does not look after its disks (disks.manage): mount the disk read-only, and name the directory of its store path",
    );
  };
  const imports = new DiskImports({
    ...{ host, children, clock, log },
    directory: posix.resolve(host.workingDirectory, node.dataDir, "imports"),
    served: () =>
      store.paths.map(({ directory }) => posix.resolve(host.workingDirectory, directory)),
    storage: () => ({ address, port: storage.storage.port, group: settings.group }),
    foreignDisk: (diskId) => own().passport(checked(diskId)),
    mount: (diskId) => own().mount(checked(diskId)),
    namesSince: (seconds) => namesSince(store, seconds),
  });
  imports.start();
  return imports;
}

function checked(text: string): DiskId {
  if (isDiskId(text)) return DiskId(text);
  throw new AppError(
    "disk-unknown",
    `"${text}" is no disk: "cairn disk found" lists those that are`,
  );
}

/** As the binlogs have them, and no more than an interrupted import can have made. */
async function namesSince(store: LocalFileStore, seconds: number): Promise<readonly string[]> {
  const names: string[] = [];
  const sync = syncStoreOf(store);
  for (const { index, state } of store.paths) {
    if (state === "offline") continue;
    for await (const entry of recentChanges(sync, index, importTailBytes)) {
      const isOwn = entry.kind === "create" && !entry.replica && entry.timestamp >= seconds;
      if (isOwn && names.length < maxCandidates) names.push(entry.name);
    }
  }
  return names;
}

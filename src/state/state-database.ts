/**
 * state.sqlite: everything a node must remember that is not a file of its users, such as membership, cursors and settings made
 * at run time. Owned by the main thread; roles keep their tables in `*-table.ts` of their own folder. Never on the path of an
 * upload (32 µs an insert).
 */
import { AppError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import type { Database, Databases } from "#platform/databases.ts";
import { type Migration, migrate } from "#state/migrate.ts";
import { trackerTables } from "#state/migrations/0001-tracker-tables.ts";
import { storageTables } from "#state/migrations/0002-storage-tables.ts";
import { storageDialect } from "#state/migrations/0003-storage-dialect.ts";
import { storagePeers } from "#state/migrations/0004-storage-peers.ts";
import { storageHeld } from "#state/migrations/0005-storage-held.ts";
import { storagePaths } from "#state/migrations/0006-storage-paths.ts";
import { mirrorStorage } from "#state/migrations/0007-mirror-storage.ts";
import { peerDisks } from "#state/migrations/0008-peer-disks.ts";
import { diskMap } from "#state/migrations/0009-disk-map.ts";
import { diskHealth } from "#state/migrations/0010-disk-health.ts";
import { storePathMoves } from "#state/migrations/0011-store-path-moves.ts";

export const stateFilename = "state.sqlite";

/** In order; the last one's number is the version of the layout. */
export const stateMigrations: readonly Migration[] = [
  trackerTables,
  storageTables,
  storageDialect,
  storagePeers,
  storageHeld,
  storagePaths,
  mirrorStorage,
  peerDisks,
  diskMap,
  diskHealth,
  storePathMoves,
];

/** Opens the database in `path` at its newest layout. Throws `AppError("state-unusable")`. */
export function openStateDatabase(databases: Databases, path: string, log: Log): Database {
  let database: Database | undefined;
  try {
    database = databases.open(path);
    const { before, after } = migrate(database, stateMigrations);
    if (before !== after) log.notice("state-migrated", { path, before, after });
    if (after > stateMigrations.length) {
      log.warn("state-of-newer-release", { path, version: after, known: stateMigrations.length });
    }
    return database;
  } catch (cause) {
    database?.close();
    throw new AppError(
      "state-unusable",
      `the state database ${path} cannot be used: check that its directory is writable and the file undamaged`,
      { cause, details: { path } },
    );
  }
}

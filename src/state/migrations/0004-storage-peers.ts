/**
 * What a storage remembers of its group, so that it finds its peers when no tracker answers, and files by the addresses that their
 * sources once had; and of itself, whether it was ever filled and which addresses it had. Lists are joined by commas, newest first.
 */
import type { Migration } from "#state/migrate.ts";

export const storagePeers: Migration = {
  number: 4,
  name: "storage-peers",
  sql: `
    ALTER TABLE storage_membership ADD COLUMN filled INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE storage_membership ADD COLUMN own_addresses TEXT NOT NULL DEFAULT '';

    CREATE TABLE storage_peers (
      id TEXT PRIMARY KEY,
      addresses TEXT NOT NULL,
      former_addresses TEXT NOT NULL,
      port INTEGER NOT NULL,
      status INTEGER NOT NULL,
      cairn INTEGER
    ) STRICT, WITHOUT ROWID;
  `,
};

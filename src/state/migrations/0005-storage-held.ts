/** Up to which position a storage holds the files of each source (`sync/held-positions.ts`), so that a restart forgets nothing. */
import type { Migration } from "#state/migrate.ts";

export const storageHeld: Migration = {
  number: 5,
  name: "storage-held",
  sql: `
    CREATE TABLE storage_held (
      source TEXT PRIMARY KEY,
      held_until INTEGER NOT NULL,
      gaps INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};

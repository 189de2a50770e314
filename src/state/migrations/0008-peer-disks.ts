/** By which disk each peer of ours is known, so that it is recognized under another address. */
import type { Migration } from "#state/migrate.ts";

export const peerDisks: Migration = {
  number: 8,
  name: "peer-disks",
  sql: `
    ALTER TABLE storage_peers ADD COLUMN disk TEXT;
    ALTER TABLE mirror_peers ADD COLUMN disk TEXT;
  `,
};

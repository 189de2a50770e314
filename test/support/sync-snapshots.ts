/** What a storage tells of its links while it has no peers. */
import type { ReplicationSnapshot } from "#storage/replication.ts";

export const noLinks: ReplicationSnapshot = {
  links: [],
  fetches: { fetched: 0, missing: 0, failed: 0, bytes: 0 },
  relays: { relayed: 0, failed: 0 },
  held: [],
  suspended: undefined,
};

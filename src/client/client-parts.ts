/** What every operation of the client library works with. */
import type { Log } from "#base/log.ts";
import type { ClientLimits } from "#client/limits.ts";
import type { TrackerRing } from "#client/tracker-ring.ts";
import type { ConnectionPool } from "#net/connection-pool.ts";
import type { Clock } from "#platform/clock.ts";

export interface ClientParts {
  readonly pool: ConnectionPool;
  readonly trackers: TrackerRing;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: ClientLimits;
}

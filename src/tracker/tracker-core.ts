/** What all handlers of a tracker share; made once by `TrackerRole`. */
import type { Log } from "#base/log.ts";
import type { ConnectionCounts } from "#net/frame-server.ts";
import type { Clock } from "#platform/clock.ts";
import type { CatchUp } from "#tracker/catch-up.ts";
import type { Election } from "#tracker/election/election.ts";
import type { Leadership } from "#tracker/election/leadership.ts";
import type { Liveness } from "#tracker/liveness.ts";
import type { Registry } from "#tracker/registry.ts";
import type { StateWriter } from "#tracker/state-writer.ts";
import type { StorageIdTable } from "#tracker/storage-identity.ts";
import type { SystemFileDesk } from "#tracker/system-file-hold.ts";
import type { TrackerSettings } from "#tracker/tracker-settings.ts";
import type { TrunkElection } from "#tracker/trunk-election.ts";

export interface TrackerCore {
  readonly settings: TrackerSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Registry;
  readonly leadership: Leadership;
  readonly election: Election;
  readonly liveness: Liveness;
  readonly catchUp: CatchUp;
  readonly writer: StateWriter;
  /** Undefined where storages are known by their address. */
  readonly storageIds: StorageIdTable | undefined;
  readonly systemFiles: SystemFileDesk;
  readonly trunkElection: TrunkElection;
  /** Unix seconds at which this tracker started, and those between its last sign of life before and then; 0 for the first start. */
  readonly startedAt: number;
  /** The same, monotonic. */
  readonly startedAtMs: number;
  readonly restartInterval: number;
  connections(): ConnectionCounts;
}

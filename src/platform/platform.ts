/** The outside world, in one record; `daemon/compose.ts` hands its parts on. */
import type { Clock } from "#platform/clock.ts";
import type { Databases } from "#platform/databases.ts";
import type { Host } from "#platform/host.ts";
import type { Network } from "#platform/network.ts";
import type { Random } from "#platform/random.ts";
import type { Workers } from "#platform/workers.ts";

export interface Platform {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly workers: Workers;
  readonly databases: Databases;
  readonly host: Host;
}

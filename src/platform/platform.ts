/** The outside world, in one record; `daemon/compose.ts` hands its parts on. */
import type { Children } from "#platform/children.ts";
import type { Clock } from "#platform/clock.ts";
import type { Commands } from "#platform/commands.ts";
import type { Databases } from "#platform/databases.ts";
import type { Host } from "#platform/host.ts";
import type { Network } from "#platform/network.ts";
import type { Random } from "#platform/random.ts";
import type { ResidentFiles } from "#platform/resident-files.ts";
import type { Workers } from "#platform/workers.ts";

export interface Platform {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly workers: Workers;
  readonly databases: Databases;
  readonly host: Host;
  readonly commands: Commands;
  /** Left out where there are no disks to look after, as in a simulation. */
  readonly children?: Children;
  /** Where the runtime and the kernel offer it. */
  readonly resident?: ResidentFiles | undefined;
}

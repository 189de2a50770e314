/** What the root helper works with. It is handed the real outside by `main.ts`, and another one by its tests. */
import type { Log } from "#base/log.ts";
import type { BlockDevices } from "#platform/block-devices.ts";
import type { Clock } from "#platform/clock.ts";
import type { Commands } from "#platform/commands.ts";
import type { Files } from "#platform/files.ts";
import type { Random } from "#platform/random.ts";
import type { SystemFiles } from "#platform/system-files.ts";

export interface HelperSettings {
  /** Disks are mounted below it, each under its id. Nobody but root may change what lies on the way to it. */
  readonly mountDirectory: string;
  /** Of the helper alone: notes of work under way, and places to look at foreign disks. */
  readonly stateDirectory: string;
  /** Numbers of the user and group that own the files on disks; undefined leaves them to root. */
  readonly owner: { readonly user: number; readonly group: number } | undefined;
}

export interface HelperWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly commands: Commands;
  readonly devices: BlockDevices;
  readonly system: SystemFiles;
  readonly files: Files;
  readonly settings: HelperSettings;
}

/**
 * One look at all disks, in the probe child. What may wait for a device (the space of a mount, a temperature, `lsblk`) is asked of all of
 * them at once and waited for together, for `answerMs`; who has not answered by then is named, and the round goes on without.
 */

import { Asking, patience } from "#disks/probe/asking.ts";
import { parseDrives } from "#disks/probe/disk-info.ts";
import { DiskLooks } from "#disks/probe/disk-looks.ts";
import { probeLimits } from "#disks/probe/limits.ts";
import { mergeFacts } from "#disks/probe/merge-facts.ts";
import { type MountsByDevice, mountsByDevice, parseSwaps } from "#disks/probe/mounts.ts";
import type { RoundAnswer, RoundRequest } from "#disks/probe/probe-messages.ts";
import { readSysfs, type SysfsDisk, temperatureOf } from "#disks/probe/sysfs.ts";
import { parseBlockDevices, type ReportedDevice } from "#disks/probe/system-information.ts";
import { parseUdevData, type UdevDevice, udevDataPath } from "#disks/probe/udev.ts";
import { diskKeyOf } from "#model/disk-facts.ts";
import type { Clock } from "#platform/clock.ts";
import type { Commands } from "#platform/commands.ts";
import { parseMounts } from "#platform/mount-table.ts";
import type { Space, SystemFiles } from "#platform/system-files.ts";

export type PackageName = "systeminformation" | "node-disk-info";

export interface ProbeWorld {
  readonly files: SystemFiles;
  readonly commands: Commands;
  readonly clock: Clock;
  /** The JSON that a package's function returned, in a process of its own. Rejects at its deadline. */
  askPackage(name: PackageName): Promise<string>;
}

export interface ProbeRoundsOptions {
  readonly world: ProbeWorld;
  /** Told before each disk is looked at. */
  readonly onDisk: (name: string) => void;
  /** Something became known after its round. */
  readonly onLate: (name: string) => void;
}

export class ProbeRounds {
  readonly #world: ProbeWorld;
  readonly #onDisk: (name: string) => void;
  readonly #onLate: (name: string) => void;
  readonly #looks: DiskLooks;
  readonly #spaces: Asking<Space>;
  readonly #temperatures: Asking<number>;
  #temperatureFiles: ReadonlyMap<string, string> = new Map();
  #reported: ReadonlyMap<string, ReportedDevice> = new Map();
  #drives: ReadonlyMap<string, Space> = new Map();
  #isGathering = false;
  readonly #packages = new Map<PackageName, { readonly stamp: string; readonly atMs: number }>();

  constructor({ world, onDisk, onLate }: ProbeRoundsOptions) {
    this.#world = world;
    this.#onDisk = onDisk;
    this.#onLate = onLate;
    const { files, clock } = world;
    this.#spaces = new Asking(clock, (point) => files.space(point));
    this.#temperatures = new Asking(clock, async (name) =>
      temperatureOf(await files.readTextLater(this.#temperatureFiles.get(name) ?? "")),
    );
    this.#looks = new DiskLooks(world.commands, (name) => {
      if (!this.#isGathering) onLate(name);
    });
  }

  async take(request: RoundRequest): Promise<RoundAnswer> {
    const { files, clock } = this.#world;
    const beginMs = clock.monotonicMs();
    const avoided: string[] = [];
    const disks = readSysfs(files, (disk) => {
      const isAvoided = request.avoidDisks.includes(diskKeyOf(disk));
      if (isAvoided) avoided.push(diskKeyOf(disk));
      else this.#onDisk(disk.name);
      return !isAvoided;
    });
    const udev = this.#readUdev(disks);
    const mounts = parseMounts(files.readText("/proc/self/mountinfo") ?? "");
    const devices = mountsByDevice(mounts, disks);
    const points = pointsToAsk(devices);
    this.#temperatureFiles = new Map(
      disks.flatMap(({ name, temperatureFile: file }) =>
        file === undefined ? [] : [[name, file]],
      ),
    );
    for (const name of request.lookInto) this.#looks.forget(name);
    this.#isGathering = true;
    const limitMs = request.lookInto.length > 0 ? probeLimits.lookWaitMs : probeLimits.lookSoonMs;
    const subjects = disks.map((disk) => lookSubject(disk, udev.texts));
    const [spaces, temperatures] = await Promise.all([
      this.#spaces.round(points, probeLimits.answerMs),
      this.#temperatures.round([...this.#temperatureFiles.keys()], probeLimits.answerMs),
      Promise.race([this.#looks.refresh(subjects), patience(clock, limitMs)]),
    ]);
    this.#isGathering = false;
    this.#askPackages(disks, points, spaces.silent.size > 0);
    const drives = new Map(this.#drives);
    for (const point of spaces.silent.keys()) drives.delete(point);
    return {
      kind: "round",
      id: request.id,
      disks: mergeFacts({
        ...{ disks, mounts, udev: udev.devices, lsblk: this.#looks.devices },
        read: this.#looks.read,
        reported: this.#reported,
        swaps: parseSwaps(files.readText("/proc/swaps") ?? ""),
        spaces: [ofAllMounts(spaces.found, devices), drives],
        temperatures: temperatures.found,
        problems: this.#problems(disks, temperatures.silent),
        ownDirectories: request.ownDirectories,
      }),
      avoided,
      silentMounts: Object.fromEntries(spaces.silent),
      stuck: this.#spaces.stuck + this.#temperatures.stuck,
      tookMs: clock.monotonicMs() - beginMs,
    };
  }

  #readUdev(disks: readonly SysfsDisk[]): UdevKnowledge {
    const devices = new Map<string, UdevDevice>();
    const texts = new Map<string, string>();
    for (const { name, deviceNumber } of disks.flatMap((disk) => [disk, ...disk.partitions])) {
      const text = this.#world.files.readText(udevDataPath(deviceNumber));
      if (text === undefined) continue;
      texts.set(name, text);
      devices.set(name, parseUdevData(text));
    }
    return { devices, texts };
  }

  #problems(
    disks: readonly SysfsDisk[],
    silent: ReadonlyMap<string, number>,
  ): ReadonlyMap<string, readonly string[]> {
    const found = new Map<string, string[]>();
    for (const { name } of disks) {
      const words: string[] = [];
      const look = this.#looks.problemOf(name);
      if (look !== undefined) words.push(look);
      else if (this.#looks.isUnderWay(name)) words.push("its first blocks are not read yet");
      if ((silent.get(name) ?? 0) >= probeLimits.hungMs)
        words.push("it does not tell its temperature");
      if (words.length > 0) found.set(name, words);
    }
    return found;
  }

  /** Behind the round: what they know comes with the next one. One whose `df` would hang is not asked. */
  #askPackages(
    disks: readonly SysfsDisk[],
    points: readonly string[],
    somethingHangs: boolean,
  ): void {
    const stamp = disks.map(lookStamp).join("\n");
    const nameless = disks.some(({ model, serial }) => model === undefined || serial === undefined);
    if (nameless) {
      this.#askPackage("systeminformation", stamp, (text) => {
        this.#reported = new Map(parseBlockDevices(text).map((each) => [each.name, each]));
      });
    }
    if (somethingHangs || points.length === 0) return;
    this.#askPackage("node-disk-info", points.join("\n"), (text) => {
      this.#drives = parseDrives(text);
    });
  }

  #askPackage(name: PackageName, stamp: string, keep: (text: string) => void): void {
    const nowMs = this.#world.clock.monotonicMs();
    const before = this.#packages.get(name);
    if (before?.stamp === stamp) return;
    if (before !== undefined && nowMs - before.atMs < probeLimits.packagePauseMs) return;
    this.#packages.set(name, { stamp, atMs: nowMs });
    this.#world.askPackage(name).then(
      (text) => {
        keep(text);
        this.#onLate(name);
      },
      () => {
        // Without it something may stay unknown; it is asked again when something changes.
      },
    );
  }
}

interface UdevKnowledge {
  readonly devices: ReadonlyMap<string, UdevDevice>;
  readonly texts: ReadonlyMap<string, string>;
}

/** Each file system once, however often it is mounted. */
function pointsToAsk(devices: MountsByDevice): readonly string[] {
  return [...devices.values()].flatMap(([first]) => (first === undefined ? [] : [first.point]));
}

function ofAllMounts(
  found: ReadonlyMap<string, Space>,
  devices: MountsByDevice,
): ReadonlyMap<string, Space> {
  const all = new Map<string, Space>();
  for (const mounts of devices.values()) {
    const space = found.get(mounts[0]?.point ?? "");
    for (const { point } of mounts) if (space !== undefined) all.set(point, space);
  }
  return all;
}

function lookSubject(disk: SysfsDisk, udevTexts: ReadonlyMap<string, string>) {
  const names = [disk.name, ...disk.partitions.map(({ name }) => name)];
  const texts = names.map((name) => udevTexts.get(name) ?? "");
  const unread = names.filter((name) => !udevTexts.has(name));
  return { name: disk.name, stamp: [lookStamp(disk), ...texts].join("\n"), unread };
}

function lookStamp(disk: SysfsDisk): string {
  const parts = disk.partitions.map(
    ({ name, startBytes, sizeBytes, uuid }) => `${name} ${startBytes} ${sizeBytes} ${uuid}`,
  );
  return [diskKeyOf(disk), disk.sizeBytes, disk.backingFile, ...parts].join(" ");
}

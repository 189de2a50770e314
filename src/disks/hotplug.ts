/**
 * Tells that something came, went or changed among block devices and mounts, within half a second, in the probe child. What it is, the
 * next round finds out. Where udevd runs, `udevadm monitor` says so; the kernel's count of events and its table of mounts are looked
 * at anyway, since nobody announces mounts, and not every system has udevd.
 */
import { probeLimits } from "#disks/probe/limits.ts";
import { sysfsBlock } from "#disks/probe/sysfs.ts";
import { UdevMonitorLines } from "#disks/udev-monitor.ts";
import type { Child, Children } from "#platform/children.ts";
import type { Clock, Timer } from "#platform/clock.ts";
import type { SystemFiles } from "#platform/system-files.ts";

export interface HotplugOptions {
  readonly files: SystemFiles;
  readonly children: Pick<Children, "start">;
  readonly clock: Clock;
  /** Names of devices, and `mounts`; more may have changed than is named. */
  readonly onNews: (names: readonly string[]) => void;
}

const udevSocket = "/run/udev/control";
const monitorParameters: readonly string[] = [
  ...["monitor", "--kernel", "--udev", "--property", "--subsystem-match=block"],
];
/** After its monitor ended it is started again, while the counts are looked at. */
const restartMs = 30_000;
const maxNames = 64;

export class Hotplug {
  readonly #options: HotplugOptions;
  readonly #names = new Set<string>();
  #monitor: Child | undefined;
  #watch: Timer | undefined;
  #restart: Timer | undefined;
  #gather: Timer | undefined;
  #stopped = false;
  #devices: ReadonlyMap<string, string> = new Map();
  #events = "";
  #mounts = "";

  constructor(options: HotplugOptions) {
    this.#options = options;
  }

  start(): void {
    this.#readCounts();
    this.#devices = this.#readDevices();
    this.#watch = this.#options.clock.every(probeLimits.watchMs, () => this.look());
    this.#startMonitor();
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of [this.#watch, this.#restart, this.#gather]) timer?.cancel();
    this.#monitor?.abandon();
  }

  /** Compares with what was there at the last look. */
  look(): void {
    const { events, mounts } = { events: this.#events, mounts: this.#mounts };
    this.#readCounts();
    if (mounts !== this.#mounts) this.#tell("mounts");
    // A kernel without the count is looked at whole each time.
    if (events === this.#events && events !== "") return;
    const before = this.#devices;
    this.#devices = this.#readDevices();
    for (const name of new Set([...before.keys(), ...this.#devices.keys()])) {
      if (before.get(name) !== this.#devices.get(name)) this.#tell(name);
    }
  }

  #readCounts(): void {
    const { files } = this.#options;
    this.#events = files.readText("/sys/kernel/uevent_seqnum") ?? "";
    this.#mounts = files.readText("/proc/self/mountinfo") ?? "";
  }

  #readDevices(): ReadonlyMap<string, string> {
    const { files } = this.#options;
    const read = (path: string): string => files.readText(`${sysfsBlock}/${path}`)?.trim() ?? "";
    return new Map(
      files.list(sysfsBlock).map((name) => {
        const parts = files.list(`${sysfsBlock}/${name}`).filter((each) => each.startsWith(name));
        const sizes = parts.map((part) => read(`${name}/${part}/size`));
        return [name, [read(`${name}/diskseq`), read(`${name}/size`), parts, sizes].join(" ")];
      }),
    );
  }

  #startMonitor(): void {
    const { files, children, clock } = this.#options;
    if (this.#stopped) return;
    if (files.resolve(udevSocket) !== undefined) {
      const lines = new UdevMonitorLines((name) => this.#tell(name));
      const child = children.start("udevadm", monitorParameters);
      child.onOutput = (bytes) => lines.push(bytes);
      child.onEnd = () => {
        this.#monitor = undefined;
        this.#restart = clock.after(restartMs, () => this.#startMonitor());
      };
      this.#monitor = child;
    } else this.#restart = clock.after(restartMs, () => this.#startMonitor());
  }

  #tell(name: string): void {
    if (this.#stopped) return;
    if (this.#names.size < maxNames) this.#names.add(name);
    this.#gather ??= this.#options.clock.after(probeLimits.gatherMs, () => {
      this.#gather = undefined;
      const names = [...this.#names];
      this.#names.clear();
      this.#options.onNews(names);
    });
  }
}

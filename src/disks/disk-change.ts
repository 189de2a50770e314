/** What is different between two looks at the disks. Pure. */
import { type DiskFacts, diskKeyOf } from "#model/disk-facts.ts";

export interface DiskChange {
  readonly appeared: readonly DiskFacts[];
  /** As they were last seen. */
  readonly gone: readonly DiskFacts[];
  /** As they are now: something else stands on them, is mounted, or is wrong. */
  readonly changed: readonly DiskFacts[];
}

/** These move all the time, and are no news. */
const restless = new Set(["freeBytes", "temperatureCelsius", "spinning"]);

export function diskChange(before: readonly DiskFacts[], now: readonly DiskFacts[]): DiskChange {
  const old = new Map(before.map((disk) => [diskKeyOf(disk), disk]));
  const keys = new Set(now.map(diskKeyOf));
  return {
    appeared: now.filter((disk) => !old.has(diskKeyOf(disk))),
    gone: before.filter((disk) => !keys.has(diskKeyOf(disk))),
    changed: now.filter((disk) => {
      const was = old.get(diskKeyOf(disk));
      return was !== undefined && restOf(was) !== restOf(disk);
    }),
  };
}

export function isNoChange({ appeared, gone, changed }: DiskChange): boolean {
  return appeared.length + gone.length + changed.length === 0;
}

function restOf(disk: DiskFacts): string {
  return JSON.stringify(disk, (name, value: unknown) => (restless.has(name) ? undefined : value));
}

/**
 * What the package `systeminformation` tells of block devices, as JSON from a process of its own (`cairn probe systeminformation`). Its
 * list of devices is used and nothing else: the list of disk layouts runs smartctl for all of them at once, which wakes them. Pure.
 */
import { probeLimits } from "#disks/probe/limits.ts";
import { cleanWord } from "#disks/probe/words.ts";

export interface ReportedDevice {
  readonly name: string;
  readonly model: string | undefined;
  readonly serial: string | undefined;
  readonly label: string | undefined;
  readonly uuid: string | undefined;
  readonly fileSystem: string | undefined;
}

/** Entries that are not understood are left out. */
export function parseBlockDevices(text: string): readonly ReportedDevice[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // It was ended in the middle.
    return [];
  }
  if (!Array.isArray(value)) return [];
  const found: ReportedDevice[] = [];
  for (const each of value.slice(
    0,
    probeLimits.maxDisks + probeLimits.maxPartitions,
  ) as unknown[]) {
    if (typeof each !== "object" || each === null) continue;
    const fields = each as Readonly<Record<string, unknown>>;
    const word = (name: string): string | undefined => {
      const field = fields[name];
      return typeof field === "string" ? cleanWord(field) : undefined;
    };
    const name = word("name");
    if (name === undefined) continue;
    found.push({
      name,
      model: word("model"),
      serial: word("serial"),
      label: word("label"),
      uuid: word("uuid"),
      fileSystem: word("fsType"),
    });
  }
  return found;
}

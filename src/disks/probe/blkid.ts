/**
 * What `blkid --probe --output export` reads off devices themselves: asked where udev, which uses the same library, has not told it, once
 * for each disk that came or changed, and of use to root only. `NAME=value` lines, a block for each device. Pure.
 */
import { probeLimits } from "#disks/probe/limits.ts";
import { usageOf } from "#disks/probe/udev.ts";
import { cleanWord } from "#disks/probe/words.ts";
import type { SignatureFacts } from "#model/disk-facts.ts";

export interface BlkidDevice {
  readonly name: string;
  readonly signatures: readonly SignatureFacts[];
  readonly partitionLabel: string | undefined;
  readonly partitionUuid: string | undefined;
}

/** Of a disk and its partitions, by their names. */
export function blkidParameters(names: readonly string[]): readonly string[] {
  return ["--probe", "--output", "export", ...names.map((name) => `/dev/${name}`)];
}

/** Blocks without a device's name are left out. */
export function parseBlkid(text: string): readonly BlkidDevice[] {
  const found: BlkidDevice[] = [];
  let properties = new Map<string, string>();
  for (const line of text.split("\n")) {
    const equals = line.indexOf("=");
    const key = line.slice(0, Math.max(0, equals));
    if (key === "DEVNAME" || line === "") {
      keep(properties, found);
      properties = new Map();
    }
    if (equals > 0) properties.set(key, unescaped(line.slice(equals + 1)));
  }
  keep(properties, found);
  return found;
}

function keep(properties: ReadonlyMap<string, string>, found: BlkidDevice[]): void {
  const word = (name: string): string | undefined => cleanWord(properties.get(name));
  const name = /^\/dev\/([^/]+)$/.exec(word("DEVNAME") ?? "")?.[1];
  if (name === undefined || found.length >= probeLimits.maxPartitions) return;
  const signatures: SignatureFacts[] = [];
  const table = word("PTTYPE");
  if (table !== undefined) {
    const uuid = word("PTUUID");
    signatures.push({ type: table, usage: "partition-table", label: undefined, uuid });
  }
  const type = word("TYPE");
  if (type !== undefined) {
    signatures.push({ type, usage: usageOf(type), label: word("LABEL"), uuid: word("UUID") });
  }
  const partitionLabel = word("PART_ENTRY_NAME") ?? word("PARTLABEL");
  const partitionUuid = word("PART_ENTRY_UUID") ?? word("PARTUUID");
  found.push({ name, signatures, partitionLabel, partitionUuid });
}

/** A backslash stands before whatever a shell would take for something else. */
function unescaped(value: string): string {
  return value.replace(/\\(.)/g, "$1");
}

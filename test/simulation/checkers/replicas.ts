/** Whether the storages of each group hold the same files, byte for byte, by looking at their disks. */
import { slotHeaders } from "#filestore/worker/slot-headers.ts";
import { decodeBase, isTrunkBase } from "#model/file-id.ts";
import { trunkFilename, trunkHeaderSize } from "#model/trunk-location.ts";
import { MemoryFiles } from "../../support/memory-files.ts";
import type { SimulatedCluster } from "../cluster.ts";
import type { SimulatedDisk } from "../platform/simulated-disk.ts";
import type { SimulatedMachine } from "../platform/simulated-machine.ts";

const trunkPattern = /^\d{6,10}$/;
/** Of a packed file's name: it stands at the end of its slot's header. */
const tailLength = 7;

/** In words; nothing where all are the same. */
export function replicaDifferences(cluster: SimulatedCluster): readonly string[] {
  return cluster.groups.flatMap((group) => {
    const [first, ...others] = cluster.storagesOf(group);
    if (first === undefined) return [];
    const files = filesOf(first);
    return others.flatMap((other) =>
      differences(first.name, files, { name: other.name, files: filesOf(other) }),
    );
  });
}

function differences(
  name: string,
  files: ReadonlyMap<string, Buffer>,
  other: { readonly name: string; readonly files: ReadonlyMap<string, Buffer> },
): string[] {
  const found: string[] = [];
  for (const [path, content] of files) {
    const copy = other.files.get(path);
    if (copy === undefined) found.push(`${path} is on ${name} and not on ${other.name}`);
    else if (!copy.equals(content)) found.push(`${path} differs between ${name} and ${other.name}`);
  }
  for (const path of other.files.keys()) {
    if (!files.has(path)) found.push(`${path} is on ${other.name} and not on ${name}`);
  }
  return found;
}

/**
 * Each file below a store path's two levels of directories, by its path with the disk's number in front; of trunk files each slot whose
 * file is in the binlog: what a disk that failed left in others is nobody's, and is cleared by a later start.
 */
function filesOf(machine: SimulatedMachine): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const [index, disk] of machine.disks.entries()) {
    const { memory } = disk;
    const data = `${disk.directory}/data`;
    const recorded = recordedSlots(disk);
    for (const high of hexDirectories(memory.list(data))) {
      for (const low of hexDirectories(memory.list(`${data}/${high}`))) {
        const place = `${data}/${high}/${low}`;
        const names = memory.list(place) ?? [];
        for (const name of names.filter((each) => !isLeftBehind(each, names)).sort()) {
          const path = `M0${index}/${high}/${low}/${name}`;
          const content = contentOf(disk, `${place}/${name}`);
          if (trunkPattern.test(name)) addSlots(found, { path, content, recorded });
          else found.set(path, content);
        }
      }
    }
  }
  return found;
}

/** Metadata of an appender file that has another name by now: it stays, and is nobody's. */
function isLeftBehind(name: string, names: readonly string[]): boolean {
  if (!name.endsWith("-m")) return false;
  const owner = name.slice(0, -2);
  return decodeBase(owner)?.isAppender === true && !names.includes(owner);
}

/** Headers count as well: they tell name and time. */
function addSlots(
  found: Map<string, Buffer>,
  trunkFile: {
    readonly path: string;
    readonly content: Buffer;
    readonly recorded: ReadonlySet<string>;
  },
): void {
  const { path, content, recorded } = trunkFile;
  const files = new MemoryFiles();
  const descriptor = files.open("/trunk", "create");
  files.write(descriptor, content);
  const fileId = Number(path.slice(path.lastIndexOf("/") + 1));
  for (const slot of slotHeaders({ files, descriptor, fileId, sizeBytes: content.length }, 0)) {
    if (slot === undefined || !recorded.has(`${slot.fileId} ${slot.offset} ${slot.tail}`)) continue;
    const end = slot.offset + trunkHeaderSize + slot.sizeBytes;
    found.set(`${path} at ${slot.offset}`, content.subarray(slot.offset, end));
  }
}

/** Number of the trunk file, place in it, and the name's last characters. */
function recordedSlots(disk: SimulatedDisk): ReadonlySet<string> {
  const slots = new Set<string>();
  for (const { kind, name } of recordsOf(disk)) {
    const base = name.slice(name.lastIndexOf("/") + 1);
    const slot = isTrunkBase(base) ? decodeBase(base)?.trunk : undefined;
    if (slot === undefined) continue;
    const key = `${slot.fileId} ${slot.offset} ${base.slice(-tailLength)}`;
    if (kind === "D") slots.delete(key);
    else slots.add(key);
  }
  return slots;
}

interface BinlogRecord {
  /** Upper case, whoever made the change. */
  readonly kind: string;
  readonly name: string;
  /** Of a file that got another name. */
  readonly oldName: string;
}

function* recordsOf(disk: SimulatedDisk): Generator<BinlogRecord, void> {
  const directory = `${disk.directory}/data/sync`;
  const files = (disk.memory.list(directory) ?? []).filter((name) => /^binlog\.\d+$/.test(name));
  for (const file of files.sort()) {
    for (const line of contentOf(disk, `${directory}/${file}`).toString("latin1").split("\n")) {
      const [time, kind = "", name = "", oldName = ""] = line.split(" ");
      // So a start after a crash says that a file is not here.
      if (time !== "0") yield { kind: kind.toUpperCase(), name, oldName };
    }
  }
}

/** Names that are deleted, or given up for another one, in some storage's binlog. */
export function recordedDeletions(cluster: SimulatedCluster, group: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { disks } of cluster.storagesOf(group)) {
    for (const record of disks.flatMap((disk) => [...recordsOf(disk)])) {
      if (record.kind === "D") names.add(record.name);
      if (record.kind === "R") names.add(record.oldName);
    }
  }
  return names;
}

/** A file on each storage of its group, whether that runs or not; undefined where it is not there. */
export function copiesOf(cluster: SimulatedCluster, id: string): readonly (Buffer | undefined)[] {
  const [, group = "", disk = "", directory = "", base = ""] =
    /^([^/]+)\/M(..)\/(.*)\/([^/]+)$/.exec(id) ?? [];
  const index = Number.parseInt(disk, 16);
  return cluster.storagesOf(group).map(({ disks }) => {
    const used = disks[index];
    if (used === undefined) return undefined;
    const place = `${used.directory}/data/${directory}`;
    if (isTrunkBase(base)) return packedIn(used, place, base);
    const path = `${place}/${base}`;
    return used.memory.stat(path, true) === undefined ? undefined : contentOf(used, path);
  });
}

function packedIn(disk: SimulatedDisk, place: string, base: string): Buffer | undefined {
  const decoded = decodeBase(base);
  const { trunk, crc32, size = 0 } = decoded ?? {};
  if (trunk === undefined) return undefined;
  const path = `${place}/${trunkFilename(trunk.fileId)}`;
  if (disk.memory.stat(path, true) === undefined) return undefined;
  const slot = contentOf(disk, path).subarray(trunk.offset, trunk.offset + trunk.size);
  const isThere =
    slot.length >= trunkHeaderSize &&
    slot.toString("latin1", trunkHeaderSize - tailLength, trunkHeaderSize) ===
      base.slice(-tailLength) &&
    slot.readUInt32BE(9) === crc32;
  return isThere ? slot.subarray(trunkHeaderSize, trunkHeaderSize + size) : undefined;
}

function contentOf({ memory }: SimulatedDisk, path: string): Buffer {
  const size = memory.stat(path, true)?.sizeBytes ?? 0;
  const content = Buffer.alloc(size);
  if (size === 0) return content;
  const descriptor = memory.open(path, "read");
  memory.read(descriptor, content, 0);
  memory.close(descriptor);
  return content;
}

function hexDirectories(names: readonly string[] | undefined): readonly string[] {
  return (names ?? []).filter((name) => /^[0-9A-F]{2}$/.test(name)).sort();
}

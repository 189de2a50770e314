/**
 * Puts together what the sources say of each disk. The kernel knows what is there, and wins on sizes and places; udev and
 * `lsblk` know what stands on it; the packages fill gaps. What a bridge told in place of the disk is taken out again. Pure.
 */

import type { BlkidDevice } from "#disks/probe/blkid.ts";
import { isDummySerial, knownBridge } from "#disks/probe/bridges.ts";
import type { LsblkDevice } from "#disks/probe/lsblk.ts";
import { mountsByDevice, systemDisks } from "#disks/probe/mounts.ts";
import type { SysfsDisk, SysfsPartition } from "#disks/probe/sysfs.ts";
import type { ReportedDevice } from "#disks/probe/system-information.ts";
import { type UdevDevice, usageOf } from "#disks/probe/udev.ts";
import type {
  BridgeFacts,
  DiskFacts,
  MountFacts,
  PartitionFacts,
  SignatureFacts,
} from "#model/disk-facts.ts";
import { isReadOnlyMount, type Mount } from "#platform/mount-table.ts";
import type { Space } from "#platform/system-files.ts";

export interface ProbeSources {
  readonly disks: readonly SysfsDisk[];
  /** By name of the kernel, of disks and partitions. */
  readonly udev: ReadonlyMap<string, UdevDevice>;
  readonly lsblk: ReadonlyMap<string, LsblkDevice>;
  readonly read: ReadonlyMap<string, BlkidDevice>;
  readonly reported: ReadonlyMap<string, ReportedDevice>;
  readonly mounts: readonly Mount[];
  readonly swaps: readonly string[];
  /** By mount point: first what the file systems answered themselves, then what the package read off `df`. */
  readonly spaces: readonly ReadonlyMap<string, Space>[];
  /** By name of the disk. */
  readonly temperatures: ReadonlyMap<string, number>;
  /** By name of the disk, in words. */
  readonly problems: ReadonlyMap<string, readonly string[]>;
  /** Where the node keeps its own state. */
  readonly ownDirectories: readonly string[];
}

export function mergeFacts(sources: ProbeSources): readonly DiskFacts[] {
  const mounts = mountsByDevice(sources.mounts, sources.disks);
  const ofSystem = systemDisks(sources);
  const mountsOf = (name: string): readonly MountFacts[] =>
    (mounts.get(name) ?? []).map((mount) => mountFacts(mount, sources.spaces));
  const drafts = sources.disks.map((disk) => ({ disk, identity: identityOf(disk, sources) }));
  const shared = sharedSerials(drafts);
  return drafts.map(({ disk, identity }) => ({
    name: disk.name,
    sequence: disk.sequence,
    bus: disk.bus,
    port: sources.udev.get(disk.name)?.port ?? disk.port,
    ...withoutBridge(disk, identity, shared),
    sizeBytes: disk.sizeBytes,
    logicalSectorBytes: disk.logicalSectorBytes,
    physicalSectorBytes: disk.physicalSectorBytes,
    rotational: disk.rotational,
    removable: disk.removable,
    readOnly: disk.readOnly,
    temperatureCelsius: sources.temperatures.get(disk.name),
    spinning: disk.suspended ? false : undefined,
    signatures: withMounted(signaturesOf(disk.name, sources), mountsOf(disk.name)),
    partitions: disk.partitions.map((each) => partitionFacts(each, sources, mountsOf(each.name))),
    mounts: mountsOf(disk.name),
    ofSystem: ofSystem.has(disk.name),
    holders: disk.holders,
    firmware: disk.firmware ?? sources.udev.get(disk.name)?.firmware,
    backingFile: disk.backingFile,
    problems: sources.problems.get(disk.name) ?? [],
  }));
}

interface Identity {
  readonly vendor: string | undefined;
  readonly model: string | undefined;
  readonly serial: string | undefined;
  /** The disk itself told its serial. */
  readonly certain: boolean;
  readonly wwn: string | undefined;
}

function identityOf(disk: SysfsDisk, sources: ProbeSources): Identity {
  const udev = sources.udev.get(disk.name);
  const lsblk = sources.lsblk.get(disk.name);
  const reported = sources.reported.get(disk.name);
  const ofUdev = udev?.serialOfDisk === true ? udev.serial : undefined;
  const serial = ofUdev ?? disk.serial ?? udev?.serial ?? lsblk?.serial ?? reported?.serial;
  return {
    vendor: named(disk.vendor ?? udev?.vendor ?? lsblk?.vendor),
    model: longest(udev?.model, lsblk?.model, disk.model, reported?.model),
    serial,
    certain: disk.bus !== "usb" || (ofUdev !== undefined && ofUdev !== disk.usb?.serial),
    wwn: udev?.wwn ?? disk.wwn ?? lsblk?.wwn,
  };
}

/** The kernel cuts the models of SATA disks at 16 characters; what others have beyond that is the whole name. */
function longest(...models: readonly (string | undefined)[]): string | undefined {
  const [first, ...others] = models.filter((each) => each !== undefined);
  return others.reduce(
    (best, each) => (best !== undefined && each.startsWith(best) ? each : best),
    first,
  );
}

interface Draft {
  readonly disk: SysfsDisk;
  readonly identity: Identity;
}

/** Serials that several disks tell which cannot be one and the same: each on USB. */
function sharedSerials(drafts: readonly Draft[]): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const { disk, identity } of drafts) {
    const { serial, certain } = identity;
    if (disk.usb === undefined || certain || serial === undefined) continue;
    counts.set(serial, (counts.get(serial) ?? 0) + 1);
  }
  return new Set([...counts].filter(([, count]) => count > 1).map(([serial]) => serial));
}

function withoutBridge(
  disk: SysfsDisk,
  identity: Identity,
  shared: ReadonlySet<string>,
): Pick<DiskFacts, "bridge" | "vendor" | "model" | "serial" | "wwn"> {
  const { vendor, model, serial, wwn, certain } = identity;
  const { usb } = disk;
  if (usb === undefined) return { bridge: undefined, vendor, model, serial, wwn };
  const known = knownBridge(usb.vendorId, usb.productId);
  const told = serial ?? usb.serial;
  const isDummy = told !== undefined && (isDummySerial(told) || shared.has(told));
  const hidesSerial = !certain && (known?.hidesSerial === true || isDummy);
  const bridge: BridgeFacts = {
    vendorId: usb.vendorId,
    productId: usb.productId,
    name: known?.name ?? bridgeName(usb),
    hidesSerial,
    ...(hidesSerial && told !== undefined ? { serial: told } : {}),
  };
  if (!hidesSerial) return { bridge, vendor, model, serial: told, wwn };
  // A world wide name that is made of the dummy is none either.
  const ownName = wwn !== undefined && told !== undefined && wwn.includes(told.toLowerCase());
  return { bridge, vendor, model, serial: undefined, wwn: ownName ? undefined : wwn };
}

/** Virtual disks tell a number. */
function named(vendor: string | undefined): string | undefined {
  return vendor?.startsWith("0x") === true ? undefined : vendor;
}

function bridgeName({ manufacturer, product }: NonNullable<SysfsDisk["usb"]>): string | undefined {
  const words = [manufacturer, product].filter((each) => each !== undefined);
  return words.length === 0 ? undefined : words.join(" ");
}

function signaturesOf(name: string, sources: ProbeSources): readonly SignatureFacts[] {
  const udev = sources.udev.get(name);
  const lsblk = sources.lsblk.get(name);
  const found = new Map<string, SignatureFacts>();
  for (const each of udev?.signatures ?? sources.read.get(name)?.signatures ?? []) {
    found.set(each.type, each);
  }
  if (lsblk?.partitionTable !== undefined && isWholeDisk(name, sources)) {
    const { partitionTable: type, partitionTableUuid: uuid } = lsblk;
    if (!found.has(type)) {
      found.set(type, { type, usage: "partition-table", label: undefined, uuid });
    }
  }
  const type = lsblk?.fileSystem ?? sources.reported.get(name)?.fileSystem;
  if (type !== undefined && !found.has(type)) {
    const { label, uuid } = lsblk ?? sources.reported.get(name) ?? {};
    found.set(type, { type, usage: usageOf(type), label, uuid });
  }
  const all = [...found.values()];
  // Of a partition udev and lsblk name the table that it is an entry of.
  return isWholeDisk(name, sources) ? all : all.filter(({ usage }) => usage !== "partition-table");
}

/** What is mounted is there, whether or not anybody may read the device. FUSE does not say what it serves. */
function withMounted(
  signatures: readonly SignatureFacts[],
  mounts: readonly MountFacts[],
): readonly SignatureFacts[] {
  const type = mounts[0]?.type;
  const isKnown = signatures.some(({ usage }) => usage === "filesystem");
  if (type === undefined || type === "fuseblk" || isKnown) return signatures;
  return [...signatures, { type, usage: "filesystem", label: undefined, uuid: undefined }];
}

function isWholeDisk(name: string, sources: ProbeSources): boolean {
  return sources.disks.some((disk) => disk.name === name);
}

function partitionFacts(
  partition: SysfsPartition,
  sources: ProbeSources,
  mounts: readonly MountFacts[],
): PartitionFacts {
  const { name, number, startBytes, sizeBytes, holders } = partition;
  const udev = sources.udev.get(name);
  const read = sources.read.get(name);
  const lsblk = sources.lsblk.get(name);
  return {
    ...{ name, number, startBytes, sizeBytes },
    label: partition.label ?? udev?.partitionLabel ?? read?.partitionLabel ?? lsblk?.partitionLabel,
    uuid: partition.uuid ?? udev?.partitionUuid ?? read?.partitionUuid ?? lsblk?.partitionUuid,
    signatures: withMounted(signaturesOf(name, sources), mounts),
    mounts,
    holders,
  };
}

function mountFacts(mount: Mount, spaces: readonly ReadonlyMap<string, Space>[]): MountFacts {
  const space = spaces.map((each) => each.get(mount.point)).find((each) => each !== undefined);
  return {
    point: mount.point,
    type: mount.type,
    readOnly: isReadOnlyMount(mount),
    totalBytes: space?.totalBytes,
    freeBytes: space?.freeBytes,
    options: mount.options,
  };
}

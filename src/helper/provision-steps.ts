/**
 * What makes a disk one of Cairn's, step by step. Each step may be done again, and what is on the disk and in the notes tells where
 * an interrupted work has to go on.
 */
import { posix } from "node:path";
import { scanDevice } from "#disks/guard/signature-scan.ts";
import { type DiskFileSystem, partitionName } from "#disks/helper-protocol.ts";
import { type Passport, passportDirectory, passportFilenames } from "#disks/passport.ts";
import { type DiskLayout, dataPartition } from "#disks/provision/layout.ts";
import { makeFileSystem, mountOptions } from "#disks/provision/make-file-system.ts";
import { viewDisk } from "#helper/disk-view.ts";
import { helperError } from "#helper/errors.ts";
import type { HelperWorld } from "#helper/helper-world.ts";
import { mountDevice, preparePlace } from "#helper/mount-places.ts";
import { runProgram } from "#helper/run-program.ts";
import { makeDirectories, writeWhole } from "#helper/work-notes.ts";
import type { OpenBlockDevice } from "#platform/block-devices.ts";
import { delay } from "#platform/clock.ts";
import { FileError } from "#platform/files.ts";

const quickLimits = { deadlineMs: 20_000 };
/** Of 20 TB behind USB 2. */
const formatLimits = { deadlineMs: 600_000 };
const partitionWaitMs = 10_000;
const partitionPollMs = 50;

/** A partition that is open, so that its name stays its own. */
export interface OpenPartition extends AsyncDisposable {
  readonly name: string;
  /** `major:minor`. */
  readonly number: string;
}

/** Has the kernel read the new table; resolves once the partition is there, and is the one that the layout says. */
export async function announcePartition(
  world: HelperWorld,
  disk: { readonly name: string; readonly sequence: number },
  layout: DiskLayout,
): Promise<OpenPartition> {
  await settleUdev(world);
  await runProgram(world, ["partx", "--update", `/dev/${disk.name}`], quickLimits);
  await settleUdev(world);
  const name = partitionName(disk.name, dataPartition);
  const endsMs = world.clock.monotonicMs() + partitionWaitMs;
  for (;;) {
    const device = await openIfThere(world, name);
    if (device !== undefined) {
      const number = `${device.major}:${device.minor}`;
      if (isMeant(world, disk, { name, number, layout })) {
        return { name, number, [Symbol.asyncDispose]: () => device.close() };
      }
      await device.close();
    }
    if (world.clock.monotonicMs() > endsMs) {
      throw helperError("device-failed", `the kernel does not show the new partition ${name}`);
    }
    await delay(world.clock, partitionPollMs);
  }
}

async function openIfThere(world: HelperWorld, name: string): Promise<OpenBlockDevice | undefined> {
  try {
    return await world.devices.open(`/dev/${name}`, "look");
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}

function isMeant(
  world: HelperWorld,
  disk: { readonly name: string; readonly sequence: number },
  wanted: { readonly name: string; readonly number: string; readonly layout: DiskLayout },
): boolean {
  const view = viewDisk(world.system, disk.name);
  const found = view.disk.partitions.find(({ name }) => name === wanted.name);
  const { startBytes, sizeBytes } = wanted.layout.partition;
  return (
    view.sequence === disk.sequence &&
    found?.deviceNumber === wanted.number &&
    found.startBytes === startBytes &&
    found.sizeBytes === sizeBytes
  );
}

/** udev looks into a disk after each write; systems without it need not wait. */
async function settleUdev(world: HelperWorld): Promise<void> {
  const limits = { deadlineMs: 10_000, maxOutputBytes: 4096 };
  await world.commands.run("udevadm", ["settle", "--timeout=5"], limits).catch(() => undefined);
}

export async function format(
  world: HelperWorld,
  partition: OpenPartition,
  { layout, type }: { readonly layout: DiskLayout; readonly type: DiskFileSystem },
): Promise<void> {
  const device = `/dev/${partition.name}`;
  const { fileSystemUuid: uuid, label } = layout;
  const { program, parameters } = makeFileSystem({ type, uuid, label, device });
  await runProgram(world, [program, ...parameters], formatLimits);
  await requireFileSystem(world, partition, layout);
}

/** Reads back what was made. */
export async function requireFileSystem(
  world: HelperWorld,
  partition: OpenPartition,
  layout: DiskLayout,
): Promise<void> {
  await using device = await world.devices.open(`/dev/${partition.name}`, "look");
  const { signatures } = await scanDevice(async (atBytes, length) => {
    const target = Buffer.alloc(length);
    return target.subarray(0, await device.read(target, atBytes));
  }, layout.partition.sizeBytes);
  if (signatures.some(({ uuid }) => uuid === layout.fileSystemUuid)) return;
  throw helperError(
    "device-failed",
    `the file system that was made on ${partition.name} cannot be read back: is the disk well?`,
  );
}

export async function mountNew(
  world: HelperWorld,
  partition: OpenPartition,
  wanted: { readonly type: DiskFileSystem; readonly directory: string },
): Promise<void> {
  const { type, directory } = wanted;
  await preparePlace(world, directory);
  const options = mountOptions(type);
  const { name, number: deviceNumber } = partition;
  await mountDevice(world, { name, deviceNumber, type, options, directory });
}

/**
 * Passport and store paths. The directory at the top is given away last: while it is root's, nobody else can have put anything below it
 * that leads elsewhere, and once it is not, all of this was done.
 */
export async function writePassport(
  world: HelperWorld,
  directory: string,
  { passport, text }: { readonly passport: Passport; readonly text: string },
): Promise<void> {
  const { files, settings } = world;
  const own = posix.join(directory, passportDirectory);
  const owner = `${settings.owner?.user ?? 0}:${settings.owner?.group ?? 0}`;
  if (settings.owner !== undefined && (await ownerOf(world, directory)) === owner) return;
  makeDirectories(files, own);
  for (const name of passportFilenames) {
    const path = posix.join(own, name);
    writeWhole(files, `${path}.new`, text);
    files.rename(`${path}.new`, path);
    files.flushDirectory(own);
  }
  for (const each of passport.paths) makeDirectories(files, posix.join(directory, each.directory));
  files.flushDirectory(directory);
  if (settings.owner === undefined) return;
  const tops = new Set(passport.paths.map((each) => each.directory.split("/", 1)[0] ?? ""));
  const below = [...tops].map((top) => posix.join(directory, top));
  const change = ["chown", "--recursive", "--no-dereference", owner, "--"] as const;
  await runProgram(world, [...change, own, ...below], quickLimits);
  await runProgram(world, ["chown", "--no-dereference", owner, "--", directory], quickLimits);
}

async function ownerOf(world: HelperWorld, directory: string): Promise<string> {
  const end = await runProgram(world, ["stat", "--format=%u:%g", "--", directory], quickLimits);
  return end.stdout.trim();
}

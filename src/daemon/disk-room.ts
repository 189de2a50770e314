/**
 * How much lies on the node's disks, and how much room is left, for whoever plans where store paths go. Asked by programs with a deadline:
 * nothing here touches a disk. Main thread.
 */
import { posix } from "node:path";
import { AppError, describeError } from "#base/app-error.ts";
import type { OwnDisk } from "#daemon/shelf-world.ts";
import type { MovableDisk } from "#disks/moves/move-plan.ts";
import type { Commands } from "#platform/commands.ts";

const spaceMs = 10_000;
/** Counting what a directory holds looks at each file of it. */
const countMs = 120_000;
const maxOutputBytes = 64 * 1024;
const kibibyte = 1024;

export interface DiskRoomParts {
  readonly commands: Commands;
  /** Why nothing can be put on a disk; undefined where something can. */
  readonly unfit: (disk: OwnDisk) => string | undefined;
  /** Something is mounted there. */
  readonly isMount: (directory: string) => boolean;
}

/** `counted`: disks of which each store path is to be known; others tell what they hold together. */
export async function roomOf(
  disks: readonly OwnDisk[],
  counted: (disk: OwnDisk) => boolean,
  parts: DiskRoomParts,
): Promise<readonly MovableDisk[]> {
  return await Promise.all(disks.map((disk) => roomOfDisk(disk, counted(disk), parts)));
}

async function roomOfDisk(
  disk: OwnDisk,
  isCounted: boolean,
  parts: DiskRoomParts,
): Promise<MovableDisk> {
  const { diskId, name, mountPoint, passport } = disk;
  let space = { totalBytes: 0, freeBytes: 0 };
  let unfit = parts.unfit(disk);
  try {
    space = await spaceOf(mountPoint, parts.commands);
  } catch (error) {
    unfit ??= `does not answer: ${describeError(error)}`;
  }
  const together = space.totalBytes - space.freeBytes;
  const isAlone = passport.paths.length === 1 && parts.isMount(mountPoint);
  const paths = passport.paths.map(async ({ index, directory }) => {
    if (!isCounted || isAlone) return { index, usedBytes: together };
    const path = posix.join(mountPoint, directory);
    return { index, usedBytes: await usedIn(path, parts.commands).catch(() => together) };
  });
  return { diskId, name, paths: await Promise.all(paths), ...space, unfit };
}

async function spaceOf(directory: string, commands: Commands) {
  const out = await output(commands, ["df", "-kP", "--", directory], spaceMs);
  const [, total, , free] = (out.trim().split("\n").at(-1) ?? "").split(/\s+/);
  return { totalBytes: kibibytes(total), freeBytes: kibibytes(free) };
}

async function usedIn(directory: string, commands: Commands): Promise<number> {
  return kibibytes(
    (await output(commands, ["du", "-sk", "--", directory], countMs)).split(/\s/)[0],
  );
}

async function output(
  commands: Commands,
  [program = "", ...parameters]: readonly string[],
  deadlineMs: number,
): Promise<string> {
  const { code, stdout, stderr } = await commands.run(program, parameters, {
    deadlineMs,
    maxOutputBytes,
  });
  // du says of files that went away meanwhile that it failed, and counts all others.
  if (code === 0 || (program === "du" && stdout !== "")) return stdout;
  throw new AppError("disk-unreadable", stderr.trim() || `${program} failed`);
}

function kibibytes(text: string | undefined): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count)) throw new AppError("disk-unreadable", "no size was told");
  return count * kibibyte;
}

/**
 * Where disks are mounted: directories of root's own, below a directory to which nothing leads that anybody else could change. A symbolic
 * link in between would let whoever made it choose what is mounted over.
 */
import { posix } from "node:path";
import { helperError } from "#helper/errors.ts";
import type { HelperWorld } from "#helper/helper-world.ts";
import { runProgram } from "#helper/run-program.ts";
import { makeDirectories } from "#helper/work-notes.ts";
import { type Mount, parseMounts } from "#platform/mount-table.ts";

const statLimits = { deadlineMs: 5000 };
const mountLimits = { deadlineMs: 60_000 };
const sticky = 0o1000;
const writableByOthers = 0o022;

/** The mount at `directory`, the topmost one. */
export function mountAt(world: HelperWorld, directory: string): Mount | undefined {
  const text = world.system.readText("/proc/self/mountinfo") ?? "";
  return parseMounts(text).findLast(({ point }) => point === directory);
}

/** Wherever, by whomever that this process can see. */
export function isMounted({ system }: HelperWorld, name: string): boolean {
  const number = system.readText(`/sys/class/block/${name}/dev`)?.trim();
  return parseMounts(system.readText("/proc/self/mountinfo") ?? "").some(
    ({ deviceNumber, source }) => deviceNumber === number || source === `/dev/${name}`,
  );
}

/** Of a disk of Cairn's. */
export function placeOf(world: HelperWorld, diskId: string): string {
  return posix.join(world.settings.mountDirectory, diskId);
}

/** An empty directory to mount on, made where it is missing. Rejects with `place-refused`. */
export async function preparePlace(world: HelperWorld, directory: string): Promise<void> {
  const { files } = world;
  if (!posix.isAbsolute(directory) || posix.normalize(directory) !== directory) {
    throw helperError("place-refused", `${directory} is no absolute path in its simplest form`);
  }
  makeDirectories(files, posix.dirname(directory));
  if (files.stat(directory, false) === undefined) files.makeDirectory(directory);
  await requireSafe(world, directory);
  if ((files.list(directory) ?? []).length > 0) {
    throw helperError("place-refused", `${directory} is not empty: what is in it would be hidden`);
  }
}

/** Each directory on the way is a real one, root's, and nobody else may rename what is in it. */
async function requireSafe(world: HelperWorld, directory: string): Promise<void> {
  const ways: string[] = [];
  for (let way = directory; ; way = posix.dirname(way)) {
    ways.push(way);
    if (way === "/") break;
  }
  const end = await runProgram(world, ["stat", "--format=%u %a %F", "--", ...ways], statLimits);
  const lines = end.stdout.trimEnd().split("\n");
  for (const [at, way] of ways.entries()) {
    const [, owner, mode, kind] = /^(\d+) ([0-7]+) (.+)$/.exec(lines[at] ?? "") ?? [];
    const bits = Number.parseInt(mode ?? "777", 8);
    // In a sticky directory, such as /tmp, nobody renames what is root's.
    const isOpen = (bits & writableByOthers) !== 0 && (bits & sticky) === 0;
    if (kind !== "directory" || owner !== "0" || isOpen) {
      throw helperError(
        "place-refused",
        `${way} must be a directory that belongs to root and that nobody else can write to`,
      );
    }
  }
}

export interface MountRequest {
  /** Of the device: `sda1`. */
  readonly name: string;
  /** `major:minor`. */
  readonly deviceNumber: string;
  readonly type: string;
  readonly options: string;
  readonly directory: string;
}

/** Mounts, and looks whether what is there now is what was meant. */
export async function mountDevice(world: HelperWorld, request: MountRequest): Promise<void> {
  const { name, type, options, directory } = request;
  const places = ["--source", `/dev/${name}`, "--target", directory];
  // Else `mount` takes a device that is read-only at this moment for one that is to be read, and says so to nobody.
  const how = options.startsWith("rw") ? ["--rw"] : [];
  await runProgram(world, ["mount", "-t", type, "-o", options, ...how, ...places], mountLimits);
  const mount = mountAt(world, directory);
  const isMeant = mount?.deviceNumber === request.deviceNumber || mount?.source === `/dev/${name}`;
  if (!isMeant)
    throw helperError("program-failed", `mount left nothing of ${name} at ${directory}`);
}

/** The device of a mount is not there any more: whoever still has files open there gets errors. */
export function isGone({ system }: HelperWorld, { source, deviceNumber }: Mount): boolean {
  const name = /^\/dev\/([a-z0-9]+)$/.exec(source)?.[1];
  if (name === undefined) return false;
  const now = system.readText(`/sys/class/block/${name}/dev`)?.trim();
  // File systems of several devices have a number that is no device's.
  return now === undefined || (now !== deviceNumber && !deviceNumber.startsWith("0:"));
}

/** False where nothing was mounted there. Rejects with `in-use` while files are open, unless their device has gone. */
export async function unmountPlace(world: HelperWorld, directory: string): Promise<boolean> {
  const mount = mountAt(world, directory);
  if (mount === undefined) return false;
  const { commands } = world;
  const limits = { ...mountLimits, maxOutputBytes: 4096 };
  const how = isGone(world, mount) ? ["--lazy"] : [];
  const end = await commands.run("umount", [...how, "--", directory], limits);
  if (end.code === 0) return true;
  const said = end.stderr.trim().slice(0, 300);
  throw helperError("in-use", `${directory} cannot be unmounted: ${said}`);
}

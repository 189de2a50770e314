/**
 * Looks into a file system that nobody knows yet: mounted read-only, without replaying its journal, in a place that only root sees, and
 * unmounted at once. The device is read-only meanwhile: not a bit of it changes.
 */
import { posix } from "node:path";
import type { VerbResult } from "#disks/helper-protocol.ts";
import { passportDirectory, passportFilenames, passportLimits } from "#disks/passport.ts";
import { lookMount } from "#disks/provision/make-file-system.ts";
import { helperError } from "#helper/errors.ts";
import type { HelperWorld } from "#helper/helper-world.ts";
import {
  type MountRequest,
  mountDevice,
  preparePlace,
  unmountPlace,
} from "#helper/mount-places.ts";
import { type OpenPart, openPart } from "#helper/open-part.ts";
import type { Verb, VerbCall } from "#helper/verb-call.ts";
import { readWhole } from "#helper/work-notes.ts";
import { FileError } from "#platform/files.ts";

const maxNames = 50;

export const inspect: Verb<"inspect"> = async ({ device, sequence }, call) => {
  const { world, memory } = call;
  const part = await openPart(world, { device, sequence });
  await using _open = part.device;
  using _turn = memory.occupy(part.view.disk.name);
  return await lookInto(call, part);
};

/** Of a device that is open and that nobody has mounted. */
export async function lookInto(
  { world, protection }: Pick<VerbCall, "world" | "protection">,
  part: OpenPart,
): Promise<VerbResult<"inspect">> {
  const found = part.fileSystem;
  const how = found === undefined ? undefined : lookMount(found.type);
  if (found === undefined || how === undefined) {
    throw helperError("not-supported", `${part.name} has no file system that can be looked into`);
  }
  const { type, uuid, label } = found;
  const mount = { ...how, name: part.name, deviceNumber: part.number };
  return await protection.during({ name: part.name, sequence: part.view.sequence }, async () => {
    const content = await whileMounted({ world, protection }, mount, (directory) =>
      contentOf(world, directory),
    );
    return { fileSystem: { type, uuid, label }, ...content };
  });
}

/** In a place of its own, which only root sees. */
async function whileMounted<T>(
  { world, protection }: Pick<VerbCall, "world" | "protection">,
  mount: Omit<MountRequest, "directory">,
  look: (directory: string) => T,
): Promise<T> {
  const name = Buffer.from(world.random.bytes(8)).toString("hex");
  const directory = posix.join(protection.lookDirectory, name);
  await preparePlace(world, directory);
  try {
    await mountDevice(world, { ...mount, directory });
    try {
      return look(directory);
    } finally {
      await unmountPlace(world, directory);
    }
  } finally {
    world.files.removeDirectory(directory);
  }
}

/** Both copies, as far as they are there. */
export function passportsIn({ files }: HelperWorld, directory: string): readonly string[] {
  // A link to elsewhere would have us read, and tell, what is none of the disk's.
  const own = posix.join(directory, passportDirectory);
  const isThere = () => files.stat(own, false)?.kind === "directory";
  if (!readable(isThere, true)) return [];
  return passportFilenames.flatMap((name) => {
    const read = () => readWhole(files, posix.join(own, name), passportLimits.textBytes);
    return readable(read, unreadablePassport) ?? [];
  });
}

/** No passport, and taken for none. */
const unreadablePassport = "";

/** What a journal has that was not replayed contradicts what is in its place: whatever is read may be an error. */
function readable<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FileError) return otherwise;
    throw error;
  }
}

function contentOf(world: HelperWorld, directory: string) {
  const { files } = world;
  const names = readable(() => files.list(directory) ?? [], []).slice(0, maxNames);
  const passports = passportsIn(world, directory);
  const data = posix.join(directory, "data");
  const marks = ["00/00", ".data_init_flag", "sync/binlog_index.dat", "storage_stat.dat"];
  const isFastdfs = () =>
    files.stat(data, false)?.kind === "directory" &&
    marks.some((each) => files.stat(posix.join(data, each), false) !== undefined);
  const fastdfs = readable(isFastdfs, false);
  return { passports, fastdfs, names: names.map((each) => each.slice(0, 255)) };
}

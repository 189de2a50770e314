/** Mounts a disk that carries a passport of the node that asks, and unmounts it. What it is was looked at without changing it. */

import { fileSystems } from "#disks/helper-protocol.ts";
import { choosePassport } from "#disks/passport.ts";
import { fileSystemUuidOf } from "#disks/provision/layout.ts";
import { lookMount, mountOptions } from "#disks/provision/make-file-system.ts";
import { helperError } from "#helper/errors.ts";
import {
  isGone,
  mountAt,
  mountDevice,
  placeOf,
  preparePlace,
  unmountPlace,
} from "#helper/mount-places.ts";
import { openPart } from "#helper/open-part.ts";
import type { Verb } from "#helper/verb-call.ts";
import { lookInto, passportsIn } from "#helper/verbs/inspect.ts";
import { DiskId } from "#model/disk-id.ts";

export const mount: Verb<"mount"> = async (input, call) => {
  const { world, memory, protection } = call;
  const { device, sequence, uuid, diskId, nodeId, readOnly = false } = input;
  const part = await openPart(world, { device, sequence });
  await using _open = part.device;
  using _turn = memory.occupy(part.view.disk.name);
  const directory = placeOf(world, diskId);
  const type = fileSystems.find((each) => each === part.fileSystem?.type);
  if (type === undefined || part.fileSystem?.uuid !== uuid) {
    throw helperError("device-changed", `${device} carries no file system of Cairn's with ${uuid}`);
  }
  const before = mountAt(world, directory);
  if (before !== undefined) {
    const isIt = before.deviceNumber === part.number || before.source === `/dev/${device}`;
    if (isIt) return { directory };
    // What an earlier plugging has left there answers nobody any more.
    if (!isGone(world, before)) {
      throw helperError(
        "in-use",
        `another disk is mounted at ${directory}: is it a copy of this one?`,
      );
    }
    await unmountPlace(world, directory);
    await protection.settle();
  }
  const { passports } = await lookInto(call, part);
  const asked = { diskId, nodeId };
  const isMeant = isPassportOf(passports, asked);
  // A disk that was pulled in the middle of its work may have its passport in its journal alone. That Cairn made its file system
  // for this very disk, the file system's number says; mounting it replays the journal.
  const mayReplay = !readOnly && isMeant === undefined && uuid === fileSystemUuidOf(DiskId(diskId));
  if (isMeant !== true && !mayReplay) throw refused(device);
  await preparePlace(world, directory);
  const look = readOnly ? lookMount(type) : undefined;
  const how = look ?? { type, options: mountOptions(type) };
  const wanted = { ...how, name: device, deviceNumber: part.number, directory };
  if (look === undefined) await mountDevice(world, wanted);
  else await protection.during({ name: device, sequence }, () => mountDevice(world, wanted));
  if (isMeant === true || isPassportOf(passportsIn(world, directory), asked) === true) {
    return { directory };
  }
  await unmountPlace(world, directory);
  world.files.removeDirectory(directory);
  await protection.settle();
  throw refused(device);
};

/** Undefined where there is none that could be believed. */
function isPassportOf(
  texts: readonly string[],
  { diskId, nodeId }: { readonly diskId: string; readonly nodeId: string },
): boolean | undefined {
  try {
    const passport = choosePassport(texts);
    return passport && passport.diskId === diskId && passport.node.id === nodeId;
  } catch {
    return undefined;
  }
}

function refused(device: string): Error {
  return helperError("passport-refused", `${device} carries no passport of this disk and node`);
}

export const unmount: Verb<"unmount"> = async ({ diskId }, { world, protection }) => {
  const directory = placeOf(world, diskId);
  if (!(await unmountPlace(world, directory))) {
    throw helperError("not-mounted", `nothing is mounted at ${directory}`);
  }
  world.files.removeDirectory(directory);
  await protection.settle();
  return {};
};

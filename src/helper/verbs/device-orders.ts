/** What is asked of the disk itself, beside its data: its health, its light, its motor, and to go. */
import { posix } from "node:path";
import { hasCode } from "#base/app-error.ts";
import type { ProgramCall } from "#disks/provision/make-file-system.ts";
import { maxSmartctlBytes, smartDeadlineMs } from "#disks/smart/limits.ts";
import { smartctlArguments } from "#disks/smart/smartctl-arguments.ts";
import { openDisk } from "#helper/disk-view.ts";
import { helperError } from "#helper/errors.ts";
import type { HelperWorld } from "#helper/helper-world.ts";
import { unmountPlace } from "#helper/mount-places.ts";
import type { Verb } from "#helper/verb-call.ts";
import { isClaimed } from "#helper/verbs/identify.ts";

const quickLimits = { deadlineMs: 20_000, maxOutputBytes: 64 * 1024 };

export const smart: Verb<"smart"> = async ({ disk, sequence, type, action }, { world }) => {
  const { device } = await openDisk(world, { disk, sequence }, "look");
  await using _open = device;
  const parameters = smartctlArguments(`/dev/${disk}`, type, action);
  const limits = { deadlineMs: smartDeadlineMs, maxOutputBytes: maxSmartctlBytes };
  const end = await world.commands.run("smartctl", parameters, limits);
  if (end.code === undefined) throw helperError("program-failed", "smartctl was ended by a signal");
  return { code: end.code, output: end.stdout };
};

/** By the enclosure's own light where the kernel knows one, else by whatever `ledctl` knows. */
export const locate: Verb<"locate"> = async ({ disk, sequence, on }, { world }) => {
  const { device } = await openDisk(world, { disk, sequence }, "look");
  await using _open = device;
  const base = `/sys/block/${disk}/device`;
  const slot = world.system.list(base).find((name) => name.startsWith("enclosure_device:"));
  if (slot !== undefined) {
    writeAttribute(world, posix.join(base, slot, "locate"), on ? "1" : "0");
    return { by: "enclosure" };
  }
  const parameters = [`${on ? "locate" : "locate_off"}=/dev/${disk}`];
  await order(
    world,
    { program: "ledctl", parameters },
    "this disk has no light that can be switched",
  );
  return { by: "ledctl" };
};

export const spinDown: Verb<"spin-down"> = async ({ disk, sequence }, { world }) => {
  const { device } = await openDisk(world, { disk, sequence }, "look");
  await using _open = device;
  const call = { program: "hdparm", parameters: ["-q", "-y", `/dev/${disk}`] };
  await order(world, call, "this disk cannot be told to stop spinning");
  return {};
};

/** Unmounts what Cairn mounted of the disk; what others mounted makes it refuse. */
export const eject: Verb<"eject"> = async ({ disk, sequence }, call) => {
  const { world, memory, protection } = call;
  using _turn = memory.occupy(disk);
  const { device, view } = await openDisk(world, { disk, sequence }, "look");
  await using _open = device;
  const own = `${world.settings.mountDirectory}/`;
  const { mounts, holders, swaps, system } = view;
  const foreign = [...mounts.filter((point) => !point.startsWith(own)), ...holders, ...swaps];
  if (foreign.length > 0 || system.length > 0) {
    throw helperError(
      "in-use",
      `${disk} is in use by others: ${[...foreign, ...system].join(", ")}`,
    );
  }
  for (const point of mounts) {
    await unmountPlace(world, point);
    world.files.removeDirectory(point);
  }
  await protection.settle();
  if (await isClaimed(world, disk)) {
    throw helperError("in-use", `${disk} is in use by somebody else, such as RAID or ZFS`);
  }
  const attribute = `/sys/block/${disk}/device/delete`;
  // NVMe, SD cards and loop devices stay visible until they are pulled.
  if (world.files.stat(attribute, true) === undefined) return { detached: false };
  writeAttribute(world, attribute, "1");
  return { detached: true };
};

function writeAttribute(world: HelperWorld, path: string, text: string): void {
  const { files } = world;
  const descriptor = files.open(path, "write");
  try {
    files.write(descriptor, Buffer.from(text));
  } finally {
    files.close(descriptor);
  }
}

async function order(world: HelperWorld, { program, parameters }: ProgramCall, refusal: string) {
  try {
    const end = await world.commands.run(program, parameters, quickLimits);
    if (end.code === 0) return;
    throw helperError("not-supported", `${refusal}: ${end.stderr.trim().slice(0, 200)}`);
  } catch (error) {
    if (!hasCode(error, "command-missing")) throw error;
    throw helperError("not-supported", `${refusal}: ${error.message}`);
  }
}

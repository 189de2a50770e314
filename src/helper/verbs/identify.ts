/** The first step: what is on a disk and what stands against writing to it. Reads a few places of it, and changes nothing. */
import type { Evidence } from "#disks/guard/evidence.ts";
import {
  contentDigest,
  isProvablyBlank,
  obstaclesOf,
  whyNotBlank,
} from "#disks/guard/may-write.ts";
import { helperLimits } from "#disks/helper-protocol.ts";
import { gatherEvidence } from "#helper/disk-evidence.ts";
import { openDisk } from "#helper/disk-view.ts";
import type { HelperWorld } from "#helper/helper-world.ts";
import type { Verb } from "#helper/verb-call.ts";
import { FileError } from "#platform/files.ts";

export const identify: Verb<"identify"> = async ({ disk }, { world, memory, notes }) => {
  memory.requireFree(disk);
  const open = await openDisk(world, { disk, sequence: undefined }, "look");
  await using device = open.device;
  const { evidence } = await gatherEvidence(
    world,
    { ...open, device },
    {
      claimed: await isClaimed(world, disk),
      blank: memory.reading(disk)?.proof,
      unfinished: (scan, found) => notes.unfinished(scan, found),
    },
  );
  const obstacles = obstaclesOf(evidence);
  const content = contentDigest(evidence);
  const token =
    obstacles.length > 0 ? undefined : memory.issue({ device: evidence.device, content });
  const blank = isProvablyBlank(evidence);
  const { unfinished } = evidence;
  return {
    device: evidence.device,
    signatures: evidence.signatures.slice(0, 64),
    otherFindings: evidence.otherFindings,
    partitions: evidence.partitions,
    obstacles,
    blank,
    whyNotBlank: blank ? undefined : whyNotBlank(evidence),
    readBytes: readBytesOf(evidence),
    unfinished:
      unfinished === undefined
        ? undefined
        : {
            diskId: unfinished.diskId,
            canContinue: unfinished.proven && unfinished.foreign.length === 0,
          },
    token,
    expiresInSeconds: helperLimits.tokenMs / 1000,
  };
};

/** Of this plugging. */
function readBytesOf({ blank, device }: Evidence): number {
  return blank?.sequence === device.sequence ? blank.readBytes : 0;
}

/** Whether the kernel would let us have it for ourselves. */
export async function isClaimed(world: HelperWorld, disk: string): Promise<boolean> {
  try {
    await (await world.devices.open(`/dev/${disk}`, "look-alone")).close();
    return false;
  } catch (error) {
    if (error instanceof FileError && error.code === "EBUSY") return true;
    throw error;
  }
}

/** What the running node does when somebody gives it a disk. */
import type { OperationHandlers } from "#control/control-bus.ts";
import { controlError } from "#control/errors.ts";
import type { diskGivingOperations } from "#control/operations/disk-giving.ts";
import { isDiskName } from "#disks/helper-protocol.ts";
import type { LostDisk } from "#disks/moves/new-disk-paths.ts";
import type { DiskGiving } from "#disks/provision/disk-giving.ts";
import { DiskId } from "#model/disk-id.ts";

/** `giving` undefined where the node does not look after its disks. */
export function diskGivingHandlers(
  giving: () => DiskGiving | undefined,
  lost: () => readonly LostDisk[],
): OperationHandlers<typeof diskGivingOperations> {
  const own = (): DiskGiving => {
    const found = giving();
    if (found !== undefined) return found;
    throw controlError(
      "input-invalid",
      "this node does not look after its disks: set disks.manage = true and start it again",
    );
  };
  return {
    prepareDisk: async ({ disk }) => {
      const found = await own().prepare(named(disk));
      const { name, sequence, model, serial, sizeBytes } = found.device;
      const { blank, whyNotBlank, readBytes, unfinished, token } = found;
      const marks = found.signatures.map(({ says, label }) =>
        label === undefined ? says : `${says} "${label}"`,
      );
      return {
        ...{ disk: name, sequence, model, serial, sizeBytes },
        content: [...new Set([...marks, ...otherWords(found)])],
        ...{ blank, whyNotBlank, readBytes, unfinished, token },
        obstacles: found.obstacles.map(({ says }) => says),
        lost: lost().map(({ disk: { diskId, seenAt }, storePaths }) => ({
          ...{ disk: diskId, seenAt },
          storePaths: [...storePaths],
        })),
      };
    },
    readDisk: ({ disk, sequence }) => own().read(named(disk), sequence),
    addDisk: ({ disk, sequence, token, typed, fileSystem = "ext4", storePaths }) => {
      if (!/^[0-9a-f]{32}$/.test(token)) {
        throw controlError("input-invalid", "the token is none of disks.prepare");
      }
      const given = { disk: named(disk), sequence, token, typed, fileSystem, storePaths };
      return { diskId: own().add(given) };
    },
    resumeDisk: ({ disk, sequence, diskId, undo }) => {
      own().resume({ disk: named(disk), sequence, diskId: DiskId(diskId), undo });
      return { diskId };
    },
    listGivings: () => ({ givings: own().givings }),
    ejectDisk: async ({ disk, sequence }) => ({
      detached: await own().eject(named(disk), sequence),
    }),
  };
}

function otherWords(found: {
  readonly signatures: readonly unknown[];
  readonly otherFindings: readonly string[];
  readonly partitions: readonly string[];
}): string[] {
  const { signatures, otherFindings, partitions } = found;
  const parts = partitions.length === 0 ? [] : [`partitions ${partitions.join(", ")}`];
  return signatures.length > 0 ? parts : [...otherFindings, ...parts];
}

function named(disk: string): string {
  const name = disk.replace(/^\/dev\//, "");
  if (isDiskName(name)) return name;
  throw controlError("input-invalid", `"${name}" is not the name of a whole disk, such as sda`);
}

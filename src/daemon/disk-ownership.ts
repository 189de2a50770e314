/** What the running node does about disks that carry a passport when somebody asks. */
import type { OperationHandlers } from "#control/control-bus.ts";
import { controlError } from "#control/errors.ts";
import type { diskOwnershipOperations } from "#control/operations/disk-ownership.ts";
import type { OwnDisks } from "#daemon/own-disks.ts";
import { DiskId } from "#model/disk-id.ts";
import { NodeId } from "#model/node-id.ts";

export interface DiskOwnershipParts {
  /** Undefined where the node does not look after its disks. */
  readonly disks: Pick<OwnDisks, "report" | "adopt" | "restore"> | undefined;
  /** The node starts anew, after the answer. */
  readonly startAnew: () => void;
}

export function diskOwnershipHandlers({
  disks,
  startAnew,
}: DiskOwnershipParts): OperationHandlers<typeof diskOwnershipOperations> {
  const own = (): NonNullable<typeof disks> => {
    if (disks !== undefined) return disks;
    throw controlError(
      "input-invalid",
      "this node does not look after its disks: set disks.manage = true and start it again",
    );
  };
  return {
    findDisks: () => {
      const { disks, former } = own().report;
      return {
        disks: disks.map(({ name, diskId: disk, kind, says }) => ({ name, disk, kind, says })),
        former: former && { node: former.id, name: former.name, disks: former.places.length },
      };
    },
    adoptDisk: async ({ disk }) => ({ storePaths: [...(await own().adopt(DiskId(disk)))] }),
    restoreNode: async ({ node }) => {
      const wanted = node ?? own().report.former?.id;
      if (wanted === undefined) {
        throw controlError(
          "input-invalid",
          'there is no former node: "cairn disk found" tells what the disks say',
        );
      }
      const restored = await own().restore(NodeId(wanted));
      startAnew();
      return { node: wanted, ...restored };
    },
  };
}

/** What the running node tells of its disks when somebody asks. */
import type { OperationHandlers } from "#control/control-bus.ts";
import { controlError } from "#control/errors.ts";
import type { diskOperations } from "#control/operations/disks.ts";
import { type DiskNotes, type PlacedPath, shownDisks } from "#daemon/shown-disks.ts";
import type { DiskInventory } from "#disks/disk-inventory.ts";
import type { DiskFacts } from "#model/disk-facts.ts";

export interface DiskOperationParts {
  /** Undefined where nobody looks at disks. */
  readonly inventory: Pick<DiskInventory, "look" | "report" | "isWatching"> | undefined;
  readonly storePaths: () => readonly PlacedPath[];
  readonly notesOf: (disk: DiskFacts) => DiskNotes;
  /** What people may want to do. */
  readonly advice?: () => readonly string[];
}

export function diskHandlers(parts: DiskOperationParts): OperationHandlers<typeof diskOperations> {
  return {
    listDisks: async ({ refresh }) => {
      const { inventory, storePaths, notesOf } = parts;
      if (inventory === undefined) {
        throw controlError("input-invalid", "this node looks at no disks: it runs in a simulation");
      }
      const disks = await inventory.look(refresh === true ? ["*"] : []);
      const { lookedAtMs, problems } = inventory.report;
      return {
        disks: shownDisks(disks, storePaths(), notesOf),
        lookedAt: lookedAtMs === undefined ? undefined : Math.floor(lookedAtMs / 1000),
        watching: inventory.isWatching,
        problems,
        advice: [...(parts.advice?.() ?? [])],
      };
    },
  };
}

/** What the running node does when somebody wants store paths on other disks. */
import type { OperationHandlers } from "#control/control-bus.ts";
import { controlError } from "#control/errors.ts";
import type { diskMoveOperations } from "#control/operations/disk-moves.ts";
import type { DiskMoves } from "#daemon/disk-moves.ts";
import type { PlannedMove } from "#disks/moves/move-plan.ts";

/** `moves` undefined where the node does not look after its disks. */
export function diskMoveHandlers(
  moves: () => DiskMoves | undefined,
): OperationHandlers<typeof diskMoveOperations> {
  const own = (): DiskMoves => {
    const found = moves();
    if (found !== undefined) return found;
    throw controlError(
      "input-invalid",
      "this node does not look after its disks: set disks.manage = true and start it again",
    );
  };
  return {
    planRetire: async ({ disk, to }) => {
      const found = await own().planRetire(disk, to);
      const { diskId, name } = found.disk;
      return { disk: diskId, name, moves: found.moves.map(toldPlan) };
    },
    retireDisk: async ({ disk, to, moves: agreed }) => ({
      disk: (await own().retire(disk, agreed, to)).diskId,
    }),
    drainDisk: ({ disk, drain }) => {
      const { diskId, name } = own().drain(disk, drain);
      return { disk: diskId, name };
    },
    planRebalance: async () => ({ moves: (await own().planRebalance()).map(toldPlan) }),
    rebalanceDisks: async ({ moves: agreed }) => {
      await own().rebalance(agreed);
      return {};
    },
    listMoves: () => ({
      moves: own().moves.moves.map(({ storePath, source, target, tally, ...move }) => {
        const { purpose, phase, problem, unreadable, begunAt, endedAt } = move;
        const ends = { storePath, from: source, to: target };
        const state = { purpose, phase, problem, unreadable: [...unreadable], begunAt, endedAt };
        return { ...ends, ...state, ...tally };
      }),
    }),
    changeMove: ({ storePath, action }) => {
      if (action === "cancel") own().moves.cancel(storePath);
      else own().moves.leaveUnreadable(storePath);
      return {};
    },
  };
}

function toldPlan({ storePath, from, to, bytes }: PlannedMove) {
  const names = { fromName: from.name, toName: to.name };
  return { storePath, from: from.diskId, to: to.diskId, ...names, bytes };
}

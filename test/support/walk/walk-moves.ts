/**
 * Store paths that go from disk to disk of a node that is well, while clients go on: a disk is retired and used again, drained for a while, or
 * another one takes its place; now and then the node is killed in the middle of it. Each ends with one store path on each disk.
 */
import { listMoves } from "#control/operations/disk-moves.ts";
import type { Random } from "#platform/random.ts";
import { pause, until } from "./system.ts";
import type { WalkDisk } from "./walk-disk.ts";
import type { WalkNode } from "./walk-node.ts";
import { diskBytes, type WalkStage } from "./walk-stage.ts";

const moveLimitMs = 240_000;

export interface MoveWorld {
  readonly stage: WalkStage;
  readonly random: Random;
  readonly note: (text: string) => void;
}

type Act = (world: MoveWorld, disk: WalkDisk) => Promise<void>;

export const moveKinds: Readonly<Record<string, Act>> = {
  /** Its paths go elsewhere; then it is used again, and gets one back by a rebalance. */
  retire: async (world, disk) => {
    const node = world.stage.nodeOf(disk);
    try {
      await node.cairn("disk", "retire", deviceOf(disk), "--yes");
    } catch (error) {
      if (!String((error as { readonly stderr?: string }).stderr).includes("no other disk"))
        throw error;
      world.note(`no room for what ${disk.name} carries`);
      return;
    }
    await arrived(world, node);
    await node.cairn("disk", "undrain", deviceOf(disk));
    await node.cairn("disks", "rebalance", "--yes");
    await arrived(world, node);
  },
  drain: async (world, disk) => {
    const node = world.stage.nodeOf(disk);
    await node.cairn("disk", "drain", deviceOf(disk));
    await pause(world.random.below(4000));
    await node.cairn("disk", "undrain", deviceOf(disk));
  },
  /** By a blank one. The old one is ejected and leaves for good. */
  replace: async (world, disk) => {
    const { stage, note } = world;
    const node = stage.nodeOf(disk);
    const next = await stage.newDisk(disk.owner);
    note(`${next.name} in ${next.device} takes the place of ${disk.name}`);
    await node.cairn(
      "disk",
      "replace",
      deviceOf(disk),
      deviceOf(next),
      "--size",
      String(diskBytes),
    );
    await arrived(world, node);
    await node.cairn("disk", "eject", deviceOf(disk));
    await disk.unplug();
    stage.leave(disk);
  },
};

/** Until no store path is on its way any more; a kill in between costs nothing. */
async function arrived({ random, note }: MoveWorld, node: WalkNode): Promise<void> {
  if (random.below(3) === 0) {
    await pause(random.below(1500));
    node.kill();
    note(`kill ${node.name} meanwhile`);
    await node.hasEnded(10_000);
    await node.start();
  }
  await until(`store paths of ${node.name} have arrived`, moveLimitMs, async () => {
    const { moves } = await node.control.ask(listMoves, {});
    return moves.every(({ phase }) => phase === "done" || phase === "cancelled");
  });
}

function deviceOf({ device, name }: WalkDisk): string {
  if (device === undefined) throw new Error(`${name} is not plugged in`);
  return device;
}

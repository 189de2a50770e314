/** What befalls the disks and nodes of a walk. Each trouble begins, and resolves to how it ends; undefined where nothing fits it now. */
import { join } from "node:path";
import type { Random } from "#platform/random.ts";
import { ask, isFree, pause, until } from "./system.ts";
import type { WalkDisk } from "./walk-disk.ts";
import type { WalkNode } from "./walk-node.ts";
import type { WalkStage } from "./walk-stage.ts";

export interface Trouble {
  readonly what: string;
  readonly disk?: WalkDisk;
  readonly node?: WalkNode;
  readonly end: () => Promise<void>;
}

export interface TroubleWorld {
  readonly stage: WalkStage;
  readonly random: Random;
  /** Ends what is done to the disks of a node, which a process that is to end may wait for. */
  readonly release: (node: WalkNode) => Promise<void>;
}

type Begin = (world: TroubleWorld) => Promise<Trouble | undefined>;

const endLimitMs = 4000;
const freeLimitMs = 10_000;
const mebibyte = 1024 * 1024;

function pick<T>(random: Random, all: readonly T[]): T | undefined {
  return all.length === 0 ? undefined : all[random.below(all.length)];
}

/** That is plugged in and that nothing is done to. */
function quietDisk(
  { stage, random }: TroubleWorld,
  fits: (disk: WalkDisk, node: WalkNode) => boolean = () => true,
): WalkDisk | undefined {
  const quiet = stage.disks.filter(
    (disk) =>
      disk.device !== undefined && disk.trouble === undefined && fits(disk, stage.nodeOf(disk)),
  );
  return pick(random, quiet);
}

/** Out of its port, until it is plugged into another one. */
function out(world: TroubleWorld, disk: WalkDisk, what: string): Trouble {
  disk.trouble = what;
  return {
    what: `${what} ${disk.name}`,
    disk,
    end: async () => {
      if (disk.device !== undefined) await disk.unplug();
      await world.stage.plug(disk);
      disk.trouble = undefined;
    },
  };
}

async function eject(world: TroubleWorld, disk: WalkDisk): Promise<string> {
  const { device = "" } = disk;
  await world.stage.nodeOf(disk).cairn("disk", "eject", device);
  await disk.unplug();
  await until(`${device} is free after ${disk.name} was ejected`, freeLimitMs, () =>
    isFree(device),
  );
  return device;
}

export const troubles: Readonly<Record<string, Begin>> = {
  pull: async (world) => {
    const disk = quietDisk(world);
    if (disk === undefined) return undefined;
    await disk.pull();
    return out(world, disk, "pull");
  },
  die: async (world) => {
    const disk = quietDisk(world);
    if (disk === undefined) return undefined;
    await disk.die();
    return out(world, disk, "die");
  },
  eject: async (world) => {
    const disk = quietDisk(
      world,
      (each, node) => node.isRunning && each.mountPoint?.startsWith(node.data) === true,
    );
    if (disk === undefined) return undefined;
    await eject(world, disk);
    return out(world, disk, "eject");
  },
  hang: async (world) => {
    const disk = quietDisk(world);
    if (disk === undefined) return undefined;
    const end = await disk.hang();
    disk.trouble = "hang";
    return { what: `hang ${disk.name}`, disk, end: () => ended(disk, end) };
  },
  freeze: async (world) => {
    const disk = quietDisk(world, ({ mountPoint }) => mountPoint !== undefined);
    const point = disk?.mountPoint;
    if (disk === undefined || point === undefined) return undefined;
    await ask("fsfreeze", "--freeze", point);
    disk.trouble = "freeze";
    const thaw = async (): Promise<void> => {
      await ask("fsfreeze", "--unfreeze", point);
    };
    return { what: `freeze ${disk.name}`, disk, end: () => ended(disk, thaw) };
  },
  fill: async (world) => {
    const disk = quietDisk(world, ({ mountPoint }) => mountPoint !== undefined);
    const point = disk?.mountPoint;
    if (disk === undefined || point === undefined) return undefined;
    const ballast = join(point, "ballast");
    const free = Number((await ask("stat", "-f", "-c", "%a * %S", point)).split(" * ")[0]) * 4096;
    const left = world.random.below(3) * mebibyte;
    await ask("fallocate", "-l", String(Math.max(4096, free - left)), ballast).catch(() => {
      // What fits is taken all the same.
      return "full";
    });
    disk.trouble = "fill";
    const empty = async (): Promise<void> => {
      await ask("rm", "-f", ballast);
    };
    return { what: `fill ${disk.name}`, disk, end: () => ended(disk, empty) };
  },
  kill: async (world) => {
    const { stage, random } = world;
    const node = pick(
      random,
      stage.nodes.filter(({ isRunning }) => isRunning),
    );
    if (node === undefined) return undefined;
    node.kill();
    return {
      what: `kill ${node.name}`,
      node,
      end: async () => {
        if (!(await node.hasEnded(endLimitMs))) await world.release(node);
        await node.hasEnded(endLimitMs);
        await node.start();
      },
    };
  },
  swap: async (world) => {
    const fits = (each: WalkDisk, node: WalkNode): boolean =>
      node.isRunning && each.mountPoint?.startsWith(node.data) === true;
    const one = quietDisk(world, fits);
    const other = quietDisk(world, (disk, node) => disk !== one && fits(disk, node));
    if (one === undefined || other === undefined) return undefined;
    const [first, second] = [await eject(world, one), await eject(world, other)];
    await pause(world.random.below(1500));
    await world.stage.plug(one, second);
    await world.stage.plug(other, first);
    return { what: `swap ${one.name} and ${other.name}`, end: async () => undefined };
  },
};

async function ended(disk: WalkDisk, end: () => Promise<void>): Promise<void> {
  await end();
  disk.trouble = undefined;
}

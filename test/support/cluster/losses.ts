/**
 * Troubles in which a box loses what it had: its disk, its place in the group, its address. What only that box has acknowledged would be
 * lost with a disk, because replication is asynchronous, so its clients are cut off first, and it hands on what it has.
 */
import type { Battlefield, Trouble } from "./chaos.ts";
import { type ClusterNode, pause } from "./cluster-node.ts";

const drainMs = 30_000;
/** Addresses that no host has at the start. */
const firstSpare = 100;
let moves = 0;

/** False where it could not hand on everything in time. */
async function drain({ network }: Battlefield, node: ClusterNode): Promise<boolean> {
  network.cut("client", node.name);
  network.cut(node.name, "client");
  try {
    const until = performance.now() + drainMs;
    for (let drained = 0; performance.now() < until; ) {
      drained = (await node.isDrained().catch(() => false)) ? drained + 1 : 0;
      if (drained === 3) return true;
      await pause(500);
    }
    return false;
  } finally {
    network.heal();
  }
}

/** Nothing, where it still has what nobody else has. */
const skipped = async (): Promise<void> => {};

export const losses: Readonly<Record<string, Trouble>> = {
  "lose the disk": async (field, node) => {
    if (!(await drain(field, node))) return skipped;
    await node.kill();
    node.wipe(0);
    return async () => {
      await node.start();
      await field.filled(node);
    };
  },
  "leave and join again": async (field, node) => {
    if (node.options.roles.includes("tracker") || !(await drain(field, node))) return skipped;
    await node.stop();
    const { group, trackers } = node.options;
    const words = trackers.flatMap((name) => ["--tracker", field.network.host(name).address]);
    const storage = node.address;
    await node.cairn("storage", "remove", group, storage, "--yes", ...words);
    node.forgetAll();
    return async () => {
      await node.start();
      await field.filled(node);
    };
  },
  "get another address": async ({ network }, node) => {
    if (node.options.roles.includes("tracker")) return skipped;
    await node.stop();
    moves += 1;
    network.changeAddress(node.name, `10.77.0.${firstSpare + moves}`);
    return () => node.start();
  },
};

/** What happens to a cluster while it is under load: one trouble after the other, each chosen by a seed and ended after a while. */
import type { Random } from "#platform/random.ts";
import { type ClusterNode, pause } from "./cluster-node.ts";
import { losses } from "./losses.ts";
import type { ClusterNetwork } from "./network.ts";

export interface Battlefield {
  readonly network: ClusterNetwork;
  readonly nodes: readonly ClusterNode[];
  readonly random: Random;
  readonly note: (text: string) => void;
  /** Resolves when the node has what its group has stored until now. */
  readonly filled: (node: ClusterNode) => Promise<void>;
}

export type Trouble = (field: Battlefield, node: ClusterNode) => Promise<() => Promise<void>>;

const year = 365 * 86_400;

const troubles: Readonly<Record<string, Trouble>> = {
  ...losses,
  kill: async (_field, node) => {
    await node.kill();
    return () => node.start();
  },
  stop: async (_field, node) => {
    await node.stop();
    return () => node.start();
  },
  pause: async (_field, node) => {
    node.pause();
    return async () => node.resume();
  },
  isolate: async ({ network }, node) => {
    network.isolate(node.name);
    return async () => network.heal();
  },
  "cut one way": async ({ network, nodes, random }, node) => {
    const others = nodes.filter((other) => other !== node);
    const other = others[random.below(others.length)];
    if (other !== undefined) network.cut(node.name, other.name);
    return async () => network.heal();
  },
  lose: async ({ network, random }, node) => {
    network.lose(node.name, 1 + random.below(15));
    return async () => network.heal();
  },
  slow: async ({ network }, node) => {
    network.slow(node.name, 10);
    return async () => network.heal();
  },
  "step the clock": async ({ random }, node) => {
    const steps = [-20 * year, -3600, -30, 30, 3600, 5 * year];
    node.stepClock(steps[random.below(steps.length)] ?? 0);
    return async () => node.stepClock(0);
  },
};

/** `rounds` troubles, a few seconds each; all are over when it resolves. */
export async function cause(field: Battlefield, rounds: number): Promise<void> {
  const names = Object.keys(troubles);
  for (let round = 0; round < rounds; round += 1) {
    const name = names[field.random.below(names.length)] ?? "kill";
    const node = field.nodes[field.random.below(field.nodes.length)];
    const trouble = troubles[name];
    if (node === undefined || trouble === undefined) continue;
    field.note(`${name}: ${node.name}`);
    const end = await trouble(field, node);
    await pause(1000 + field.random.below(4000));
    await end();
    await pause(field.random.below(2000));
  }
}

/**
 * A random walk over the disks and nodes of a stage: troubles begin and end in an order that a seed gives, a few at the same time, one a disk
 * at most. Whatever takes a copy away for good is done only while the other node has everything.
 */
import type { Random } from "#platform/random.ts";
import { pause, until } from "./system.ts";
import type { WalkLoad } from "./walk-load.ts";
import { moveKinds } from "./walk-moves.ts";
import type { WalkNode } from "./walk-node.ts";
import { compare, rot, scrub } from "./walk-rot.ts";
import type { WalkStage } from "./walk-stage.ts";
import { type Trouble, troubles } from "./walk-troubles.ts";

const maxTroubles = 3;
const maxDisks = 3;
const goesOnMs = 20_000;
const kinds: readonly string[] = [
  ...Object.keys(troubles),
  ...Object.keys(moveKinds),
  ...["rot", "provision"],
];

export interface WalkParts {
  readonly stage: WalkStage;
  readonly load: WalkLoad;
  readonly random: Random;
  readonly note: (text: string) => void;
}

export class Walk {
  readonly #parts: WalkParts;
  readonly #under: Trouble[] = [];
  readonly #deck: string[] = [];
  /** How often each was done. */
  readonly counts = new Map<string, number>();

  constructor(parts: WalkParts) {
    this.#parts = parts;
  }

  async run(steps: number): Promise<void> {
    const { random } = this.#parts;
    for (let step = 0; step < steps; step += 1) {
      await this.#step();
      await pause(300 + random.below(3000));
    }
  }

  /** Ends all troubles, and waits until both nodes are well. */
  async calm(): Promise<void> {
    const { stage, random, note } = this.#parts;
    while (this.#under.length > 0) await this.#end(random.below(this.#under.length));
    const begun = performance.now();
    await stage.well();
    note(`well after ${Math.round(performance.now() - begun)} ms`);
  }

  async #step(): Promise<void> {
    const { random } = this.#parts;
    const dice = random.below(100);
    const isFull = this.#under.length >= maxTroubles;
    if (isFull || (this.#under.length > 0 && dice < 40)) {
      await this.#end(random.below(this.#under.length));
      return;
    }
    for (let tries = 0; tries < kinds.length; tries += 1) {
      const kind = this.#draw();
      if (!(await this.#begin(kind))) continue;
      this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
      return;
    }
  }

  /** Each kind comes once before any comes again. */
  #draw(): string {
    if (this.#deck.length === 0) this.#deck.push(...kinds);
    const [kind = "pull"] = this.#deck.splice(this.#parts.random.below(this.#deck.length), 1);
    return kind;
  }

  /** False where it does not fit now. */
  async #begin(kind: string): Promise<boolean> {
    if (kind === "rot") return await this.#rot();
    if (kind === "provision") return await this.#provision();
    if (moveKinds[kind] !== undefined) return await this.#move(kind);
    const { stage, random, note } = this.#parts;
    const world = { stage, random, release: (node: WalkNode) => this.#release(node) };
    const trouble = await troubles[kind]?.(world);
    if (trouble === undefined) return false;
    note(trouble.what);
    if (trouble.disk !== undefined || trouble.node !== undefined) this.#under.push(trouble);
    return true;
  }

  async #end(at: number): Promise<void> {
    const [trouble] = this.#under.splice(at, 1);
    if (trouble === undefined) return;
    await trouble.end();
    this.#parts.note(`end of ${trouble.what}`);
  }

  async #release(node: WalkNode): Promise<void> {
    const { stage } = this.#parts;
    for (const disk of stage.disksOf(node)) {
      const at = this.#under.findIndex((trouble) => trouble.disk === disk);
      if (at >= 0) await this.#end(at);
    }
  }

  /** With nobody writing, so that what is harmed is never the only copy. */
  async #rot(): Promise<boolean> {
    const { stage, load, random, note } = this.#parts;
    await load.pause();
    await this.calm();
    for (const node of stage.nodes) note(`${node.name}: ${await compare(node)} files differed`);
    const disk = stage.disks[random.below(stage.disks.length)];
    if (disk === undefined) return false;
    const harmed = rot(disk, load.files, random);
    note(`rot on ${disk.name}: ${harmed.join(", ")}`);
    const found = await scrub(stage.nodeOf(disk));
    const words = found.map((path) => `${path.damaged} of ${path.files}`).join(", ");
    note(`scrubbed ${stage.nodeOf(disk).name}: damaged ${words}`);
    load.resume();
    return true;
  }

  /** From a node that is well: what it owes its peers is not what this is about. */
  async #move(kind: string): Promise<boolean> {
    const { stage, random, note } = this.#parts;
    await this.calm();
    const disk = stage.disks[random.below(stage.disks.length)];
    if (disk === undefined) return false;
    note(`${kind} ${disk.name}`);
    await moveKinds[kind]?.({ stage, random, note }, disk);
    await this.calm();
    return true;
  }

  /** Each node gets one more disk; now and then one is killed while it makes it its own. */
  async #provision(): Promise<boolean> {
    const { stage, random, note } = this.#parts;
    if (stage.disks.length >= stage.nodes.length * maxDisks) return false;
    await this.calm();
    for (const [at, node] of stage.nodes.entries()) {
      const disk = await stage.newDisk(at);
      note(`give ${disk.name} in ${disk.device}`);
      const giving = stage.give(disk).then(
        () => true,
        (error: unknown) => {
          note(String(error));
          return false;
        },
      );
      if (random.below(3) === 0) {
        await pause(random.below(6000));
        node.kill();
        note(`kill ${node.name} meanwhile`);
        await giving;
        await node.hasEnded(10_000);
        await node.start();
        // What was begun goes on by itself; what was not even begun needs another yes.
        const isMounted = (): boolean => disk.mountPoint !== undefined;
        const wait = until(`${disk.name} is mounted`, goesOnMs, isMounted);
        await wait.catch(() => stage.give(disk));
      } else if (!(await giving)) throw new Error(`${disk.name} cannot be given to ${node.name}`);
    }
    await this.calm();
    return true;
  }
}

/**
 * Goal: whatever happens to the disks of two boxes, as long as one copy of everything is left, nothing that was acknowledged is lost, and all
 * is well again by itself once the troubles are over.
 * Method: two real nodes that look after their disks on one machine, so that each sees the disks of the other one as well; clients that
 * keep the SHA-256 of what they were told is stored; a walk from a seed: disks are pulled, plugged into other ports, ejected, swapped, hang,
 * are frozen, filled, die, rot and are scrubbed, are retired, drained, replaced and rebalanced, new ones are given, nodes are killed. At its
 * end everything is served by both.
 * The run is a seed and a number of steps (`CAIRN_SEED`, `CAIRN_WALK_STEPS`); `CAIRN_KEEP=1` keeps what the nodes wrote.
 */
import { appendFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { listDisks } from "#control/operations/disks.ts";
import { needs } from "../support/needs.ts";
import { runSeed } from "../support/run-seed.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { Walk } from "../support/walk/walk.ts";
import { judge } from "../support/walk/walk-judge.ts";
import { WalkLoad } from "../support/walk/walk-load.ts";
import type { WalkNode } from "../support/walk/walk-node.ts";
import { compare, scrub } from "../support/walk/walk-rot.ts";
import { WalkStage, walkNeeds } from "../support/walk/walk-stage.ts";

const steps = Number(process.env.CAIRN_WALK_STEPS ?? "25");
const seed = runSeed;
const isKept = process.env.CAIRN_KEEP === "1";
const firstDisks = 2;
const workers = 4;
const limitMs = 300_000 + steps * 60_000;

/** Of the disks in use: whose they are, by the node itself. */
async function disksOf(stage: WalkStage, node: WalkNode): Promise<readonly string[]> {
  const { disks } = await node.control.ask(listDisks, {});
  return stage.disksOf(node).map(({ name, device }) => {
    const shown = disks.find((each) => each.name === device);
    return `${name} ${shown?.role}, ${shown?.storePaths.length} paths`;
  });
}

async function walked(stage: WalkStage, note: (text: string) => void): Promise<void> {
  for (const [at] of stage.nodes.entries()) {
    for (let disk = 0; disk < firstDisks; disk += 1) await stage.give(await stage.newDisk(at));
  }
  await stage.well();
  const load = new WalkLoad(stage.nodes, seededRandom(seed + 1));
  const walk = new Walk({ stage, load, random: seededRandom(seed), note });
  load.start(workers);
  try {
    await walk.run(steps);
  } finally {
    load.resume();
    await load.stop();
    const counts = [...walk.counts].map(([name, count]) => `${name} ${count}`).join(", ");
    const failures = [...load.failures].map(([code, count]) => `${code} ${count}`).join(", ");
    note(`troubles: ${counts}; acknowledged ${load.acknowledged}; failed: ${failures}`);
  }
  await walk.calm().catch(async (error: unknown) => {
    const { problems } = await judge(load.files.values(), stage.nodes);
    note(`not well; of the files: ${problems.join("; ")}`);
    throw error;
  });
  for (const node of stage.nodes) note(`${node.name}: ${await compare(node)} files differed`);
  for (const node of stage.nodes) await scrub(node);
  await walk.calm();
  const verdict = await judge(load.files.values(), stage.nodes);
  note(JSON.stringify({ ...verdict, problems: verdict.problems.length }));
  expect(verdict.problems).toEqual([]);
  expect(load.wrong).toEqual([]);
  for (const node of stage.nodes) {
    expect(await compare(node), `files of ${node.name} that differ`).toBe(0);
    const wanted = stage.disksOf(node).map(({ name }) => `${name} store, 1 paths`);
    expect(await disksOf(stage, node)).toEqual(wanted);
  }
  expect(load.acknowledged).toBeGreaterThan(steps * 10);
}

needs(...walkNeeds)(
  `nothing is lost in ${steps} steps of a walk over the disks of two boxes, seed ${seed}`,
  async () => {
    const begun = performance.now();
    const actions: string[] = [];
    const kept = isKept ? mkdtempSync(join(tmpdir(), `cairn-walked-${seed}-`)) : undefined;
    const note = (text: string): void => {
      const line = `${((performance.now() - begun) / 1000).toFixed(1)} s  ${text}`;
      actions.push(line);
      if (kept !== undefined) appendFileSync(join(kept, "walk.log"), `${line}\n`);
    };
    await using stage = await WalkStage.start(seededRandom(seed + 2));
    try {
      await walked(stage, note);
      process.stdout.write(`${actions.slice(-4).join("\n")}\n`);
    } catch (error) {
      const again = `CAIRN_SEED=${seed} CAIRN_WALK_STEPS=${steps} npm run test:walk`;
      process.stdout.write(`${actions.join("\n")}\nfailed: ${String(error)}\nagain: ${again}\n`);
      process.stdout.write(`${(await stage.complaints()).join("\n")}\n`);
      throw error;
    } finally {
      if (kept !== undefined) {
        for (const node of stage.nodes) node.keepLog(kept);
        process.stdout.write(`what the nodes wrote is in ${kept}\n`);
      }
    }
  },
  limitMs,
);

/**
 * Goal: whenever the power goes, the machine starts again by itself, and every acknowledged change is there, whole; a change that was
 * under way is there or not, as a whole; nothing else is visible, and the store goes on working.
 * Method: a real node, with its state and its store path on an ext4 file system, on a loop device, on a FUSE file that records each
 * write and each flush; a mixed load over the wire, which notes the position of that log with each acknowledgement. Then, for many
 * positions, random ones and those of acknowledgements, an image of what the disk may hold: everything that a flush covered, and any
 * part of the later writes, dropped, reordered, torn. Each image is mounted as it is, opened by the engine (some by a whole node),
 * and compared with what was acknowledged at that position.
 * A run is a seed and a number of cuts (`CAIRN_SEED`, `CAIRN_POWER_CUTS`). The load is not reproducible to the write, so with
 * `CAIRN_POWER_KEEP=FOLDER` the images of failed cuts are kept there, as they were before the mount.
 */
import { rmSync } from "node:fs";
import { afterAll, expect } from "vitest";
import type { Packing } from "#filestore/packing.ts";
import { checkpointBytes } from "#filestore/worker/limits.ts";
import { imageFolder, recordedDiskNeeds } from "../support/fuse/recorded-disk.ts";
import { needs } from "../support/needs.ts";
import { runSeed } from "../support/run-seed.ts";
import { cutAll } from "./power-cuts.ts";
import { type Flavour, type Recording, record } from "./power-recording.ts";
import { isPacked } from "./trunk-audit.ts";

const cuts = Number(process.env.CAIRN_POWER_CUTS ?? "40");
const seed = runSeed;
const keep = process.env.CAIRN_POWER_KEEP;
const onRecordedDisk = needs(...recordedDiskNeeds);
const recordedBytes = 2 ** 31;
const packing: Packing = {
  mode: "leased",
  slotMinBytes: 256,
  slotMaxBytes: 256 * 1024,
  alignmentBytes: 0,
  trunkFileBytes: 4 * 1024 * 1024,
  removesUnused: true,
};
const packedSettings = [
  "storage.packing=on",
  // Filled several times in one run.
  "storage.journal_size=1MiB",
  `tracker.trunk.file_size=${packing.trunkFileBytes}`,
  `tracker.trunk.slot_max_size=${packing.slotMaxBytes}`,
];
const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

interface Scenario extends Flavour {
  /** Of all cuts, in percent. */
  readonly share: number;
  /** That the load was what the scenario says. */
  readonly isFit: (recording: Recording) => boolean;
}

const scenarios: Readonly<Record<string, Scenario>> = {
  "files of their own, about the time of a checkpoint": {
    share: 30,
    settings: ["storage.packing=off", "storage.journal_size=1MiB"],
    churn: true,
    isFit: ({ binlogBytes, histories }) =>
      binlogBytes > checkpointBytes && !histories.some(({ name }) => isPacked(name)),
  },
  "packed files": {
    share: 35,
    settings: packedSettings,
    packing,
    isFit: ({ histories }) =>
      histories.filter(({ name }) => isPacked(name)).length > histories.length / 3,
  },
  "packed files, while trunk files are made sparse": {
    share: 12,
    settings: packedSettings,
    packing,
    larger: 97,
    operations: 1000,
    filesPerWorker: 100,
    purgeUntil: "trunk-file-compacted",
    isFit: () => true,
  },
  // Only a node has the index of contents.
  "deduplicated files": {
    share: 23,
    settings: ["storage.dedup=true", "storage.journal_size=1MiB"],
    repeats: 80,
    filesPerWorker: 100,
    nodeEvery: 5,
    isFit: ({ linked }) => linked > 20,
  },
};

for (const [what, scenario] of Object.entries(scenarios)) {
  const count = Math.ceil((cuts * scenario.share) / 100);
  onRecordedDisk(
    `no acknowledged change is lost in ${count} power cuts: ${what}, seed ${seed}`,
    async () => {
      const recording = await record(folder(), scenario, seed);
      expect(recording.journaled).toBe(true);
      expect(scenario.isFit(recording)).toBe(true);
      expect(await cutAll(recording, scenario, { seed, count, keep })).toEqual([]);
    },
    600_000,
  );
}

onRecordedDisk(
  `without flushes, as in the original, power cuts lose acknowledged files, and none is served as it was not uploaded, seed ${seed}`,
  async () => {
    const settings = ["storage.packing=off", "storage.durability=relaxed"];
    const recording = await record(folder(), { settings, operations: 400 }, seed);
    const flavour = { settings, relaxed: true, nodeEvery: 4 };
    expect(await cutAll(recording, flavour, { seed, count: 16, keep })).toEqual([]);
  },
  120_000,
);

/** For one recording; removed at the end. */
function folder(): string {
  const made = imageFolder("cairn-power-", recordedBytes);
  folders.push(made);
  return made;
}

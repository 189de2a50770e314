/**
 * Goal: whenever the power goes, the machine starts again by itself, and every acknowledged change is there, whole; a change that was
 * under way is there or not, as a whole; nothing else is visible, and the store goes on working.
 * Method: a real node, with its state and its store path on an ext4 file system, on a loop device, on a FUSE file that records each
 * write and each flush; a mixed load over the wire, which notes the position of that log with each acknowledgement. Then, for many
 * positions, random ones and those of acknowledgements, an image of what the disk may hold: everything that a flush covered, and any
 * part of the later writes, dropped, reordered, torn. Each image is mounted as it is, opened by the engine (some by a whole node),
 * and compared with what was acknowledged at that position.
 * A run is a seed and a number of cuts (`CAIRN_POWER_SEED`, `CAIRN_POWER_CUTS`). The load is not reproducible to the write, so with
 * `CAIRN_POWER_KEEP=FOLDER` the images of failed cuts are kept there, as they were before the mount.
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import type { Packing } from "#filestore/packing.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import type { Random } from "#platform/random.ts";
import { type Cut, CutImages } from "../support/fuse/cut-images.ts";
import {
  imageFolder,
  MountedImage,
  RecordedDisk,
  recordedDiskNeeds,
} from "../support/fuse/recorded-disk.ts";
import { type LogEntry, logHeaderBytes } from "../support/fuse/write-log.ts";
import { needs } from "../support/needs.ts";
import { NodeProcess } from "../support/node-process.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { type OpenedStore, openWithEngine, openWithNode } from "./opened-store.ts";
import { auditFiles, auditStore } from "./power-cut-audit.ts";
import { type FileHistory, RecordedLoad } from "./recorded-load.ts";
import { listStore } from "./store-audit.ts";
import { isPacked } from "./trunk-audit.ts";

const cuts = Number(process.env.CAIRN_POWER_CUTS ?? "40");
const seed = Number(process.env.CAIRN_POWER_SEED ?? String(Date.now() % 1_000_000));
const keepIn = process.env.CAIRN_POWER_KEEP;
const kept = keepIn === undefined ? {} : { keep: keepIn };
const onRecordedDisk = needs(...recordedDiskNeeds);
const workers = 12;
const diskMiB = 160;
const flushMs = 2;
const uploadsAfterwards = 12;
const packing: Packing = {
  mode: "leased",
  slotMinBytes: 256,
  slotMaxBytes: 256 * 1024,
  alignmentBytes: 0,
  trunkFileBytes: 4 * 1024 * 1024,
};
const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

interface Flavour {
  /** Of the node. */
  readonly settings: readonly string[];
  /** Of the engine, where it is opened without a node. */
  readonly packing: Packing | undefined;
  /** Of a hundred uploads so many bring a content that is there. */
  readonly repeats?: number;
  /** One cut in so many is followed by the start of a whole node. */
  readonly nodeEvery?: number;
}

interface Recording {
  readonly folder: string;
  readonly pristine: string;
  readonly logPath: string;
  /** Before it there was no node. */
  readonly begin: number;
  readonly histories: readonly FileHistory[];
  /** Files that share their content with others at the end. */
  readonly linked: number;
}

interface Failure extends Cut {
  readonly index: number;
  readonly problems: readonly string[];
}

async function record({ settings, repeats }: Flavour, operations: number): Promise<Recording> {
  const folder = imageFolder("cairn-power-", 2 ** 31);
  folders.push(folder);
  await using disk = await RecordedDisk.start(folder, { sizeMiB: diskMiB, flushMs });
  const dataDirectory = join(disk.path, "node");
  mkdirSync(dataDirectory);
  const root = openSync(disk.path, "r");
  fsyncSync(root);
  closeSync(root);
  const begin = disk.position();
  const node = await NodeProcess.start({ dataDirectory, settings });
  const load = new RecordedLoad({
    port: node.ports.storage,
    random: seededRandom(seed),
    operations,
    repeats: repeats ?? 0,
    position: () => disk.position(),
  });
  try {
    await load.run(workers);
  } finally {
    await node.stop();
  }
  const { names } = listStore(join(dataDirectory, "store0"));
  const paths = names.map((name) => join(dataDirectory, "store0/data", name.slice(4)));
  const linked = paths.filter((path) => statSync(path).nlink > 1).length;
  const { pristine, logPath } = disk;
  return { folder, pristine, logPath, begin, histories: load.histories, linked };
}

/** In ascending order: anywhere, at the very moment of an acknowledgement, and just before a flush is done. */
function positions(
  recording: Recording,
  entries: readonly LogEntry[],
  how: { readonly count: number; readonly random: Random },
): number[] {
  const since = entries.filter(({ end }) => end >= recording.begin);
  const acks = recording.histories.flatMap(({ versions }) => versions.map((each) => each.ackedAt));
  const flushes = since.filter(({ kind }) => kind === "flush");
  const kinds = [
    since.map(({ end }) => end),
    acks,
    flushes.map(({ end }) => end - logHeaderBytes),
    acks,
  ];
  const chosen = Array.from({ length: how.count }, (_, index) => {
    const from = kinds[index % kinds.length] ?? [];
    return from[how.random.below(from.length)] ?? recording.begin;
  });
  return chosen.sort((one, other) => one - other);
}

async function cutAll(
  recording: Recording,
  how: Flavour & { readonly count: number; readonly keep?: string },
): Promise<Failure[]> {
  const { settings, packing, nodeEvery = 10, count, keep } = how;
  const random = seededRandom(seed + 1);
  using images = new CutImages(recording, join(recording.folder, "durable"));
  const failures: Failure[] = [];
  const chosen = positions(recording, images.entries, { count, random });
  for (const [index, position] of chosen.entries()) {
    const image = join(recording.folder, "cut");
    const cut = images.make(image, position, seededRandom(seed + 2 + index));
    if (keep !== undefined) copyFileSync(image, `${image}.kept`);
    const byNode = index % nodeEvery === 0;
    const problems = await check(recording, { image, position, settings, packing, byNode });
    if (problems.length === 0) continue;
    failures.push({ ...cut, index, problems: problems.slice(0, 5) });
    if (keep === undefined) continue;
    mkdirSync(keep, { recursive: true });
    copyFileSync(`${image}.kept`, join(keep, `cut-${seed}-${index}`));
  }
  return failures;
}

async function check(
  recording: Recording,
  cut: Flavour & {
    readonly image: string;
    readonly position: number;
    readonly byNode: boolean;
  },
): Promise<string[]> {
  try {
    using mounted = new MountedImage(cut.image, join(recording.folder, "cut-mounted"));
    const dataDirectory = join(mounted.path, "node");
    const directory = join(dataDirectory, "store0");
    // The engine alone has nothing to open where the node had not made the folder yet.
    const byNode = cut.byNode || !existsSync(join(directory, "data"));
    if (!byNode) checkState(join(dataDirectory, "state.sqlite"));
    await using store = byNode
      ? await openWithNode(dataDirectory, cut.settings)
      : openWithEngine(directory, cut.packing);
    const begun = recording.histories.filter(
      ({ versions }) => (versions[0]?.askedAt ?? Number.POSITIVE_INFINITY) <= cut.position,
    );
    const { position } = cut;
    const problems = await auditStore({ store, directory, histories: begun, position });
    const more = await goesOn(store, begun);
    // What was allocated anew lies on nothing that was there.
    problems.push(
      ...(await auditFiles({ store, histories: [...begun, ...more], position }, new Map())),
    );
    return problems;
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}

/** The database opens, which replays its log, and is sound. */
function checkState(path: string): void {
  using database = nodeDatabases().open(path);
  const rows = database.prepare("PRAGMA integrity_check").all();
  expect(rows).toEqual([{ integrity_check: "ok" }]);
}

/** Stores several files, some with contents that are or were there, and deletes one; the others. */
async function goesOn(store: OpenedStore, begun: readonly FileHistory[]): Promise<FileHistory[]> {
  const histories: FileHistory[] = [];
  for (let index = 0; index < uploadsAfterwards; index += 1) {
    const earlier = index % 2 === 0 ? undefined : begun.at(-index)?.versions[0]?.content;
    const content = earlier ?? Buffer.alloc(1 + 300 * index, `stored afterwards, ${index}\n`);
    const name = await store.upload(content);
    const created = { content, metadata: undefined, askedAt: 0, ackedAt: 0 };
    histories.push({ name, appender: false, versions: [created] });
  }
  const last = histories.pop();
  await store.remove(last?.name ?? "");
  expect(await store.read(last?.name ?? "")).toBe(undefined);
  return histories;
}

const flavours: Readonly<Record<string, Flavour>> = {
  "files of their own": { settings: ["storage.packing=off"], packing: undefined },
  "packed files": {
    settings: [
      "storage.packing=on",
      `tracker.trunk.file_size=${packing.trunkFileBytes}`,
      `tracker.trunk.slot_max_size=${packing.slotMaxBytes}`,
    ],
    packing,
  },
  // Only a node has the index of contents.
  "deduplicated files": {
    settings: ["storage.dedup=true"],
    packing: undefined,
    repeats: 50,
    nodeEvery: 3,
  },
};

for (const [files, flavour] of Object.entries(flavours)) {
  const count = Math.ceil(cuts / Object.keys(flavours).length);
  onRecordedDisk(
    `no acknowledged change is lost in ${count} power cuts, ${files}, seed ${seed}`,
    async () => {
      const recording = await record(flavour, 1500);
      const packed = recording.histories.filter(({ name }) => isPacked(name)).length;
      if (flavour.packing === undefined) expect(packed).toBe(0);
      else expect(packed).toBeGreaterThan(recording.histories.length / 3);
      if (flavour.repeats === undefined) expect(recording.linked).toBe(0);
      else expect(recording.linked).toBeGreaterThan(20);
      expect(await cutAll(recording, { ...flavour, count, ...kept })).toEqual([]);
    },
    600_000,
  );
}

onRecordedDisk(
  "without flushes, as in the original, power cuts lose acknowledged files, and the store starts all the same",
  async () => {
    const settings = ["storage.packing=off", "storage.durability=relaxed"];
    const flavour = { settings, packing: undefined };
    const recording = await record(flavour, 400);
    const failures = await cutAll(recording, { ...flavour, count: 12 });
    const problems = failures.flatMap((failure) => failure.problems);
    expect(
      problems.filter((problem) => problem.includes(" is absent, and should be ")),
    ).not.toEqual([]);
    expect(problems.filter((problem) => !/^M00/.test(problem))).toEqual([]);
  },
  120_000,
);

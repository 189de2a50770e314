/**
 * Cuts the power of a recorded run at many positions: makes the image of each, mounts it as it is, opens the store by the engine or by a
 * whole node, compares it with what was acknowledged at that position, and goes on storing.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import type { Random } from "#platform/random.ts";
import { type Cut, CutImages } from "../support/fuse/cut-images.ts";
import { MountedImage, RecordedDisk } from "../support/fuse/recorded-disk.ts";
import { type LogEntry, logHeaderBytes } from "../support/fuse/write-log.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { type OpenedStore, openWithEngine, openWithNode } from "./opened-store.ts";
import { auditFiles, auditServed, auditStore } from "./power-cut-audit.ts";
import type { Flavour, Recording } from "./power-recording.ts";
import type { FileHistory } from "./recorded-load.ts";

export interface Failure extends Cut {
  readonly index: number;
  readonly problems: readonly string[];
}

const uploadsAfterwards = 12;
/** One cut in so many is followed by others while the engine opens the store, so many of them. */
const recoveryEvery = 25;
const recoveryCuts = 5;

/** In ascending order: anywhere, at the very moment of an acknowledgement, and just before a flush is done. */
function positions(
  recording: Recording,
  entries: readonly LogEntry[],
  how: { readonly count: number; readonly random: Random },
): number[] {
  const since = entries.filter(({ end }) => end >= recording.begin);
  const acks = recording.histories
    .flatMap(({ versions }) => versions.map((each) => each.ackedAt))
    .filter((each) => each >= recording.begin);
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

/** Cuts the power at `count` positions; what was wrong afterwards. */
export async function cutAll(
  recording: Recording,
  flavour: Flavour,
  how: { readonly seed: number; readonly count: number; readonly keep?: string | undefined },
): Promise<Failure[]> {
  const { nodeEvery = 10 } = flavour;
  const { seed, count, keep } = how;
  const random = seededRandom(seed + 1);
  using images = new CutImages(recording, join(recording.folder, "durable"));
  const failures: Failure[] = [];
  const chosen = positions(recording, images.entries, { count, random });
  for (const [index, position] of chosen.entries()) {
    const image = join(recording.folder, "cut");
    const cut = images.make(image, position, seededRandom(seed + 2 + index));
    if (keep !== undefined) copyFileSync(image, `${image}.kept`);
    const byNode = index % nodeEvery === 0;
    const problems =
      index % recoveryEvery === recoveryEvery - 1
        ? await cutRecovery(recording, flavour, { image, position, seed: seed + index })
        : await check(recording, flavour, { image, position, byNode });
    if (problems.length === 0) continue;
    failures.push({ ...cut, index, problems: problems.slice(0, 5) });
    if (keep === undefined) continue;
    mkdirSync(keep, { recursive: true });
    copyFileSync(`${image}.kept`, join(keep, `cut-${seed}-${index}`));
  }
  return failures;
}

/** The power goes again while the engine settles what the first cut left. */
async function cutRecovery(
  recording: Recording,
  flavour: Flavour,
  cut: { readonly image: string; readonly position: number; readonly seed: number },
): Promise<string[]> {
  const folder = mkdtempSync(join(recording.folder, "recovery-"));
  const random = seededRandom(cut.seed);
  const { position } = cut;
  let begin = 0;
  let logPath = "";
  {
    await using disk = await RecordedDisk.start(folder, { image: cut.image, flushMs: 0 });
    begin = disk.position();
    logPath = disk.logPath;
    const directory = join(disk.path, "node/store0");
    if (!existsSync(join(directory, "data"))) return [];
    await using _store = openWithEngine(directory, flavour.packing);
  }
  using images = new CutImages(
    { pristine: join(folder, "pristine"), logPath },
    join(folder, "durable"),
  );
  const ends = images.entries.map(({ end }) => end).filter((end) => end >= begin);
  const chosen = Array.from({ length: recoveryCuts }, () => ends[random.below(ends.length)] ?? 0);
  const problems: string[] = [];
  for (const each of chosen.sort((one, other) => one - other)) {
    const image = join(folder, "cut");
    images.make(image, each, random);
    const found = await check(recording, flavour, { image, position, byNode: false });
    problems.push(...found.map((problem) => `cut again at ${each}: ${problem}`));
  }
  rmSync(folder, { recursive: true });
  return problems;
}

async function check(
  recording: Recording,
  flavour: Flavour,
  cut: { readonly image: string; readonly position: number; readonly byNode: boolean },
): Promise<string[]> {
  try {
    using mounted = new MountedImage(cut.image, join(recording.folder, "cut-mounted"));
    const dataDirectory = join(mounted.path, "node");
    const directory = join(dataDirectory, "store0");
    // The engine alone has nothing to open where the node had not made the folder yet.
    const byNode = cut.byNode || !existsSync(join(directory, "data"));
    if (!byNode) checkState(join(dataDirectory, "state.sqlite"));
    await using store = byNode
      ? await openWithNode(dataDirectory, flavour.settings)
      : openWithEngine(directory, flavour.packing, flavour.relaxed);
    const begun = recording.histories.filter(
      ({ versions }) => (versions[0]?.askedAt ?? Number.POSITIVE_INFINITY) <= cut.position,
    );
    const { position } = cut;
    if (flavour.relaxed === true) return await checkServed(store, begun);
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

/** Before files were looked at, after that, and after others were stored. */
async function checkServed(store: OpenedStore, begun: readonly FileHistory[]): Promise<string[]> {
  const problems = await auditServed(store, begun);
  await store.recheck();
  problems.push(...(await auditServed(store, begun)));
  const more = await goesOn(store, []);
  const files = await auditFiles({ store, histories: more, position: 0 }, new Map());
  return [...problems, ...files, ...(await auditServed(store, begun))];
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

/**
 * A run of a real node on a recorded disk under a mixed load: what the disk was told, and what clients were told when. With churn, so
 * many records go before that the load meets the moment at which the engine's checkpoint moves on.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Packing } from "#filestore/packing.ts";
import { checkpointBytes } from "#filestore/worker/limits.ts";
import { RecordedDisk } from "../support/fuse/recorded-disk.ts";
import { NodeProcess } from "../support/node-process.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { type FileHistory, RecordedLoad } from "./recorded-load.ts";
import { listStore } from "./store-audit.ts";

/** How a node of a run stores files. */
export interface Flavour {
  /** Of the node. */
  readonly settings: readonly string[];
  /** Of the engine, where it is opened without a node. */
  readonly packing?: Packing;
  readonly operations?: number;
  /** Of a hundred uploads so many bring a content that is there. */
  readonly repeats?: number;
  /** Of a hundred contents so many have up to 100,000 bytes. */
  readonly larger?: number;
  readonly filesPerWorker?: number;
  /** Fills the binlog almost to the next checkpoint before the load begins. */
  readonly churn?: boolean;
  /** At the end many files are added, and most deleted, again until the node said this event. */
  readonly purgeUntil?: string;
  /** Nothing is flushed: files may be lost, and are not to be served wrong. */
  readonly relaxed?: boolean;
  /** One cut in so many is followed by the start of a whole node. */
  readonly nodeEvery?: number;
}

export interface Recording {
  readonly folder: string;
  readonly pristine: string;
  readonly logPath: string;
  /** Where cuts begin. */
  readonly begin: number;
  readonly histories: readonly FileHistory[];
  /** Files that share their content with others at the end. */
  readonly linked: number;
  /** Binlog of the store path at the end. */
  readonly binlogBytes: number;
  /** Commits were flushed in the journal. */
  readonly journaled: boolean;
}

const workers = 12;
const diskMiB = 160;
const flushMs = 2;
/** What a load of this size writes to the binlog is more. */
const churnMarginBytes = 40_000;
const purgeLimitMs = 120_000;
/** Of about 50 kB: twice as many trunk files of 4 MiB as give slots at a time. */
const filledFiles = 700;

/** `folder` gets the disk and the log. */
export async function record(folder: string, flavour: Flavour, seed: number): Promise<Recording> {
  await using disk = await RecordedDisk.start(folder, { sizeMiB: diskMiB, flushMs });
  const dataDirectory = join(disk.path, "node");
  mkdirSync(dataDirectory);
  const root = openSync(disk.path, "r");
  fsyncSync(root);
  closeSync(root);
  let begin = disk.position();
  const node = await NodeProcess.start({ dataDirectory, settings: flavour.settings });
  const load = new RecordedLoad({
    port: node.ports.storage,
    random: seededRandom(seed),
    repeats: flavour.repeats ?? 0,
    larger: flavour.larger ?? 18,
    filesPerWorker: flavour.filesPerWorker ?? 25,
    position: () => disk.position(),
  });
  const binlog = join(dataDirectory, "store0/data/sync/binlog.000");
  try {
    if (flavour.churn === true) {
      const wanted = checkpointBytes - churnMarginBytes;
      await load.churn(() => statSync(binlog).size < wanted);
      begin = disk.position();
    }
    await load.run(workers, flavour.operations ?? 1500);
    if (flavour.purgeUntil !== undefined) {
      await load.fill(workers, filledFiles);
      begin = disk.position();
      await purge(load, node, flavour.purgeUntil);
    }
  } finally {
    await node.stop();
  }
  const { names } = listStore(join(dataDirectory, "store0"));
  const paths = names.map((name) => join(dataDirectory, "store0/data", name.slice(4)));
  const linked = paths.filter((path) => statSync(path).nlink > 1).length;
  const binlogBytes = statSync(binlog).size;
  const journaled = node.errors.includes('"event":"journal-on"');
  const { pristine, logPath } = disk;
  const written = { begin, histories: load.histories, linked, binlogBytes, journaled };
  return { folder, pristine, logPath, ...written };
}

/**
 * Trunk files from which slots are taken are not made sparse, and how many others a mixed load leaves is not certain: so many files are
 * added that most trunk files rest, and most of them are deleted, until one was made sparse.
 */
async function purge(load: RecordedLoad, node: NodeProcess, event: string): Promise<void> {
  const deadline = performance.now() + purgeLimitMs;
  for (;;) {
    await load.purge();
    await load.run(workers, workers);
    if (node.errors.includes(`"event":"${event}"`)) break;
    if (performance.now() > deadline) throw new Error(`no ${event} within ${purgeLimitMs} ms`);
    await load.fill(workers, filledFiles);
  }
  await load.run(workers, 10 * workers);
}

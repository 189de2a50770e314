/**
 * Rot: bytes of stored files that change without anybody having written them. One node only, while the other one has everything: a scrub then
 * finds and mends it. What a scrub can know is what has its checksum in its name, and packed files.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { orderScrub, type PathScrubReport, reportScrub } from "#control/operations/files.ts";
import { verifyPeers } from "#control/operations/peers.ts";
import type { Random } from "#platform/random.ts";
import { until } from "./system.ts";
import type { WalkDisk } from "./walk-disk.ts";
import type { KnownFile } from "./walk-load.ts";
import type { WalkNode } from "./walk-node.ts";

const trunkName = /^\d{6,}$/;
const scrubLimitMs = 120_000;
const verifyLimitMs = 120_000;

/** Returns which files it was done to. */
export function rot(
  disk: WalkDisk,
  files: ReadonlyMap<string, KnownFile>,
  random: Random,
): readonly string[] {
  const store = join(disk.mountPoint ?? "", "store");
  const all = fs.readdirSync(store, { recursive: true, encoding: "utf8" });
  const fits = all.filter((path) => {
    const [index = "", data = "", high = "", low = "", name = ""] = path.split("/");
    if (data !== "data" || name === "") return false;
    const id = `group1/${index}/${high}/${low}/${name}`;
    return trunkName.test(name) || isStored(files.get(id));
  });
  const chosen = new Set<string>();
  for (let turn = 0; turn < 4 && fits.length > 0; turn += 1) {
    const path = fits[random.below(fits.length)];
    if (path !== undefined && flip(join(store, path), random)) chosen.add(path);
  }
  return [...chosen];
}

/** Where a request was not answered, one node may have it and the other may not. */
function isStored(known: KnownFile | undefined): boolean {
  return known?.kind === "plain" && known.contents.length === 1 && known.contents[0] !== undefined;
}

/** One bit, where there is something; the times stay. */
function flip(path: string, random: Random): boolean {
  const { atime, mtime } = fs.statSync(path);
  const bytes = fs.readFileSync(path);
  const first = random.below(bytes.length || 1);
  const place = [first, 0].map((from) => bytes.findIndex((byte, at) => at >= from && byte !== 0));
  const at = place.find((each) => each >= 0);
  if (at === undefined) return false;
  const file = fs.openSync(path, "r+");
  try {
    fs.writeSync(file, Buffer.of((bytes[at] ?? 0) ^ (1 << random.below(8))), 0, 1, at);
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
  fs.utimesSync(path, atime, mtime);
  return true;
}

/** Compares with the other node, and resolves to how many files differed. */
export async function compare(node: WalkNode): Promise<number> {
  const { round } = await node.control.ask(verifyPeers, {});
  let found = 0;
  await until(`${node.name} has compared all files`, verifyLimitMs, async () => {
    const { comparison } = await node.status();
    found = comparison?.found ?? 0;
    return comparison !== undefined && comparison.rounds >= round;
  });
  return found;
}

/** Reads everything of a node; resolves to how that ended. Rejects where what was found is not mended. */
export async function scrub(node: WalkNode): Promise<readonly PathScrubReport[]> {
  const before = await node.control.ask(reportScrub, {});
  const ends = new Map(before.paths.map(({ storePath, endedAt }) => [storePath, endedAt]));
  await until("the second is another one", 5000, () => {
    return Math.max(0, ...ends.values()) < Math.floor(Date.now() / 1000);
  });
  await node.control.ask(orderScrub, { order: "start" });
  let found: readonly PathScrubReport[] = before.paths;
  const isOver = async (): Promise<boolean> => {
    ({ paths: found } = await node.control.ask(reportScrub, {}));
    return found.every(
      ({ state, endedAt, storePath, openTotal }) =>
        state === "idle" && endedAt > (ends.get(storePath) ?? 0) && openTotal === 0,
    );
  };
  await until(`a scrub of ${node.name} has healed all`, scrubLimitMs, isOver).catch((error) => {
    throw new Error(`${String(error)}: ${JSON.stringify(found)}`);
  });
  return found;
}

/**
 * Goal: whatever moment the process is killed at, every acknowledged change is there after the restart, whole, and nothing
 * else is visible: no part of a file, no file without its binlog record, no temporary file.
 * Method: a mixed load on a real node; SIGKILL at a random moment; start again on the same directory; compare over the wire
 * what each file holds with what was acknowledged (the one change under way may be there or not, but whole), then look at the disk.
 * The run is a seed and a number of kills (`CAIRN_SEED`, `CAIRN_CRASH_KILLS`).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { NodeFiles } from "#platform/node/node-files.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { NodeProcess } from "../support/node-process.ts";
import { runSeed } from "../support/run-seed.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { StorageCaller } from "../support/storage-caller.ts";
import { lastRecords, listStore, readStored, wrongContent } from "./store-audit.ts";
import { Workload } from "./workload.ts";

const kills = Number(process.env.CAIRN_CRASH_KILLS ?? "20");
const seed = runSeed;
const workers = 12;
const directories: string[] = [];

afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

async function unlessMissing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof WireStatusError && error.status === wireStatus.notFound) return undefined;
    throw error;
  }
}

/** Downloads what may be empty: the protocol answers 22 to a download of nothing. */
async function download(
  caller: () => Promise<StorageCaller>,
  name: string,
): Promise<Buffer | undefined> {
  let connection = await caller();
  const info = await unlessMissing(() => connection.info(name, 3));
  if (info === undefined) return undefined;
  if (info.fileSize === 0) return Buffer.alloc(0);
  connection = await caller();
  return connection.download(name);
}

async function checkOverTheWire(port: number, workload: Workload): Promise<void> {
  const connection = await StorageCaller.connect(port);
  const caller = async (): Promise<StorageCaller> => connection;
  for (const [name, expected] of workload.expected()) {
    const content = await download(caller, name);
    const fits = expected.contents.some((each) =>
      each === undefined || content === undefined ? each === content : each.equals(content),
    );
    const sizes = expected.contents.map((each) => each?.length ?? "absent").join(" or ");
    expect(fits, `${name}: ${content?.length ?? "absent"} bytes, expected ${sizes}`).toBe(true);
    const metadata = await unlessMissing(() => connection.getMetadata(name));
    if (content !== undefined) expect(expected.metadata).toContain(metadata);
    workload.settle(name, content, metadata);
  }
  for (const name of workload.deleted) {
    expect(await unlessMissing(() => connection.info(name, 3)), `${name} was deleted`).toBe(
      undefined,
    );
  }
  connection.close();
}

/** Files of uploads that were never answered: whole, in the log, and no more than were under way. */
function checkOnDisk(directory: string, workload: Workload, strays: Set<string>): void {
  const { names, temporary } = listStore(directory);
  expect(temporary).toEqual([]);
  const records = lastRecords(directory);
  const known = workload.expected();
  const unanswered = [...workload.unnamed];
  for (const name of names) {
    expect(wrongContent(directory, name), name).toBe(undefined);
    expect(records.get(name), `${name} has no record that it exists`).toMatch(/^[CUAMTR]$/);
    const owner = name.endsWith("-m") ? name.slice(0, -2) : name;
    if (known.has(owner) || strays.has(owner)) continue;
    const stored = readStored(directory, name);
    const place = unanswered.findIndex((content) => content.equals(stored));
    expect(place, `${name} was never asked for`).toBeGreaterThanOrEqual(0);
    unanswered.splice(place, 1);
    strays.add(name);
  }
  for (const name of known.keys())
    expect(names, "acknowledged, but not on the disk").toContain(name);
  workload.forgetUnnamed();
}

for (const durability of ["flushed", "relaxed"] as const) {
  test(`no acknowledged change is lost in ${Math.ceil(kills / 2)} kills, ${durability}, seed ${seed}`, async () => {
    const random = seededRandom(seed + (durability === "flushed" ? 0 : 1));
    const dataDirectory = mkdtempSync(join(tmpdir(), "cairn-crash-"));
    directories.push(dataDirectory);
    const storePath = join(dataDirectory, "store0");
    // In memory, or in a container's layers, nobody tells a kill from a power cut.
    const mounting = new NodeFiles().mounting(dataDirectory);
    const settings = [`storage.durability=${durability}`, 'node.roles=["tracker","storage"]'];
    const strays = new Set<string>();
    let node = await NodeProcess.start({ dataDirectory, settings });
    let workload = new Workload(node.ports.storage, random);
    let acknowledged = 0;
    for (let kill = 0; kill < Math.ceil(kills / 2); kill += 1) {
      const load = workload.run(workers);
      await new Promise((resolve) => setTimeout(resolve, 30 + random.below(400)));
      await node.kill();
      await load;
      node = await NodeProcess.start({ dataDirectory, settings, ports: node.ports });
      if (mounting !== undefined) expect(node.errors).not.toContain("files-in-doubt");
      await checkOverTheWire(node.ports.storage, workload);
      checkOnDisk(storePath, workload, strays);
      acknowledged += workload.acknowledged;
      // The files of earlier rounds stay on the disk and are looked at again there.
      for (const name of workload.expected().keys()) strays.add(name);
      workload = new Workload(node.ports.storage, random);
    }
    const exit = await node.stop();
    expect(exit).toEqual({ code: 0, signal: null });
    expect(acknowledged).toBeGreaterThan(kills);
  });
}

/**
 * What a scrub costs: `node test/bench/scrub.ts DIRECTORY [MIB] [ROUNDS] [KIND]`. Fills store paths below the directory with MIB of files of
 * several sizes (1024 without it), then in turns reads the same files plainly, past the cache, several pieces or files under way at a time,
 * and without a look at what they hold, and has them scrubbed as a worker does with nobody else to serve: rates, and CPU a GB. Then a file
 * store with a worker of its own is loaded with flushed uploads and downloads, in short turns without and with a scrub: operations a second,
 * by the median of neighbours. KIND is one of the sizes, or `load`. Removes what it made.
 */
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Log } from "#base/log.ts";
import { LocalFileStore } from "#filestore/local-file-store.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { collect, flowOfBytes, flowOfSource } from "#net/byte-flow.ts";
import { maxDiskRead } from "#platform/disk-reads.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { NodeDiskReads } from "#platform/node/node-disk-reads.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { nodeRandom } from "#platform/node/node-random.ts";
import { nodeWorkers } from "#platform/node/node-workers.ts";

const mebi = 1024 * 1024;
const [directory = "", total = "1024", rounds = "2", only] = process.argv.slice(2);
if (directory === "" || !/^\d+$/.test(total) || !/^\d+$/.test(rounds)) {
  process.stderr.write("usage: node test/bench/scrub.ts DIRECTORY [MIB] [ROUNDS] [KIND]\n");
  process.exit(64);
}

interface Kind {
  readonly name: string;
  readonly fileBytes: number;
  /** Of MIB. */
  readonly share: number;
  readonly packs: boolean;
}

const kinds: readonly Kind[] = [
  { name: "64 MiB", fileBytes: 64 * mebi, share: 1, packs: false },
  { name: "1 MiB", fileBytes: mebi, share: 1, packs: false },
  { name: "64 KiB", fileBytes: 64 * 1024, share: 1 / 4, packs: false },
  { name: "4 KiB", fileBytes: 4096, share: 1 / 32, packs: false },
  { name: "4 KiB packed", fileBytes: 4096, share: 1 / 4, packs: true },
];

function settingsOf(path: string, packs: boolean): StorePathSettings {
  return {
    ...{ index: 0, directory: path, readOnly: false, subdirCount: 256 },
    ...{ createAllDirectories: false, journalBytes: 0, distribution: "round-robin" },
    ...{ rotateCount: 100, durability: "relaxed", packing: packs ? "on" : "off", dedup: false },
    source: { kind: "address", address: "10.9.0.2" },
    adoptBasePath: "",
  } as const;
}

function openEngine(path: string, packs: boolean): StorePathEngine {
  const engine = StorePathEngine.open(settingsOf(path, packs), {
    files: new NodeFiles(),
    clock: nodeClock,
    random: nodeRandom(),
    log: new Log("bench", () => {}),
    databases: nodeDatabases,
    diskReads: () => new NodeDiskReads(),
  });
  if (packs) {
    const sizes = { slotMinBytes: 256, slotMaxBytes: 16 * mebi, trunkFileBytes: 64 * mebi };
    engine.setPacking({ mode: "leased", ...sizes, alignmentBytes: 256, removesUnused: true });
    engine.addTrunkLease(1, 100_000);
  }
  return engine;
}

function fill(engine: StorePathEngine, { fileBytes, share }: Kind): void {
  const content = Buffer.alloc(fileBytes);
  for (let at = 0; at < fileBytes; at += 4)
    content.writeUInt32LE(Math.imul(at, 0x9e3779b1) >>> 0, at);
  const count = Math.max(1, Math.floor((Number(total) * mebi * share) / fileBytes));
  for (let at = 0; at < count; at += 1) {
    content.writeUInt32LE(at, 0);
    const handle = engine.startWrite({ kind: "normal", extension: "bin" }, fileBytes);
    for (let done = 0; done < fileBytes; done += mebi) {
      handle.write(content.subarray(done, Math.min(fileBytes, done + mebi)));
    }
    engine.commit([handle.finish()]);
  }
}

/** Every file of a store path, as a scrub goes through them. */
function* filesOf(path: string): Generator<string> {
  const data = join(path, "data");
  for (const high of readdirSync(data)
    .filter((name) => /^[0-9A-F]{2}$/.test(name))
    .sort()) {
    for (const low of readdirSync(join(data, high)).sort()) {
      const below = join(data, high, low);
      for (const base of readdirSync(below).sort()) yield join(below, base);
    }
  }
}

interface Measured {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly bytes: number;
}

function measured(work: () => number): Measured {
  const before = process.cpuUsage();
  const began = performance.now();
  const bytes = work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6, bytes };
}

/** As fast as the disk gives it: what comes next is begun before what is asked for. */
function readPlainly(path: string): number {
  const disk = new NodeDiskReads();
  const files = [...filesOf(path)];
  let bytes = 0;
  let next = 0;
  for (const [at, each] of files.entries()) {
    if (next <= at + 12) {
      for (next = Math.max(next, at + 1); next <= at + 24; next += 1) {
        const soon = files[next];
        if (soon === undefined || !disk.expect(soon, statSync(soon).size)) break;
      }
      disk.begin();
    }
    const file = disk.open(each);
    const size = file.size() ?? 0;
    for (let done = 0; done < size; ) {
      for (const ahead of [1, 2]) {
        const from = done + ahead * maxDiskRead;
        if (from < size) file.ahead?.(Math.min(maxDiskRead, size - from), from);
      }
      done += file.read(Math.min(maxDiskRead, size - done), done).length;
    }
    bytes += size;
    file.close();
  }
  disk.close();
  return bytes;
}

function scrub(engine: StorePathEngine): number {
  engine.scrub.order("start", { rateBytes: 0, busyShare: 3 });
  while (engine.scrub.isRunning) engine.scrub.step();
  const { tally } = engine.scrub.report(1);
  if (tally.damaged > 0) throw new Error(`${tally.damaged} damaged files`);
  return tally.bytes;
}

function inWords({ seconds, cpuSeconds, bytes }: Measured): string {
  const rate = (bytes / mebi / seconds).toFixed(0).padStart(6);
  return `${rate} MiB/s ${((cpuSeconds * 1e9) / bytes).toFixed(2).padStart(6)} s CPU/GB`;
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function measureIdle(kind: Kind): void {
  const path = join(directory, `scrub-${kind.fileBytes}${kind.packs ? "-packed" : ""}`);
  mkdirSync(path, { recursive: true });
  try {
    const engine = openEngine(path, kind.packs);
    fill(engine, kind);
    // What is not on the disk yet would be written while it is read.
    readPlainly(path);
    const ratios: number[] = [];
    for (let round = 0; round < Number(rounds); round += 1) {
      const plain = measured(() => readPlainly(path));
      const scrubbed = measured(() => scrub(engine));
      ratios.push(scrubbed.bytes / scrubbed.seconds / (plain.bytes / plain.seconds));
      const line = `${kind.name.padEnd(13)} plain ${inWords(plain)}   scrub ${inWords(scrubbed)}`;
      process.stdout.write(`${line}\n`);
    }
    process.stdout.write(
      `${kind.name.padEnd(13)} scrub at ${median(ratios).toFixed(2)} of plain\n`,
    );
    engine.close();
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

const loadMs = 2000;
const lanes = 16;

/** Downloads of standing files, a quarter uploads: operations a second. */
async function load(store: LocalFileStore, names: readonly string[]): Promise<number> {
  const content = Buffer.alloc(64 * 1024, "l");
  const until = performance.now() + loadMs;
  let count = 0;
  const lane = async (number: number): Promise<void> => {
    for (let at = number; performance.now() < until; at += lanes) {
      if (at % 4 === 0) {
        content.writeUInt32LE(at, 0);
        const request = { storePathIndex: 0, extension: "bin", kind: "normal" } as const;
        await store.upload(request, flowOfBytes(Buffer.from(content)));
      } else {
        const name = names[(at * 7919) % names.length] ?? "";
        const { body } = await store.open(name, { offset: 0, length: 0 });
        await collect(flowOfSource(body));
      }
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  return (count * 1000) / loadMs;
}

async function measureLoaded(): Promise<void> {
  const path = join(directory, "scrub-loaded");
  mkdirSync(path, { recursive: true });
  const store = new LocalFileStore({
    paths: [{ ...settingsOf(path, false), durability: "flushed" }],
    workers: nodeWorkers(),
    clock: nodeClock,
    log: new Log("bench", () => {}),
    reserved: () => ({ kind: "bytes", bytes: 0 }),
    policy: () => "round-robin",
    diskTimeoutMs: 60_000,
  });
  try {
    await store.start();
    const names: string[] = [];
    for (let at = 0; at < 2000; at += 1) {
      const content = Buffer.alloc(256 * 1024, `${at} `);
      const request = { storePathIndex: 0, extension: "bin", kind: "normal" } as const;
      names.push(await store.upload(request, flowOfBytes(content)));
    }
    await load(store, names);
    const pace = { rateBytes: 0, busyShare: 3 };
    const ratios: number[] = [];
    for (let round = 0; round < 4 * Number(rounds); round += 1) {
      await store.scrubs.order(0, "stop", pace);
      const before = await load(store, names);
      await store.scrubs.order(0, "start", pace);
      const withIt = await load(store, names);
      const report = await store.scrubs.report(0);
      await store.scrubs.order(0, "stop", pace);
      const after = await load(store, names);
      // A disk or a machine that becomes faster or slower by itself counts for neither.
      const without = (before + after) / 2;
      ratios.push(withIt / without);
      process.stdout.write(
        `load  without ${without.toFixed(0)}/s  with a scrub ${withIt.toFixed(0)}/s  (${((report?.tally.bytes ?? 0) / mebi).toFixed(0)} MiB read meanwhile)\n`,
      );
    }
    process.stdout.write(`load  with a scrub at ${median(ratios).toFixed(3)} of without\n`);
  } finally {
    await store.close();
    rmSync(path, { recursive: true, force: true });
  }
}

for (const kind of kinds) if ((only ?? kind.name) === kind.name) measureIdle(kind);
if (only === undefined || only === "load") {
  // Workers keep no process alive.
  setInterval(() => {}, 1000);
  await measureLoaded();
}
process.exit(0);

/**
 * What a file costs one store path, without sockets: creates of 4 KiB by the engine alone, in the thread that asks, and through its
 * worker's thread and rings as the node uses it, with so many creates under way at a time; there also how long reads take meanwhile.
 * The same packed, as in a group of Cairn nodes, as replicas of a peer's files (`replicas`), and reads of both kinds of file by the engine alone.
 * Run as `node test/bench/engine.bench.ts [directory] [files] [words of variants]`, for example `… /data 20000 flushed`; the
 * directory must be on the file system that is to be measured. CPU is that of the whole process: the asking side, the worker and the
 * threads that flush. Directories are not removed before the end, because creating files right after mass deletes is slow on ext4.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { Log } from "#base/log.ts";
import { noPacking, type Packing, packingFields } from "#filestore/packing.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import { StorePathClient } from "#filestore/store-path-client.ts";
import { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { request, writeFlag } from "#filestore/worker-messages.ts";
import { makeBase } from "#model/file-base.ts";
import { directoryName } from "#model/remote-filename.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { nodeRandom } from "#platform/node/node-random.ts";
import { nodeWorkers } from "#platform/node/node-workers.ts";

const [parent = tmpdir(), files = "20000", ...words] = process.argv.slice(2);
const fileCount = Number(files);
const bodyBytes = 4096;
const blockBytes = 256 * 1024;
const log = new Log("bench", () => {});

interface Variant {
  readonly name: string;
  readonly durability: StorePathSettings["durability"];
  readonly packing?: "on";
  /** `again`: every body is the same. */
  readonly dedup?: "new" | "again";
  /** Of a body; `bodyBytes` where it is not said. */
  readonly bytes?: number;
  /** Creates that share a commit of the engine, or that are under way at a time. */
  readonly together: number;
  readonly files: number;
  readonly run: (settings: StorePathSettings, variant: Variant) => Promise<string>;
}

const relaxed = { durability: "relaxed", files: fileCount } as const;
const flushed = { durability: "flushed" } as const;
const variants: readonly Variant[] = [
  { ...relaxed, name: "engine", together: 1, run: runEngine },
  { ...relaxed, name: "engine", together: 32, run: runEngine },
  { ...flushed, name: "engine", together: 1, files: Math.ceil(fileCount / 10), run: runEngine },
  { ...flushed, name: "engine", together: 32, files: Math.ceil(fileCount / 4), run: runEngine },
  { ...relaxed, name: "worker", together: 1, run: runWorker },
  { ...relaxed, name: "worker", together: 16, run: runWorker },
  { ...relaxed, name: "worker", together: 64, run: runWorker },
  { ...flushed, name: "worker", together: 1, files: Math.ceil(fileCount / 10), run: runWorker },
  { ...flushed, name: "worker", together: 16, files: Math.ceil(fileCount / 4), run: runWorker },
  { ...flushed, name: "worker", together: 64, files: Math.ceil(fileCount / 4), run: runWorker },
  { ...flushed, name: "reads", together: 16, files: Math.ceil(fileCount / 4), run: runReads },
  { ...relaxed, name: "packed-engine", packing: "on", together: 1, run: runEngine },
  { ...relaxed, name: "packed-engine", packing: "on", together: 64, run: runEngine },
  {
    ...flushed,
    name: "packed-engine",
    packing: "on",
    together: 1,
    files: Math.ceil(fileCount / 10),
    run: runEngine,
  },
  {
    ...flushed,
    name: "packed-engine",
    packing: "on",
    together: 64,
    files: fileCount,
    run: runEngine,
  },
  { ...relaxed, name: "packed-worker", packing: "on", together: 16, run: runWorker },
  { ...relaxed, name: "packed-worker", packing: "on", together: 64, run: runWorker },
  {
    ...flushed,
    name: "packed-worker",
    packing: "on",
    together: 16,
    files: Math.ceil(fileCount / 2),
    run: runWorker,
  },
  {
    ...flushed,
    name: "packed-worker",
    packing: "on",
    together: 64,
    files: fileCount,
    run: runWorker,
  },
  ...[4096, 1024 * 1024].flatMap((bytes) =>
    ([relaxed, { ...flushed, files: Math.ceil(fileCount / 4) }] as const).flatMap((how) => {
      const files = bytes === 4096 ? how.files : Math.ceil(how.files / 40);
      const shared = { ...how, files, bytes, together: 16, run: runDedup } as const;
      return [
        { ...shared, name: `dedup-off-${bytes}` },
        { ...shared, name: `dedup-new-${bytes}`, dedup: "new" as const },
        { ...shared, name: `dedup-again-${bytes}`, dedup: "again" as const },
      ];
    }),
  ),
  ...(["off", "on"] as const).flatMap((packing) => {
    const name = packing === "on" ? "packed-replicas" : "replicas";
    const how = packing === "on" ? { packing } : {};
    return [
      { ...relaxed, ...how, name, together: 32, run: runReplicas },
      { ...flushed, ...how, name, together: 32, files: Math.ceil(fileCount / 4), run: runReplicas },
    ];
  }),
  { ...relaxed, name: "engine-reads", together: 64, run: runEngineReads },
  { ...relaxed, name: "packed-engine-reads", packing: "on", together: 64, run: runEngineReads },
  { ...relaxed, name: "engine-deletes", together: 64, run: runEngineDeletes },
  { ...relaxed, name: "packed-engine-deletes", packing: "on", together: 64, run: runEngineDeletes },
];

const packing: Packing = { ...noPacking, mode: "leased" };
/** Trunk files, of 64 MiB each. */
const leased = 1000;

// Neither a worker's thread nor waiting for its answers keeps a process alive.
const alive = setInterval(() => {}, 1000);
mkdirSync(parent, { recursive: true });
const root = mkdtempSync(join(parent, "cairn-bench-"));
try {
  for (const [number, variant] of variants.entries()) {
    const label = `${variant.name} ${variant.durability} ${variant.together}`;
    if (!words.every((word) => label.split(" ").includes(word))) continue;
    const directory = join(root, String(number));
    mkdirSync(directory);
    console.log(`${label}: ${await variant.run(settingsFor(directory, variant), variant)}`);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
clearInterval(alive);

function settingsFor(directory: string, variant: Variant): StorePathSettings {
  return {
    index: 0,
    directory,
    readOnly: false,
    subdirCount: 256,
    createAllDirectories: false,
    journalBytes: 0,
    distribution: "round-robin",
    rotateCount: 100,
    durability: variant.durability,
    packing: variant.packing ?? "off",
    dedup: variant.dedup !== undefined,
    source: { kind: "address", address: "127.0.0.1" },
    adoptBasePath: "",
  };
}

function openEngine(settings: StorePathSettings): StorePathEngine {
  const engine = StorePathEngine.open(settings, {
    files: new NodeFiles(),
    clock: nodeClock,
    random: nodeRandom(),
    log,
    databases: () => nodeDatabases(),
  });
  engine.setPacking(packing);
  engine.addTrunkLease(1, leased);
  return engine;
}

async function openWorker(settings: StorePathSettings): Promise<StorePathClient> {
  const client = new StorePathClient(settings, log);
  await client.start(nodeWorkers());
  await client.send({ kind: request.setPacking, ...packingFields(packing) });
  await client.send({ kind: request.trunkLease, a: 1, b: leased });
  return client;
}

async function runEngine(settings: StorePathSettings, variant: Variant): Promise<string> {
  const engine = openEngine(settings);
  const body = Buffer.alloc(bodyBytes, "x");
  create(engine, body, { count: Math.min(2000, variant.files), together: variant.together });
  const figures = await measured(variant.files, async () => {
    create(engine, body, { count: variant.files, together: variant.together });
  });
  engine.close();
  return figures;
}

/** As `runEngine`, of files that a peer made. */
async function runReplicas(settings: StorePathSettings, variant: Variant): Promise<string> {
  const engine = openEngine(settings);
  const body = Buffer.alloc(bodyBytes, "x");
  const crc = crc32(body);
  const slotSize = bodyBytes + 24;
  const perFile = Math.floor(noPacking.trunkFileBytes / slotSize);
  const timestamp = Math.floor(Date.now() / 1000);
  const nameOf = (number: number): string => {
    const slot = { offset: (number % perFile) * slotSize, size: slotSize };
    const trunk = { fileId: 5000 + Math.floor(number / perFile), ...slot };
    const base = makeBase({
      source: { kind: "address", address: "127.0.0.2" },
      ...{ timestamp, size: bodyBytes, crc32: crc, randomBits: number, tail: "123.jpg" },
      ...(variant.packing === "on" ? { kind: "trunk", trunk } : { kind: "normal" }),
    });
    const place = variant.packing === "on" ? trunk.fileId : Math.floor(number / 100);
    return `M00/${directoryName((place >> 8) & 255)}/${directoryName(place & 255)}/${base}`;
  };
  const replicate = (names: readonly string[]): void => {
    for (let at = 0; at < names.length; at += variant.together) {
      const batch = names.slice(at, at + variant.together).map((name) => {
        const target = { kind: "replica", name, timestamp, mode: "create", crc32: crc } as const;
        const handle = engine.startWrite(target, body.length);
        handle.writeWhole?.(body);
        return handle.finish();
      });
      engine.commit(batch);
      for (const { error } of batch) if (error !== undefined) throw error;
    }
  };
  const all = Array.from({ length: variant.files + 2000 }, (_, number) => nameOf(number));
  replicate(all.slice(0, 2000));
  const figures = await measured(variant.files, async () => replicate(all.slice(2000)));
  engine.close();
  return figures;
}

/** Every file once, in another order than they were made in. */
async function runEngineReads(settings: StorePathSettings, variant: Variant): Promise<string> {
  const engine = openEngine(settings);
  const body = Buffer.alloc(bodyBytes, "x");
  const names = create(engine, body, { count: variant.files, together: variant.together });
  const target = Buffer.alloc(bodyBytes);
  const read = (offset: number): void => {
    for (let at = 0; at < names.length; at += 1) {
      const handle = engine.openRead(names[(at * 7919 + offset) % names.length] as string);
      handle.read(target, 0);
      handle.close();
    }
  };
  read(1);
  const figures = await measured(names.length, async () => read(0));
  engine.close();
  return figures;
}

async function runEngineDeletes(settings: StorePathSettings, variant: Variant): Promise<string> {
  const engine = openEngine(settings);
  const body = Buffer.alloc(bodyBytes, "x");
  const { together, files: count } = variant;
  const names = create(engine, body, { count, together });
  const figures = await measured(names.length, async () => {
    for (let done = 0; done < names.length; done += together) {
      const batch = names.slice(done, done + together);
      engine.commit(batch.map((name) => engine.prepareRemove(name)));
    }
  });
  engine.close();
  return figures;
}

function create(
  engine: StorePathEngine,
  body: Buffer,
  amount: { readonly count: number; readonly together: number },
): string[] {
  const names: string[] = [];
  const bodies = Array.from({ length: amount.together }, () => Buffer.from(body));
  for (let done = 0; done < amount.count; done += amount.together) {
    const changes = [];
    for (let index = 0; index < amount.together && done + index < amount.count; index += 1) {
      // Each stays as it is until the commit, as in the blocks of a worker.
      const own = bodies[index] ?? body;
      own.writeUInt32LE(done + index);
      const handle = engine.startWrite({ kind: "normal", extension: "jpg" }, own.length);
      if (handle.writeWhole === undefined) handle.write(own);
      else handle.writeWhole(own);
      changes.push(handle.finish());
    }
    engine.commit(changes);
    for (const { error, result } of changes) {
      if (error !== undefined) throw error;
      names.push(result ?? "");
    }
  }
  return names;
}

async function runWorker(settings: StorePathSettings, variant: Variant): Promise<string> {
  const client = await openWorker(settings);
  await createThrough(client, Math.min(1000, variant.files), variant.together);
  const figures = await measured(variant.files, () =>
    createThrough(client, variant.files, variant.together),
  );
  await client.close();
  return figures;
}

/** Bodies as a worker receives them, in blocks of 256 KiB, with the index written in between as it does. */
async function runDedup(settings: StorePathSettings, variant: Variant): Promise<string> {
  const engine = openEngine(settings);
  const { files: count, together, bytes = bodyBytes, dedup } = variant;
  const body = Buffer.alloc(bytes, "x");
  let number = 0;
  const round = (): void => {
    const changes = Array.from({ length: together }, () => {
      number += 1;
      if (dedup !== "again") body.writeUInt32LE(number);
      const handle = engine.startWrite({ kind: "normal", extension: "jpg" }, bytes);
      for (let at = 0; at < bytes; at += blockBytes) {
        handle.write(body.subarray(at, at + blockBytes));
      }
      return handle.finish();
    });
    engine.commit(changes);
    engine.background.turn(true);
    for (const { error } of changes) if (error !== undefined) throw error;
  };
  while (engine.background.turn(true) !== undefined) await new Promise(setImmediate);
  for (let done = 0; done < count / 10; done += together) round();
  const figures = await measured(count, async () => {
    for (let done = 0; done < count; done += together) round();
  });
  engine.close();
  return figures;
}

/** One reader beside the creates: what it waits for is the worker's thread. */
async function runReads(settings: StorePathSettings, variant: Variant): Promise<string> {
  const client = new StorePathClient(settings, log);
  await client.start(nodeWorkers());
  const name = await createOne(client, 0);
  const block = client.blocks.tryTake("small") ?? 0;
  const waits: number[] = [];
  let creating = true;
  const creates = createThrough(client, variant.files, variant.together).then(() => {
    creating = false;
  });
  while (creating) {
    const start = performance.now();
    await client.send({ kind: request.read, text: name, block, blockLength: bodyBytes });
    waits.push(performance.now() - start);
  }
  await creates;
  await client.close();
  waits.sort((left, right) => left - right);
  const at = (share: number): string =>
    ((waits[Math.floor(waits.length * share)] ?? 0) * 1000).toFixed(0);
  return `${waits.length} reads, p50 ${at(0.5)} µs, p99 ${at(0.99)} µs, longest ${at(0.99999)} µs`;
}

async function createThrough(
  client: StorePathClient,
  count: number,
  together: number,
): Promise<void> {
  let begun = 0;
  const work = async (): Promise<void> => {
    while (begun < count) {
      begun += 1;
      await createOne(client, begun);
    }
  };
  await Promise.all(Array.from({ length: together }, work));
}

async function createOne(client: StorePathClient, number: number): Promise<string> {
  const block = client.blocks.tryTake("small");
  if (block === undefined) throw new Error("no block is free");
  const view = client.blocks.view(block);
  new DataView(view.buffer, view.byteOffset).setUint32(0, number);
  const answer = await client.send({
    kind: request.write,
    flags: writeFlag.first | writeFlag.last,
    a: client.newUpload(),
    b: bodyBytes,
    block,
    blockLength: bodyBytes,
    text: "jpg",
  });
  client.blocks.give(block);
  return answer.text;
}

async function measured(operations: number, work: () => Promise<void>): Promise<string> {
  const startCpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const wallMs = performance.now() - start;
  const cpu = process.cpuUsage(startCpu);
  const each = (micros: number): string => (micros / operations).toFixed(1);
  return (
    `${Math.round((operations / wallMs) * 1000)} ops/s, ${each(wallMs * 1000)} µs wall, ` +
    `${each(cpu.user + cpu.system)} µs CPU (${each(cpu.user)} user)`
  );
}

/**
 * Goal: a peer that is asked over the wire answers as the store path itself would, whoever asks. Method: a real server and a pool of real
 * connections between a model storage and those who compare with it; C's answers are scripted.
 */
import { crc32 } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { InventoryTable } from "#filestore/inventory/inventory-table.ts";
import type { PathInventory } from "#filestore/inventory/path-inventory.ts";
import { makeBase } from "#model/file-base.ts";
import { StorageId } from "#model/storage-id.ts";
import { collect, sourceOfBytes } from "#net/byte-flow.ts";
import { ConnectionPool } from "#net/connection-pool.ts";
import { addHandlers, type HandlerEntry } from "#net/frame-handlers.ts";
import { FrameServer } from "#net/frame-server.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { narrowAddresses, WireWriter } from "#protocol/codec.ts";
import { downloadFile, queryFileInfo } from "#protocol/fastdfs/storage-files.ts";
import { inventory } from "#protocol/peer/inventory.ts";
import { fetchFile } from "#protocol/peer/replication.ts";
import { fetchedHead } from "#protocol/peer/sync-record.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { inventoryHandlers } from "#storage/handlers/inventory-handlers.ts";
import { wireStatusOf } from "#storage/wire-statuses.ts";
import { maxKeptInventories } from "#sync/anti-entropy/limits.ts";
import { LocalInventories } from "#sync/anti-entropy/local-inventories.ts";
import { PeerExchange } from "#sync/anti-entropy/peer-exchange.ts";
import { RemoteFiles } from "#sync/anti-entropy/remote-files.ts";
import { RemoteInventory } from "#sync/anti-entropy/remote-inventory.ts";
import { collectedLog } from "../../../support/frame-fixture.ts";
import { ModelStorage } from "../../../support/model-storage.ts";

const cleanups: (() => unknown)[] = [];
const id = StorageId("10.0.0.2");
const group = "group1";

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function nameFor(content: string, at: number): string {
  const source = { kind: "address", address: "10.9.0.2" } as const;
  const facts = {
    size: content.length,
    crc32: crc32(content),
    randomBits: at,
    timestamp: 1_700_000_000,
  };
  return `M00/00/01/${makeBase({ source, ...facts, kind: "normal", tail: "123.txt" })}`;
}

/** What a store path's thread does, by the model. */
function pathOf(model: ModelStorage) {
  const tables = new Map<number, InventoryTable>();
  let walks = 0;
  return {
    busy: false,
    async begin(horizons: ReadonlyMap<number, number>) {
      if (this.busy) return undefined;
      const { walk } = await model.begin(horizons);
      const table = new InventoryTable();
      const bytes = new Uint8Array(65_536 * 12);
      model.tableOf(walk).write(0, bytes);
      table.read(0, bytes);
      walks += 1;
      tables.set(walks, table);
      return walks;
    },
    progress: () => Promise.resolve({ leavesDone: 65_536, files: model.files.size }),
    take: (walk: number) => Promise.resolve(tables.get(walk)),
    leaf: (leaf: number, after: string) => model.leaf(0, leaf, after),
    search: (keys: readonly string[]) => model.search(keys),
  };
}

const manners = { share: 20, patient: true };

async function stage() {
  const model = new ModelStorage("peer");
  const path = pathOf(model);
  const find = (index: number) => (index === 0 ? (path as unknown as PathInventory) : undefined);
  const sleep = { asleep: false };
  const inventories = new LocalInventories({
    find,
    horizons: () => model.horizons,
    mayRead: () => !sleep.asleep,
  });
  const handlers = new Map<number, HandlerEntry<undefined>>();
  const services = {
    checkGroup: (asked: string) => {
      if (asked !== group) throw new WireStatusError(wireStatus.invalid, "another group");
    },
  };
  const asker = new ModelStorage("asker");
  const peerOf = (asked: StorageId) => (asked === id ? asker : undefined);
  addHandlers(
    handlers,
    inventory,
    inventoryHandlers({ services, inventories, store: model, peerOf, lanes: 2 }),
  );
  addHandlers(handlers, { downloadFile, queryFileInfo, fetchFile }, fileHandlers(model));
  const { log } = collectedLog();
  const network = new NodeNetwork();
  const server = new FrameServer<undefined>({
    ...{ network, clock: nodeClock, log, handlers, newFacts: () => undefined, admits: () => true },
    ...{
      context: () => narrowAddresses,
      statusOf: (error) => wireStatusOf(error) ?? wireStatus.ioError,
    },
    ...{ maxConnections: 10, networkTimeoutMs: 5000, maxBodyBytes: 256 * 1024 },
    ...{ closesAfterInvalid: false, answersOversized: true },
  });
  const [listener] = await server.listen(["127.0.0.1"], 0);
  cleanups.push(() => server.stop(0));
  const limits = {
    connectTimeoutMs: 1000,
    networkTimeoutMs: 5000,
    maxPerServer: 4,
    maxWaitingPerServer: 9,
  };
  const idle = { maxIdlePerServer: 4, maxIdleMs: 5000, testAfterIdleMs: 5000 };
  const pool = new ConnectionPool({ network, clock: nodeClock, limits: { ...limits, ...idle } });
  cleanups.push(() => pool.close());
  const exchange = new PeerExchange(pool, () => ({
    // The first one answers nobody.
    addresses: ["127.0.0.99", "127.0.0.1"],
    port: listener?.port ?? 0,
  }));
  const files = (isCairn: boolean) =>
    new RemoteFiles({ exchange, group, id, title: "peer", isCairn });
  const side = new RemoteInventory({ exchange, group, id, storePathIndex: 0 });
  return { model, asker, path, inventories, exchange, files, side, sleep };
}

function fileHandlers(model: ModelStorage) {
  const contentOf = (name: string): Buffer => {
    const file = model.files.get(name);
    if (file === undefined) throw new WireStatusError(wireStatus.notFound, name);
    return Buffer.from(file.content);
  };
  return {
    downloadFile: async ({ filename }: { filename: string }) => {
      const content = contentOf(filename);
      if (content.length === 0) throw new WireStatusError(wireStatus.invalid, "as C does");
      return sourceOfBytes(content);
    },
    queryFileInfo: ({ filename }: { filename: string }) => {
      const content = contentOf(filename);
      return { fileSize: content.length, modifiedAt: 7, crc32: crc32(content), sourceAddress: "" };
    },
    fetchFile: async ({ filename }: { filename: string }) => {
      const content = contentOf(filename);
      const writer = new WireWriter();
      fetchedHead.encode({ modifiedSeconds: 7, crc32: crc32(content) }, writer, narrowAddresses);
      return sourceOfBytes(Buffer.concat([writer.bytes(), content]));
    },
  };
}

test("trees, listings and searches are those of the peer's path", async () => {
  const { model, side, path } = await stage();
  const names = Array.from({ length: 30 }, (_, at) => nameFor(`${at}`, at));
  for (const name of names) model.put(name, { content: "x", modifiedSeconds: 7 });
  model.delete(names[0] ?? "", 9);
  model.horizons = new Map([[1, 50]]);
  const begun = await side.begin(new Map([[1, 60]]), manners);
  expect(begun).toEqual({ walk: 1, horizons: new Map([[1, 50]]) });
  const uppers = await side.nodes(1, -1);
  expect({ done: uppers.leavesDone, count: uppers.nodes[0]?.count }).toEqual({
    done: 65_536,
    count: 29,
  });
  expect((await side.nodes(1, 0)).nodes[1]?.count).toBe(29);
  const keys: string[] = [];
  for (let more = true; more; ) {
    const page = await side.leaf(1, 1, keys.at(-1) ?? "");
    for (const { key } of page.entries) keys.push(key);
    more = page.more;
  }
  expect(keys).toEqual(
    names
      .slice(1)
      .map((name) => name.slice(10))
      .sort(),
  );
  const [gone, here, nobody] = await side.search([names[0] ?? "", names[1] ?? "", "M00/00/00/x"]);
  expect([gone, here?.kind, nobody?.kind]).toEqual([
    { kind: "deleted", timestamp: 9 },
    "there",
    "unknown",
  ]);
  expect(await side.search(Array.from({ length: 2500 }, () => names[1] ?? ""))).toHaveLength(2500);
  path.busy = true;
  expect(await side.begin(new Map(), manners)).toBeUndefined();
});

test("an inventory that was followed by many others is gone, and so is one of no path", async () => {
  const { side, inventories } = await stage();
  for (let at = 0; at <= maxKeptInventories; at += 1) await side.begin(new Map(), manners);
  await expect(side.nodes(1, -1)).rejects.toMatchObject({ status: wireStatus.notFound });
  expect((await side.nodes(2, -1)).leavesDone).toBe(65_536);
  await expect(inventories.beginFor(7, new Map(), manners)).rejects.toThrow("no store path 7");
  await expect(inventories.nodes(1, 2, -1)).rejects.toThrow("no inventory 2");
});

test("files of a peer of ours come with time and sum; of C without, and empty ones as what they are", async () => {
  const { model, files } = await stage();
  const [name, empty] = [nameFor("hello", 1), nameFor("", 2)] as const;
  const emptyAppender = `${empty}-m`;
  for (const [each, content] of [
    [name, "hello"],
    [empty, ""],
    [emptyAppender, ""],
  ] as const) {
    model.put(each, { content, modifiedSeconds: 7 });
  }
  const read = (isCairn: boolean, wanted: string) =>
    files(isCairn).fetch(wanted, async ({ modifiedSeconds, body }) => {
      return `${(await collect(body)).toString()} ${modifiedSeconds}`;
    });
  expect(await read(true, name)).toBe("hello 7");
  expect(await read(true, empty)).toBe(" 7");
  expect(await read(false, name)).toBe("hello undefined");
  expect(await read(false, empty)).toBe(" undefined");
  expect(await read(false, emptyAppender)).toBe(" undefined");
  for (const isCairn of [true, false]) {
    await expect(read(isCairn, nameFor("no", 3))).rejects.toMatchObject({ code: "file-missing" });
  }
  expect(await files(true).factsOf(name)).toMatchObject({ sizeBytes: 5, crc32: crc32("hello") });
  expect(await files(true).factsOf(nameFor("no", 3))).toBeUndefined();
});

test("a peer mends what it is told by a member, and nothing for others", async () => {
  const { model, asker, files, exchange } = await stage();
  const [wanted, old] = [nameFor("hello", 1), nameFor("old", 2)] as const;
  asker.put(wanted, { content: "hello", modifiedSeconds: 7 });
  model.put(old, { content: "old", modifiedSeconds: 7 });
  const repairs = [
    { action: "fetch", name: wanted, timestamp: 7 },
    { action: "remove", name: old, timestamp: 9 },
  ] as const;
  expect(await files(true).mend(repairs)).toEqual([0, 0]);
  expect([...model.files.keys()]).toEqual([wanted]);
  const stranger = new RemoteFiles({
    exchange,
    group,
    id: StorageId("10.0.0.9"),
    title: "x",
    isCairn: true,
  });
  await expect(stranger.mend(repairs)).rejects.toMatchObject({ status: wireStatus.accessDenied });
});

test("a disk that sleeps is left alone by who is patient, and walked for who is not", async () => {
  const { side, model, sleep } = await stage();
  sleep.asleep = true;
  expect(await side.begin(new Map(), manners)).toBe("asleep");
  expect(model.walks).toBe(0);
  expect(await side.begin(new Map(), { ...manners, patient: false })).toMatchObject({ walk: 1 });
});

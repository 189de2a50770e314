import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { trunkLogLine } from "#filestore/formats/trunk-log-line.ts";
import { noPacking, type Packing } from "#filestore/packing.ts";
import type { SlotSource } from "#filestore/slot-source.ts";
import { StorePacking } from "#filestore/store-packing.ts";
import type { RequestFields } from "#filestore/store-path-client.ts";
import { request } from "#filestore/worker-messages.ts";
import type { TrunkLocation } from "#model/trunk-location.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { turns } from "../../support/settled.ts";

const served: Packing = { ...noPacking, mode: "served", slotMaxBytes: 1000 };

/** A path whose worker packs where it is told so, and has some slots to give away. */
class FakePath {
  readonly sent: RequestFields[] = [];
  isOnline = true;
  packs = 1;
  failing = false;
  lines = "";
  readonly index: number;
  readonly #block = new Uint8Array(4096);
  readonly client = {
    blocks: { take: async () => 0, give: () => {}, view: () => this.#block },
    send: async (fields: RequestFields) => {
      this.sent.push(fields);
      if (this.failing) throw fileStoreError("store-path-offline", "away");
      const given = fields.kind === request.trunkGive ? this.lines : "";
      if (fields.kind === request.trunkGive) this.lines = "";
      this.#block.set(Buffer.from(given));
      const a = fields.kind === request.trunkGive ? given.split("\n").length - 1 : this.packs;
      return { a, b: 0, blockLength: given.length };
    },
    onTrunkLeaseWanted: (_count: number): void => {},
  };

  constructor(index: number) {
    this.index = index;
  }
}

function packing(count = 2) {
  const paths = Array.from({ length: count }, (_, index) => new FakePath(index));
  const { log, records } = collectedLog();
  const store = new StorePacking(paths, log);
  for (const path of paths) store.serve(path);
  const freed: TrunkLocation[] = [];
  const slots: SlotSource = {
    isReady: true,
    allocate: async () => undefined,
    confirm: async () => {},
    free: async (location) => {
      freed.push(location);
    },
  };
  store.slots = slots;
  return { store, paths, slots, freed, records };
}

test("a path is told how to pack when that changes, and when it opens; before that nothing", async () => {
  const { store, paths } = packing();
  const [first, second] = paths as [FakePath, FakePath];
  store.tell(0);
  expect(first.sent).toEqual([]);
  second.isOnline = false;
  store.change(served);
  await turns();
  second.isOnline = true;
  store.tell(1);
  await turns();
  const kinds = paths.map(({ sent }) => sent.filter(({ kind }) => kind === request.setPacking));
  expect(kinds.map((each) => each.map(({ text }) => text))).toEqual([["served"], ["served"]]);
});

test("slots are for files that fit, on paths that pack, in groups with a trunk server", async () => {
  const { store, paths, slots } = packing();
  (paths[1] as FakePath).packs = 0;
  const ask = (path: number, length: number): boolean => store.slotsFor(path, { length }) === slots;
  expect(ask(0, 100)).toBe(false);
  expect([0, 1].map((path) => store.modeOf(path))).toEqual(["off", "off"]);
  store.change(served);
  await turns();
  expect([ask(0, 976), ask(0, 977), ask(1, 100)]).toEqual([true, false, false]);
  expect([0, 1].map((path) => store.modeOf(path))).toEqual(["served", "off"]);
  expect(store.slotsFor(0, { length: 10, lengthIsEstimate: true })).toBeUndefined();
  store.change({ ...served, mode: "leased" });
  await turns();
  expect(ask(0, 100)).toBe(false);
});

test("wishes come with their path, numbers go to it, and a path that is away does not use them up", async () => {
  const { store, paths } = packing();
  const wishes: number[][] = [];
  store.onWanted = (path, count) => wishes.push([path, count]);
  paths[1]?.client.onTrunkLeaseWanted(7);
  expect(wishes).toEqual([[1, 7]]);
  expect(await store.give(1, 100, 7)).toBe(true);
  expect(paths[1]?.sent).toMatchObject([{ kind: request.trunkLease, a: 100, b: 7 }]);
  (paths[1] as FakePath).isOnline = false;
  expect(await store.give(1, 107, 7)).toBe(false);
  (paths[0] as FakePath).failing = true;
  expect(await store.give(0, 107, 7)).toBe(true);
});

test("what a path gives away, and what is deleted, goes to the trunk server", async () => {
  const { store, paths, freed } = packing(1);
  const [path] = paths as [FakePath];
  const slot = (offset: number): TrunkLocation => ({
    ...{ storePathIndex: 0, high: 0, low: 0, fileId: 1, offset, size: 256 },
  });
  path.lines = trunkLogLine("free", 0, slot(0)) + trunkLogLine("free", 0, slot(512));
  store.change(served);
  await turns(10);
  expect(freed.map(({ offset }) => offset)).toEqual([0, 512]);
  path.lines = trunkLogLine("free", 0, slot(2048));
  store.freed("M00/00/00/fwApBWsD4XSIFjnvAAST4CGXGwcAAAAAQAABAAABJQA809.bin");
  store.freed("M00/00/00/fwApBWsD4XWAdWVoAB6EgFYNio0046.bin");
  await turns(10);
  expect(freed.map(({ offset }) => offset)).toEqual([0, 512, 2048, 1024]);
  path.failing = true;
  store.giveAllAway();
  await turns(10);
  store.change({ ...served, mode: "leased" });
  store.freed("M00/00/00/fwApBWsD4XSIFjnvAAST4CGXGwcAAAAAQAABAAABJQA809.bin");
  await turns(10);
  expect(freed).toHaveLength(4);
});

test("a rebuild is asked of the worker of that path; a path that is away cannot do it", async () => {
  const { store, paths } = packing();
  expect(await store.rebuild(1)).toBe(1);
  expect(paths.map(({ sent }) => sent.map(({ kind }) => kind))).toEqual([
    [],
    [request.trunkRebuild],
  ]);
  if (paths[0] !== undefined) paths[0].isOnline = false;
  for (const index of [0, 7]) {
    await expect(store.rebuild(index)).rejects.toMatchObject({ code: "store-path-offline" });
  }
});

test("slots are looked into by the worker of their path", async () => {
  const { store, paths } = packing();
  const slot = { storePathIndex: 1, high: 2, low: 3, fileId: 4, offset: 0, size: 512 };
  const [, path] = paths;
  if (path === undefined) throw new Error("no path");
  const send = path.client.send;
  path.client.send = async (fields) => ({
    ...(await send(fields)),
    blockLength: fields.blockLength ?? 0,
  });
  path.client.blocks.view = () => Buffer.from(trunkLogLine("used", 0, slot));
  expect(await store.slotsInUse([slot])).toEqual([slot]);
  expect(path.sent.map(({ kind }) => kind)).toEqual([request.slotsInUse]);
  path.isOnline = false;
  await expect(store.slotsInUse([slot])).rejects.toMatchObject({ code: "store-path-offline" });
});

/** Fetching, mending and naming, one file at a time. */

import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import type { InventoryEntry } from "#filestore/inventory/inventory-entry.ts";
import { makeBase } from "#model/file-base.ts";
import { compareLeaf, stillDiffering } from "#sync/anti-entropy/compare-inventories.ts";
import { fetchCopy } from "#sync/anti-entropy/fetch-copy.ts";
import { mendFrom, mendStatus } from "#sync/anti-entropy/mend.ts";
import { nameDifferences, nameOf } from "#sync/anti-entropy/name-differences.ts";
import { ModelStorage } from "../../../support/model-storage.ts";

function nameFor(content: string, at = 1): string {
  const source = { kind: "address", address: "10.9.0.2" } as const;
  const facts = {
    size: content.length,
    crc32: crc32(content),
    randomBits: at,
    timestamp: 1_700_000_000,
  };
  return `M00/00/01/${makeBase({ source, ...facts, kind: "normal", tail: "123.txt" })}`;
}

const name = nameFor("x");
const file = { content: "x", modifiedSeconds: 7 };

function storages(count: number): ModelStorage[] {
  return Array.from({ length: count }, (_, at) => new ModelStorage(`${at}`));
}

test("a copy comes from the next peer where the first has none, or a damaged one", async () => {
  const [store, first, second] = storages(3) as [ModelStorage, ModelStorage, ModelStorage];
  second.put(name, file);
  const wanted = { name, timestamp: 1 };
  expect(await fetchCopy(store, [first, second], wanted)).toEqual({ outcome: "stored", bytes: 1 });
  expect(await fetchCopy(store, [first, second], wanted)).toMatchObject({ outcome: "already" });
  store.files.clear();
  first.put(name, file);
  first.damaged.set(name, 9);
  expect(await fetchCopy(store, [first, second], wanted)).toMatchObject({ outcome: "stored" });
  expect(store.files.get(name)).toEqual(file);
});

test("a file that can be changed comes as a version of it, but for the very bytes that are wanted", async () => {
  const [store, peer] = storages(2) as [ModelStorage, ModelStorage];
  const asked: (readonly [string, boolean | undefined])[] = [];
  const keeping: Parameters<typeof fetchCopy>[0] = {
    storeReplica: (file, body) => {
      asked.push([file.mode, file.versioned]);
      return store.storeReplica(file, body);
    },
  };
  const slave = name.replace("123.txt", "123_s.txt");
  for (const each of [name, slave]) {
    peer.put(each, file);
    await fetchCopy(keeping, [peer], { name: each, timestamp: 1 });
    await fetchCopy(keeping, [peer], { name: each, timestamp: 1, crc32: crc32("x") });
  }
  expect(asked).toEqual([
    ...[["create", false] as const, ["create", false] as const],
    ...[["replace", true] as const, ["replace", false] as const],
  ]);
});

test("what nobody has is missing; what the own disk refuses is not asked for again", async () => {
  const [store, first, second] = storages(3) as [ModelStorage, ModelStorage, ModelStorage];
  expect(await fetchCopy(store, [first, second], { name, timestamp: 1 })).toEqual({
    outcome: "missing",
  });
  for (const peer of [first, second]) peer.put(name, file);
  let tries = 0;
  const full = {
    storeReplica: () => {
      tries += 1;
      return Promise.reject(fileStoreError("store-full", "no room"));
    },
  };
  await expect(fetchCopy(full, [first, second], { name, timestamp: 1 })).rejects.toThrow("no room");
  expect(tries).toBe(1);
});

test("each repair that a peer asks for has an answer of its own", async () => {
  const [store, peer] = storages(2) as [ModelStorage, ModelStorage];
  const [gone, bad, old] = [nameFor("y"), nameFor("z"), nameFor("w")] as const;
  peer.put(name, file);
  peer.put(bad, { content: "z", modifiedSeconds: 7 });
  peer.damaged.set(bad, 99);
  store.put(old, { content: "w", modifiedSeconds: 7 });
  const repairs = [
    { action: "fetch", name, timestamp: 7 },
    { action: "fetch", name: gone, timestamp: 7 },
    { action: "fetch", name: bad, timestamp: 7 },
    { action: "remove", name: old, timestamp: 9 },
    { action: "remove", name: gone, timestamp: 9 },
  ] as const;
  const { done, missing, failed, already } = mendStatus;
  expect(await mendFrom(store, peer, { repairs, lanes: 2 })).toEqual([
    done,
    missing,
    failed,
    done,
    already,
  ]);
  expect([...store.files.keys()]).toEqual([name]);
});

test("listings are merged by their keys, over pages, and looked at again", async () => {
  const [one, other] = storages(2) as [ModelStorage, ModelStorage];
  const names = Array.from({ length: 20 }, (_, at) => nameFor(`${at}`, at));
  for (const [at, each] of names.entries()) {
    if (at % 3 !== 0) one.put(each, file);
    if (at % 4 !== 0) other.put(each, file);
  }
  const [here, there] = [
    { side: one, walk: 0 },
    { side: other, walk: 0 },
  ] as const;
  const first = await compareLeaf(here, there, { leaf: 1 });
  const expected = names
    .filter((_, at) => (at % 3 === 0) !== (at % 4 === 0))
    .map((each) => each.slice(10));
  expect(first.map(({ key }) => key)).toEqual(expected.sort());
  expect(await compareLeaf(here, there, { leaf: 1, limit: 2 })).toHaveLength(2);
  one.put(names[3] ?? "", file);
  const second = await compareLeaf(here, there, { leaf: 1 });
  expect(stillDiffering(first, second)).toHaveLength(expected.length - 1);
  const { differences, nameless } = await nameDifferences(
    { here: one, there: other, storePathIndex: 0 },
    second,
  );
  expect({ count: differences.length, nameless }).toEqual({
    count: expected.length - 1,
    nameless: 0,
  });
  expect(nameOf(10, 0x1fe, "x")).toBe("M0A/01/FE/x");
});

test("a slot that no binlog names is told, and left", async () => {
  const [one, other] = storages(2) as [ModelStorage, ModelStorage];
  const slot: InventoryEntry = {
    ...{ kind: "slot", key: "#0000000001#0000000000", fileId: 1, offset: 0, slotSize: 64 },
    ...{ sizeBytes: 1, crc32: 1, timestamp: 1, content: "file", tail: "123.txt" },
  };
  const difference = { leaf: 0, key: slot.key, here: slot, there: undefined };
  const both = { here: one, there: other, storePathIndex: 0 };
  expect(await nameDifferences(both, [difference])).toEqual({ differences: [], nameless: 1 });
});

test("of metadata both binlogs are asked what became of its file", async () => {
  const [one, other] = storages(2) as [ModelStorage, ModelStorage];
  other.delete(name, 9);
  const here: InventoryEntry = {
    ...{ kind: "stated", key: `${name.slice(10)}-m`, sizeBytes: 1, modifiedSeconds: 10 },
  };
  const difference = { leaf: 1, key: here.key, here, there: undefined };
  const both = { here: one, there: other, storePathIndex: 0 };
  const { differences } = await nameDifferences(both, [difference]);
  expect(differences.map(({ owner }) => owner)).toEqual([
    [{ kind: "unknown" }, { kind: "deleted", timestamp: 9 }],
  ]);
});

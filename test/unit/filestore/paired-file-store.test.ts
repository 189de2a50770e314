/** What clients of one half of a mirror see, over two stores in memory. */
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import type { StorePathReport } from "#filestore/file-store.ts";
import { PairedFileStore } from "#filestore/paired-file-store.ts";
import { flowOfBytes } from "#net/byte-flow.ts";
import { MemoryFileStore } from "../../support/memory-file-store.ts";

const letters = Buffer.from("letters");

function pair() {
  const own = new MemoryFileStore();
  const other = new MemoryFileStore();
  return { own, other, paired: new PairedFileStore(own, other) };
}

/** As the store's disk is from now on. */
function become(store: MemoryFileStore, change: Partial<StorePathReport>): void {
  const [path] = store.paths;
  Object.defineProperty(store, "paths", { get: () => [{ ...path, ...change }] });
}

function upload(store: PairedFileStore): Promise<string> {
  const request = { storePathIndex: undefined, extension: "bin", kind: "normal" } as const;
  return store.upload(request, flowOfBytes(letters));
}

/** The file in both stores, as replication has it. */
async function replicated(stores: ReturnType<typeof pair>): Promise<string> {
  const name = await stores.own.put(letters);
  const file = stores.own.files.get(name);
  if (file !== undefined) stores.other.files.set(name, file);
  return name;
}

test("while its disk is well a half serves alone", async () => {
  const stores = pair();
  const name = await upload(stores.paired);
  expect(stores.own.files.has(name)).toBe(true);
  await stores.paired.remove(name);
  await expect(stores.paired.facts(name, { computeCrc: false })).rejects.toMatchObject({
    code: "file-missing",
  });
  expect(stores.other.calls).toEqual({});
});

test("what cannot be read here is read from the other half", async () => {
  const stores = pair();
  const name = await replicated(stores);
  stores.own.failure = fileStoreError("store-path-offline", "gone");
  const facts = await stores.paired.facts(name, { computeCrc: false });
  expect(facts.sizeBytes).toBe(letters.length);
  const opened = await stores.paired.open(name, { offset: 0, length: 0 });
  expect(opened.sizeBytes).toBe(letters.length);
  opened.body.close();
});

test("a file that lies on the disk that is away, and nowhere else yet, is not called missing", async () => {
  const stores = pair();
  const name = await stores.own.put(letters);
  stores.own.failure = fileStoreError("store-path-unready", "it hangs");
  await expect(stores.paired.facts(name, { computeCrc: false })).rejects.toMatchObject({
    code: "store-path-unready",
  });
});

test("uploads and changes go to the other half while the disk here takes none", async () => {
  for (const trouble of [
    { state: "offline", problem: "gone" },
    { state: "quarantined", problem: "it hangs" },
    { state: "online", problem: "it turned read-only" },
  ] as const) {
    const stores = pair();
    const name = await replicated(stores);
    become(stores.own, trouble);
    const fresh = await upload(stores.paired);
    expect(stores.other.files.has(fresh)).toBe(true);
    expect((await stores.paired.facts(fresh, { computeCrc: false })).sizeBytes).toBe(7);
    await stores.paired.writeMetadata(name, "overwrite", Buffer.from("a\x02b"));
    expect(stores.other.metadata.has(name)).toBe(true);
    await stores.paired.remove(name);
    expect(stores.other.files.has(name)).toBe(false);
  }
});

test("where neither half has a disk, this one says what is wrong", async () => {
  const { own, other, paired } = pair();
  for (const store of [own, other]) become(store, { state: "offline", problem: "gone" });
  own.failure = fileStoreError("store-path-offline", "the first disk is gone");
  await expect(upload(paired)).rejects.toThrow("the first disk is gone");
});

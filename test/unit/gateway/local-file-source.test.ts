/** The store of this node as the gateway's source. */
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { LocalFileSource } from "#gateway/local-file-source.ts";
import { GroupName } from "#model/group-name.ts";
import { type ByteSource, flowOfBytes } from "#net/byte-flow.ts";
import { MemoryFileStore } from "../../support/memory-file-store.ts";

const group = GroupName("group1");
const other = GroupName("other");

function make(): { readonly store: MemoryFileStore; readonly source: LocalFileSource } {
  const store = new MemoryFileStore();
  return { store, source: new LocalFileSource(store, group) };
}

async function textOf(source: ByteSource | undefined): Promise<string> {
  let text = "";
  for (;;) {
    const piece = await source?.next();
    if (piece === undefined) return text;
    text += Buffer.from(piece.bytes).toString();
    piece.release();
  }
}

test("files of our group are found, those of others and missing ones are not", async () => {
  const { store, source } = make();
  const name = await store.put("hello");
  expect(await source.facts({ group, name })).toMatchObject({ sizeBytes: 5 });
  expect(await source.facts({ group: other, name })).toBeUndefined();
  await store.remove(name);
  const address = { group, name };
  expect([
    await source.facts(address),
    await source.open(address),
    await source.open(address, { offset: 0, length: 1 }),
    await source.checksum(address),
    await source.remove(address),
    await source.metadata(address),
    await source.setMetadata(address, "merge", Buffer.from("a\x02b")),
    await source.uploadSlave(
      { master: address, prefix: "_s", extension: "" },
      flowOfBytes(name ? Buffer.alloc(1) : Buffer.alloc(0)),
    ),
  ]).toEqual([undefined, undefined, undefined, undefined, false, undefined, false, undefined]);
});

test("another group never reaches the store", async () => {
  const { store, source } = make();
  const address = { group: other, name: await store.put("x") };
  await source.open(address);
  await source.remove(address);
  await source.metadata(address);
  await source.checksum(address);
  await source.setMetadata(address, "merge", Buffer.alloc(0));
  await source.uploadSlave(
    { master: address, prefix: "_s", extension: "" },
    flowOfBytes(Buffer.alloc(0)),
  );
  expect(store.calls).toEqual({});
  expect([source.takesUploads(group), source.takesUploads(other)]).toEqual([true, false]);
});

test("a whole file comes whole, even where its name tells another size", async () => {
  const { store, source } = make();
  const name = await store.put("hello");
  const opened = await source.open({ group, name });
  expect([await textOf(opened?.body), store.calls.open]).toEqual(["hello", 1]);
  store.files.set(name, { content: Buffer.from("much longer"), modifiedSeconds: 5 });
  const longer = await source.open({ group, name });
  expect([await textOf(longer?.body), longer?.sizeBytes, store.calls.open]).toEqual([
    "much longer",
    11,
    3,
  ]);
  expect([store.openSources, store.outstandingPieces]).toEqual([0, 0]);
});

test("empty files are files", async () => {
  const { store, source } = make();
  const opened = await source.open({ group, name: await store.put("") });
  expect([opened?.sizeBytes, await textOf(opened?.body)]).toEqual([0, ""]);
});

test("a file without metadata has none, which is not an absent file", async () => {
  const { store, source } = make();
  const address = { group, name: await store.put("x") };
  expect(await source.metadata(address)).toHaveLength(0);
  expect(await source.setMetadata(address, "overwrite", Buffer.from("a\x02b"))).toBe(true);
  expect(Buffer.from((await source.metadata(address)) ?? []).toString()).toBe("a\x02b");
});

test("other failures of the store come through", async () => {
  const { store, source } = make();
  const address = { group, name: await store.put("x") };
  store.failure = fileStoreError("store-path-offline", "gone");
  await expect(source.facts(address)).rejects.toBe(store.failure);
  await expect(source.remove(address)).rejects.toBe(store.failure);
});

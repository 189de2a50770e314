/**
 * Goal: a storage packs as its trackers say: by leases, by slots of a trunk server elsewhere, as trunk server itself, and from one to the other
 * while it serves. Method: a storage role over a store path on the disk with its thread, and a tracker and peers that do what the test says.
 */
import { afterEach, expect, test } from "vitest";
import { decodeBase } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import { StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";
import type { TrunkSlot } from "#model/trunk-location.ts";
import { deleteFile } from "#protocol/fastdfs/storage-files.ts";
import type { StorageBrief } from "#protocol/fields.ts";
import { FakeTrunkStorage } from "../../support/fake-trunk-storage.ts";
import { pattern } from "../../support/frame-fixture.ts";
import { soon } from "../../support/soon.ts";
import { TrunkStage, type TrunkStageOptions } from "../../support/trunk-stage.ts";

const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function started(options: TrunkStageOptions = {}): Promise<TrunkStage> {
  const stage = await TrunkStage.start(options);
  open.push(stage);
  return stage;
}

function slotOf(name: string): TrunkSlot | undefined {
  return decodeBase(parseRemoteFilename(name)?.base ?? "")?.trunk;
}

/** A stage whose storage is the trunk server of its group. */
async function servingStage(options: TrunkStageOptions = {}, others: readonly StorageBrief[] = []) {
  const stage = await started(options);
  stage.tell(stage.brief, others);
  await soon(() => stage.role.snapshot().trunk.server).toBe("serving");
  return stage;
}

test("in a group of ours files are packed into trunk files whose numbers were leased", async () => {
  const stage = await started({ packing: "leased", trunkFileId: 40 });
  const caller = await stage.caller();
  await soon(() => stage.tracker.trunkFileId).toBeGreaterThan(40);
  const content = pattern(3000);
  const name = await caller.upload(content);
  expect(slotOf(name)).toMatchObject({ fileId: 41, offset: 0 });
  expect(await caller.download(name)).toEqual(content);
  expect(stage.role.snapshot().trunk).toMatchObject({ mode: "leased", server: "off" });
});

test("trunk files are looked through on request by the thread of their path, while files come and go", async () => {
  const stage = await started({ packing: "leased", trunkFileId: 40 });
  const caller = await stage.caller();
  await soon(() => stage.tracker.trunkFileId).toBeGreaterThan(40);
  const names: string[] = [];
  for (let at = 0; at < 30; at += 1) names.push(await caller.upload(pattern(1000 + at)));
  for (const name of names.splice(0, 10)) await caller.remove(name);
  const id = await stage.store.packing.rebuild(0);
  names.push(await caller.upload(pattern(500)));
  await caller.remove(names.shift() ?? "");
  const found = () => stage.store.paths[0]?.trunkFiles?.rebuild;
  await soon(() => found()?.state).toBe("done");
  expect(found()).toMatchObject({ id, files: 1, skipped: 0, damagedBytes: 0, unnamed: 0 });
  expect(stage.store.paths[0]?.trunkFiles).toMatchObject({ unknownFiles: 0 });
  for (const name of names) expect((await caller.download(name)).length).toBeGreaterThan(499);
  await expect(stage.store.packing.rebuild(3)).rejects.toThrow("no store path 3");
});

test("an orderly end as trunk server leaves the snapshot of its free list", async () => {
  const stage = await servingStage({ trunkFileId: 8 });
  const caller = await stage.caller();
  await caller.upload(pattern(700));
  await stage.close();
  const [head, ...slots] = stage.snapshotText.trimEnd().split("\n");
  expect(Number(head)).toBe(stage.binlog.length);
  expect(slots).toEqual([expect.stringMatching(/^\d+ A 0 \d+ \d+ 9 768 67108096$/)]);
});

test("as trunk server a storage takes its own slots, and tells the tracker of files and room", async () => {
  const stage = await servingStage({ trunkFileId: 8 });
  const caller = await stage.caller();
  const names = [await caller.upload(pattern(700)), await caller.upload(pattern(18))];
  expect(names.map(slotOf)).toEqual([
    { fileId: 9, offset: 0, size: 768 },
    { fileId: 9, offset: 768, size: 256 },
  ]);
  for (const name of names) expect((await caller.download(name)).length).toBeLessThan(701);
  await soon(() => [stage.tracker.trunkFileId, stage.tracker.trunkFreeMb]).toEqual([9, 63]);
  await caller.remove(names[0] as string);
  await expect
    .poll(async () => slotOf(await caller.upload(pattern(600))))
    .toMatchObject({ offset: 0 });
  expect(slotOf(await caller.upload(pattern(2_000_000)))).toBeUndefined();
});

test("the binlog goes to the other storages, and the next term goes on from it", async () => {
  const { storage: peer, port } = await FakeTrunkStorage.start("127.0.0.2", 0);
  open.push(peer);
  const other = {
    status: storageStatus.active,
    port,
    id: StorageId("127.0.0.2"),
    address: "127.0.0.2",
  };
  const stage = await servingStage({}, [other]);
  const caller = await stage.caller();
  const name = await caller.upload(pattern(700));
  await soon(() => peer.binlog.split("\n").length).toBe(6);
  expect(peer.binlog).toBe(stage.binlog);
  // What was sent and not marked yet would be sent again, as C does it.
  const marked = () => [...stage.role.snapshot().trunk.readers.values()];
  await soon(marked).toEqual([peer.binlog.length]);
  await stage.close();
  await stage.open();
  stage.tell(stage.brief, [other]);
  await soon(() => stage.role.snapshot().trunk.server).toBe("serving");
  const again = await stage.caller();
  expect(slotOf(await again.upload(pattern(700)))).toMatchObject({ fileId: 1, offset: 768 });
  expect((await again.download(name)).equals(pattern(700))).toBe(true);
  await soon(() => peer.binlog).toBe(stage.binlog);
  expect(peer.truncations).toBe(1);
});

test("without a trunk server that answers, files are stored as files of their own", async () => {
  const stage = await started();
  const gone = {
    status: storageStatus.active,
    port: 1,
    id: StorageId("127.0.0.9"),
    address: "127.0.0.9",
  };
  stage.tell(gone);
  await soon(() => stage.role.snapshot().trunk.mode).toBe("served");
  const caller = await stage.caller();
  const content = pattern(700);
  const name = await caller.upload(content);
  expect(slotOf(name)).toBeUndefined();
  expect(await caller.download(name)).toEqual(content);
});

test("when a C storage joins, free space in leased files goes to the trunk server, and files stay where they are", async () => {
  const stage = await started({ packing: "leased" });
  const caller = await stage.caller();
  await soon(() => stage.tracker.trunkFileId).toBeGreaterThan(0);
  const content = pattern(700);
  const kept = await caller.upload(content);
  const gone = await caller.upload(pattern(800));
  expect([kept, gone].map((name) => slotOf(name)?.fileId)).toEqual([1, 1]);
  stage.tracker.packing = "served";
  stage.tell(stage.brief);
  await soon(() => stage.role.snapshot().trunk.server).toBe("serving");
  await soon(() => stage.role.snapshot().trunk.freeMb).toBeGreaterThan(62);
  const client = await stage.client();
  await client.call(deleteFile, { group: "group1", filename: gone });
  await expect
    .poll(async () => slotOf(await caller.upload(pattern(800))))
    .toMatchObject({
      ...{ fileId: 1, offset: slotOf(gone)?.offset },
    });
  expect(await caller.download(kept)).toEqual(content);
  stage.tracker.packing = "leased";
  await expect
    .poll(() => stage.role.snapshot().trunk)
    .toMatchObject({ mode: "leased", server: "off" });
  await expect
    .poll(async () => slotOf(await caller.upload(pattern(100)))?.fileId)
    .toBeGreaterThan(1);
});

import { afterEach, expect, test } from "vitest";
import type { TrunkSlot } from "#model/trunk-location.ts";
import {
  trunkAllocConfirm,
  trunkAllocSpace,
  trunkDeleteBinlogMarks,
  trunkFreeSpace,
  trunkGetBinlogSize,
  trunkSyncBinlog,
  trunkTruncateBinlogFile,
} from "#protocol/fastdfs/storage-trunk.ts";
import { soon } from "../../../support/soon.ts";
import { refusal } from "../../../support/tracker-harness.ts";
import { TrunkStage, type TrunkStageOptions } from "../../../support/trunk-stage.ts";

const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function started(options: TrunkStageOptions = {}): Promise<TrunkStage> {
  const stage = await TrunkStage.start(options);
  open.push(stage);
  return stage;
}

test("other storages get slots, confirm and free them; what cannot be is refused", async () => {
  const stage = await started();
  stage.tell(stage.brief);
  await soon(() => stage.role.snapshot().trunk.server).toBe("serving");
  const client = await stage.client();
  const group = "group1";
  const ask = (size: number, storePathIndex = 0, name = group): Promise<TrunkSlot> =>
    client.call(trunkAllocSpace, { group: name, size, storePathIndex });
  const location = await client.call(trunkAllocSpace, { group, size: 724, storePathIndex: 0 });
  expect(location).toMatchObject({ storePathIndex: 0, fileId: 1, offset: 0, size: 768 });
  const confirm = (headerStatus: number): Promise<undefined> =>
    client.call(trunkAllocConfirm, { headerStatus, group, location });
  const free = (): Promise<undefined> => client.call(trunkFreeSpace, { group, location });
  expect([await refusal(free()), await refusal(confirm(0)), await refusal(confirm(0))]).toEqual([
    17, 0, 2,
  ]);
  expect([await refusal(free()), await refusal(free())]).toEqual([0, 17]);
  expect(await refusal(ask(1024 * 1024 + 1))).toBe(22);
  expect(await refusal(ask(724, 7))).toBe(22);
  expect(await refusal(ask(724, 0, "group2"))).toBe(22);
  expect(await refusal(client.call(trunkSyncBinlog, { lines: Buffer.from("x\n") }))).toBe(22);
  expect(await refusal(client.call(trunkDeleteBinlogMarks, undefined))).toBe(22);
  expect(await refusal(client.call(trunkTruncateBinlogFile, undefined))).toBe(22);
});

test("a storage that is not the trunk server keeps its copy of the binlog, and divides nothing", async () => {
  const stage = await started();
  await soon(() => stage.role.snapshot().trunk.mode).toBe("served");
  const client = await stage.client();
  const size = async (): Promise<number> => (await client.call(trunkGetBinlogSize, undefined)).size;
  expect(await size()).toBe(0);
  const lines = Buffer.from("1795395770 A 0 0 0 1 0 4194304\n");
  await client.call(trunkSyncBinlog, { lines });
  await client.call(trunkSyncBinlog, { lines });
  expect(await size()).toBe(2 * lines.length);
  expect(await refusal(client.call(trunkSyncBinlog, { lines: lines.subarray(1, 9) }))).toBe(22);
  await client.call(trunkDeleteBinlogMarks, undefined);
  expect(await size()).toBe(2 * lines.length);
  await client.call(trunkTruncateBinlogFile, undefined);
  expect(await size()).toBe(0);
  const request = { group: "group1", size: 724, storePathIndex: 0 };
  expect(await refusal(client.call(trunkAllocSpace, request))).toBe(22);
});

test("where trunk files are off, nobody is answered about them", async () => {
  const stage = await started({ packing: "off" });
  stage.tracker.parameters = [];
  await stage.close();
  await stage.open();
  await soon(() => stage.tracker.countOf("storageBeat")).toBeGreaterThan(1);
  const client = await stage.client();
  expect(await refusal(client.call(trunkGetBinlogSize, undefined))).toBe(22);
  expect(await refusal(client.call(trunkTruncateBinlogFile, undefined))).toBe(22);
});

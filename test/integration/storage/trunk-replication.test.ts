import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import type { StorageBrief } from "#protocol/fields.ts";
import { TrunkReplication } from "#storage/trunk-replication.ts";
import { FakeTrunkStorage } from "../../support/fake-trunk-storage.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { turns } from "../../support/settled.ts";
import { soon } from "../../support/soon.ts";
import { MemoryTrunkLog } from "../../support/trunk-log.ts";

function line(at: number): string {
  return `1795395770 A 0 1 2 5 ${at * 512} 512\n`;
}

function brief(address: string, port: number): StorageBrief {
  return { status: storageStatus.active, port, id: StorageId(address), address };
}

function replication(binlog: MemoryTrunkLog, peers: () => readonly StorageBrief[], ids = false) {
  const { log, records } = collectedLog();
  const replicator = new TrunkReplication({
    ...{ network: new NodeNetwork(), clock: nodeClock, log, binlog: binlog.client, peers },
    ...{ connectTimeoutMs: 1000, networkTimeoutMs: 1000, heartBeatIntervalMs: 20 },
    ownPort: () => 23000,
    usesStorageIds: () => ids,
  });
  return { replicator, records };
}

test("each storage gets the whole binlog, and then what follows, in whole lines", async () => {
  const binlog = new MemoryTrunkLog();
  const many = Array.from({ length: 4000 }, (_, at) => line(at)).join("");
  binlog.append(many);
  const { storage: first, port } = await FakeTrunkStorage.start("127.0.0.2", 0);
  const { storage: second } = await FakeTrunkStorage.start("127.0.0.3", port);
  await using stack = new AsyncDisposableStack();
  stack.use(first);
  stack.use(second);
  const peers = [brief("127.0.0.2", port), brief("127.0.0.3", port)];
  const { replicator } = replication(binlog, () => peers);
  replicator.start();
  await soon(() => [first.binlog, second.binlog]).toEqual([many, many]);
  expect([first.truncations, second.truncations]).toEqual([1, 1]);
  expect(Math.max(...first.messageSizes)).toBeLessThan(64 * 1024);
  binlog.append(line(9));
  replicator.wake();
  await soon(() => first.binlog).toBe(many + line(9));
  await expect
    .poll(() => binlog.text("127.0.0.2_23000.mark"))
    .toBe(`binlog_offset=${many.length + line(9).length}\n`);
  await soon(() => first.activeTests).toBeGreaterThan(0);
  await replicator.stop();
});

test("a reader goes on from its mark, and begins anew where the binlog is shorter", async () => {
  const binlog = new MemoryTrunkLog();
  binlog.append(line(1) + line(2));
  await binlog.client.writeMark("100001.mark", `binlog_offset=${line(1).length}\n`);
  const { storage, port } = await FakeTrunkStorage.start("127.0.0.2", 0);
  await using stack = new AsyncDisposableStack();
  stack.use(storage);
  const peer = { ...brief("127.0.0.2", port), id: StorageId("100001") };
  const first = replication(binlog, () => [peer], true);
  first.replicator.start();
  await soon(() => storage.binlog).toBe(line(2));
  expect(storage.truncations).toBe(0);
  await first.replicator.stop();
  await binlog.client.reset(0, 1_795_395_770);
  binlog.append(line(3));
  const second = replication(binlog, () => [peer], true);
  second.replicator.start();
  await soon(() => storage.binlog).toBe(line(3));
  expect(storage.truncations).toBe(1);
  await second.replicator.stop();
});

test("nobody reads during a pause, and everybody begins anew after it", async () => {
  const binlog = new MemoryTrunkLog();
  binlog.append(line(1));
  const { storage, port } = await FakeTrunkStorage.start("127.0.0.2", 0);
  await using stack = new AsyncDisposableStack();
  stack.use(storage);
  const { replicator } = replication(binlog, () => [brief("127.0.0.2", port)]);
  replicator.start();
  await soon(() => storage.binlog).toBe(line(1));
  await replicator.pause();
  await binlog.client.reset(0, 1_795_395_770);
  await binlog.client.forget();
  binlog.append(line(2));
  replicator.wake();
  await turns();
  expect(storage.binlog).toBe(line(1));
  replicator.resume();
  await soon(() => storage.binlog).toBe(line(2));
  await replicator.stop();
});

test("members come and go; those that are gone or not there yet are not spoken to", async () => {
  const binlog = new MemoryTrunkLog();
  binlog.append(line(1));
  const { storage, port } = await FakeTrunkStorage.start("127.0.0.2", 0);
  await using stack = new AsyncDisposableStack();
  stack.use(storage);
  let peers: StorageBrief[] = [{ ...brief("127.0.0.2", port), status: storageStatus.init }];
  const { replicator, records } = replication(binlog, () => peers);
  replicator.start();
  await turns();
  expect([...replicator.offsets]).toEqual([]);
  peers = [brief("127.0.0.2", port), brief("127.0.0.9", 1)];
  replicator.refresh();
  await soon(() => storage.binlog).toBe(line(1));
  await soon(() => records.map(({ event }) => event)).toContain("trunk-binlog-not-sent");
  peers = [];
  replicator.refresh();
  expect([...replicator.offsets]).toEqual([]);
  await soon(() => storage.connections).toBe(0);
  await replicator.stop();
});

import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";
import { deleteStorage } from "#protocol/fastdfs/tracker-admin.ts";
import {
  notifySyncSource,
  querySyncSource,
  requestSyncSource,
  requestSyncSourceOf,
} from "#protocol/fastdfs/tracker-reports.ts";
import { eventually, refusal, TrackerHarness } from "../../../support/tracker-harness.ts";

const { online, offline, waitSync } = storageStatus;

test("the only member of a group needs no source", async () => {
  await using harness = await TrackerHarness.start();
  const storage = await harness.joined("127.0.0.2");
  expect(await storage.call(requestSyncSource, undefined)).toEqual({ sync: undefined });
  expect(harness.statusOf("127.0.0.2")).toBe(online);
});

test("a new member waits while the others are away, then gets the first that is writable", async () => {
  await using harness = await TrackerHarness.start();
  (await harness.active("127.0.0.4")).destroy();
  await eventually(() => harness.statusOf("127.0.0.4") === offline);
  const member = await harness.joined("127.0.0.2");
  expect(await refusal(member.call(requestSyncSource, undefined))).toBe(2);
  await harness.active("127.0.0.5");
  await harness.active("127.0.0.3");
  const { sync } = await member.call(requestSyncSource, undefined);
  expect(sync?.source).toBe("127.0.0.3");
  expect(Math.abs((sync?.until ?? 0) - Date.now() / 1000)).toBeLessThan(5);
  expect(harness.statusOf("127.0.0.2")).toBe(waitSync);
  expect(await member.call(querySyncSource, undefined)).toEqual({ sync });
  const peer = await harness.client();
  const query = { group: "group1", id: "127.0.0.2" };
  expect(await peer.call(requestSyncSourceOf, query)).toEqual({ sync });
});

test("what another tracker chose is recorded once, and must be known", async () => {
  await using harness = await TrackerHarness.start();
  await harness.active("127.0.0.3");
  const member = await harness.joined("127.0.0.2");
  const told = (source: string, until: number): Promise<number> =>
    refusal(member.call(notifySyncSource, { source: StorageId(source), until }));
  expect([
    await told("127.0.0.9", 5),
    await told("127.0.0.3", 5),
    await told("127.0.0.9", 6),
  ]).toEqual([2, 0, 0]);
  expect(await member.call(querySyncSource, undefined)).toEqual({
    sync: { source: "127.0.0.3", until: 5 },
  });
  await member.call(notifySyncSource, { source: undefined, until: 0 });
  expect(harness.statusOf("127.0.0.2")).toBe(online);
});

test("a source that was deleted is one no more", async () => {
  await using harness = await TrackerHarness.start();
  const source = await harness.active("127.0.0.3");
  const member = await harness.joined("127.0.0.2");
  await member.call(requestSyncSource, undefined);
  source.destroy();
  await eventually(() => harness.statusOf("127.0.0.3") === offline);
  const client = await harness.client();
  await client.call(deleteStorage, { group: "group1", id: "127.0.0.3" });
  expect(await client.call(requestSyncSourceOf, { group: "group1", id: "127.0.0.2" })).toEqual({
    sync: undefined,
  });
});

test("who is unknown, gone or has just come has no source", async () => {
  await using harness = await TrackerHarness.start();
  await harness.joined("127.0.0.2");
  const client = await harness.client();
  const ask = (group: string, id: string): Promise<number> =>
    refusal(client.call(requestSyncSourceOf, { group, id }));
  expect([await ask("x", "x"), await ask("group1", "x"), await ask("group1", "127.0.0.2")]).toEqual(
    [2, 2, 2],
  );
});

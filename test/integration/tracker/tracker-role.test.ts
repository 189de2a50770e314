import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { nodeRandom } from "#platform/node/node-random.ts";
import { activeTest } from "#protocol/fastdfs/common.ts";
import { deleteStorage } from "#protocol/fastdfs/tracker-admin.ts";
import { queryStore } from "#protocol/fastdfs/tracker-queries.ts";
import {
  reportDiskUsage,
  reportSync,
  requestSyncSource,
  storageBeat,
  storageJoin,
} from "#protocol/fastdfs/tracker-reports.ts";
import { TrackerRole } from "#tracker/tracker-role.ts";
import { defaultTrackerSettings } from "#tracker/tracker-settings.ts";
import { beat, eventually, refusal, TrackerHarness } from "../../support/tracker-harness.ts";
import { RecordingState } from "../../support/tracker-registry.ts";

const { active, offline, waitSync, online } = storageStatus;

/** Sends raw bytes; resolves with all that comes back until the tracker closes, or for 150 ms. */
function raw(port: number, bytes: Uint8Array): Promise<{ reply: Buffer; closed: boolean }> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    const chunks: Buffer[] = [];
    const finish = (closed: boolean): void => {
      socket.destroy();
      resolve({ reply: Buffer.concat(chunks), closed });
    };
    const timer = setTimeout(() => finish(false), 150);
    socket.on("data", (chunk) => chunks.push(Buffer.from(chunk)));
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(timer);
      finish(true);
    });
    socket.on("end", () => socket.end());
  });
}

function request(length: number, command: number, body = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(10);
  header.writeBigInt64BE(BigInt(length), 0);
  header[8] = command;
  return Buffer.concat([header, body]);
}

test("everything that matters survives a restart; who was there is away until it joins again", async () => {
  // Goal: clients are served again as soon as a storage has joined and beaten, without waiting for its next disk report.
  await using harness = await TrackerHarness.start();
  const storage = await harness.active("127.0.0.2");
  const member = await harness.joined("127.0.0.3");
  await member.call(requestSyncSource, undefined);
  await storage.call(reportSync, { sources: [{ id: "127.0.0.2", timestamp: 77 }] });
  const before = harness.tracker.snapshot().groups;
  await harness.stop();

  await using again = await TrackerHarness.start({ database: harness.database });
  const after = again.tracker.snapshot().groups;
  expect(after.map(({ storages, readableCount, writableCount, ...group }) => group)).toEqual(
    before.map(({ storages, readableCount, writableCount, ...group }) => group),
  );
  const lasting = (storages: (typeof after)[number]["storages"]): unknown =>
    storages.map(({ status, upTime, currentWritePath, ...rest }) => rest);
  expect(lasting(after[0]?.storages ?? [])).toEqual(lasting(before[0]?.storages ?? []));
  expect(after[0]?.storages.map(({ status }) => status)).toEqual([offline, waitSync]);

  const client = await again.client();
  expect(await refusal(client.call(queryStore, undefined))).toBe(2);
  const back = await again.client("127.0.0.2");
  const reply = await back.call(storageJoin, again.join({ initializing: false, status: active }));
  expect(reply.status).toBe(online);
  await beat(back);
  expect((await client.call(queryStore, undefined)).address).toBe("127.0.0.2");
});

test("membership is in the state before the reply, whatever happens to the process then", async () => {
  const state = new RecordingState();
  const role = new TrackerRole(
    { ...defaultTrackerSettings, addresses: ["127.0.0.1"], port: 0, stopDeadlineMs: 100 },
    {
      network: new NodeNetwork(),
      clock: nodeClock,
      random: nodeRandom(),
      log: new Log("tracker", () => {}),
      state,
      admits: () => true,
    },
  );
  await using harness = await TrackerHarness.start();
  await using tracker = await role.start(new AbortController().signal);
  const port = tracker.listeners[0]?.port ?? 0;
  const client = await harness.client("127.0.0.2", port);
  const saves = state.saves.length;
  await client.call(
    storageJoin,
    harness.join({ trackers: [{ addresses: ["127.0.0.1"], port }], trackerAddress: "127.0.0.1" }),
  );
  expect(state.saves.slice(saves).map(({ durability }) => durability)).toEqual(["flushed"]);
  await client.call(storageBeat, { statistics: undefined });
  expect(state.saves.length).toBe(saves + 1);
});

test("a deleted storage stays away after a restart", async () => {
  await using harness = await TrackerHarness.start();
  (await harness.active("127.0.0.2")).destroy();
  await eventually(() => harness.statusOf("127.0.0.2") === offline);
  const client = await harness.client();
  await client.call(deleteStorage, { group: "group1", id: "127.0.0.2" });
  await harness.stop();
  await using again = await TrackerHarness.start({ database: harness.database });
  expect(again.tracker.snapshot().groups[0]?.storages).toEqual([]);
});

test("a state that cannot be written does not stop the tracker, and is reported", async () => {
  await using harness = await TrackerHarness.start();
  await harness.active("127.0.0.2");
  harness.database.execute("PRAGMA query_only = 1");
  await harness.active("127.0.0.3");
  expect(harness.tracker.snapshot().stateWriteFailures).toBeGreaterThan(0);
  expect(harness.events()).toContain("state-not-saved");
  harness.database.execute("PRAGMA query_only = 0");
  await harness.stop();
  await using again = await TrackerHarness.start({ database: harness.database });
  expect(again.tracker.snapshot().groups[0]?.storages.length).toBe(2);
});

test("a storage that falls silent is offline, and active again with its next beat", async () => {
  await using harness = await TrackerHarness.start({ settings: { checkActiveIntervalMs: 10_000 } });
  const storage = await harness.active("127.0.0.2");
  harness.clock.offsetMs = 11_000;
  // The check runs once a second, by the real clock.
  await eventually(() => harness.statusOf("127.0.0.2") === offline, 4000);
  await beat(storage);
  expect(harness.statusOf("127.0.0.2")).toBe(active);
});

test("who is not admitted is closed without a byte", async () => {
  await using harness = await TrackerHarness.start({
    admits: (address) => address !== "127.0.0.1",
  });
  expect(await raw(harness.port, request(0, 111))).toEqual({
    reply: Buffer.alloc(0),
    closed: true,
  });
  const client = await harness.client("127.0.0.2");
  expect(await client.call(activeTest, undefined)).toBeUndefined();
});

test("odd requests get EINVAL, impossible lengths a closed connection", async () => {
  await using harness = await TrackerHarness.start();
  const invalid = Buffer.from("00000000000000006416", "hex");
  const answer = (bytes: Uint8Array): Promise<unknown> => raw(harness.port, bytes);
  const empty = Buffer.alloc(0);
  expect({
    unknownCommand: await answer(request(0, 200)),
    unusedCommand: await answer(request(3, 80, Buffer.alloc(3))),
    storageCommand: await answer(request(0, 11)),
    activeTestWithBody: await answer(request(1, 111, Buffer.alloc(1))),
    shortGroup: await answer(request(15, 104, Buffer.alloc(15))),
    negativeLength: await answer(request(-1, 101)),
    tooLong: await answer(request(300 * 1024, 101)),
    quit: await answer(request(0, 82)),
  }).toEqual({
    unknownCommand: { reply: invalid, closed: false },
    unusedCommand: { reply: invalid, closed: false },
    storageCommand: { reply: invalid, closed: false },
    activeTestWithBody: { reply: invalid, closed: false },
    shortGroup: { reply: invalid, closed: false },
    negativeLength: { reply: empty, closed: true },
    tooLong: { reply: empty, closed: true },
    quit: { reply: empty, closed: true },
  });
});

test("after a refusal the connection serves on", async () => {
  await using harness = await TrackerHarness.start();
  const two = Buffer.concat([request(0, 200), request(0, 111)]);
  const { reply } = await raw(harness.port, two);
  expect(reply.toString("hex")).toBe("0000000000000000641600000000000000006400");
});

test("connections beyond the limit are refused, those that serve stay", async () => {
  await using harness = await TrackerHarness.start({ settings: { maxConnections: 2 } });
  const first = await harness.client();
  const second = await harness.client();
  await first.call(activeTest, undefined);
  await second.call(activeTest, undefined);
  expect((await raw(harness.port, request(0, 111))).closed).toBe(true);
  expect(await first.call(activeTest, undefined)).toBeUndefined();
  expect(harness.tracker.snapshot().connections).toMatchObject({
    current: 2,
    limit: 2,
    refused: 1,
  });
});

test("requests and failures are counted by command", async () => {
  await using harness = await TrackerHarness.start();
  const client = await harness.client();
  await refusal(client.call(queryStore, undefined));
  await raw(harness.port, request(15, 104, Buffer.alloc(15)));
  const counts = new Map(
    harness.tracker.snapshot().commands.map(({ command, ...count }) => [command, count]),
  );
  expect(counts.get("queryStore")).toEqual({ requests: 1, failures: 1 });
  expect(counts.get("queryStoreInGroup")).toEqual({ requests: 1, failures: 1 });
  expect(counts.get("queryFetch")).toEqual({ requests: 0, failures: 0 });
});

test("a start that was called off listens on nothing, a taken port rejects", async () => {
  await using harness = await TrackerHarness.start();
  const parts = {
    network: new NodeNetwork(),
    random: nodeRandom(),
    clock: nodeClock,
    log: new Log("tracker", () => {}),
    state: new RecordingState(),
    admits: () => true,
  };
  const settings = { ...defaultTrackerSettings, addresses: ["127.0.0.1"], port: harness.port };
  await expect(new TrackerRole(settings, parts).start(AbortSignal.abort())).rejects.toThrowError();
  const signal = new AbortController().signal;
  await expect(new TrackerRole(settings, parts).start(signal)).rejects.toThrowError(/EADDRINUSE/);
});

test("a stop takes no longer than its deadline although a peer does not close", async () => {
  await using harness = await TrackerHarness.start();
  const socket = connect({ port: harness.port, host: "127.0.0.1", allowHalfOpen: true });
  await new Promise((resolve) => socket.once("connect", resolve));
  const begun = performance.now();
  await harness.stop();
  expect(performance.now() - begun).toBeLessThan(1500);
  socket.destroy();
});

test("a disk report of a storage that another one replaced on the same id still counts", async () => {
  await using harness = await TrackerHarness.start();
  const first = await harness.active("127.0.0.2", { id: StorageId("ignored") });
  await harness.active("127.0.0.2");
  const storePaths = [
    { totalMb: 9, freeMb: 4 },
    { totalMb: 9, freeMb: 4 },
  ];
  await first.call(reportDiskUsage, { storePaths });
  expect(harness.tracker.snapshot().groups[0]?.freeMb).toBe(8);
});

test("a cluster at rest writes nothing", async () => {
  const state = new RecordingState();
  await using harness = await TrackerHarness.start({ state });
  const storage = await harness.active("127.0.0.2");
  const peer = await harness.active("127.0.0.3");
  const sources = [{ id: "127.0.0.3", timestamp: 42 }];
  await storage.call(reportSync, { sources });
  harness.flush();
  const saves = state.saves.length;
  await beat(storage);
  await beat(peer);
  await storage.call(reportSync, { sources });
  const path = { totalMb: 10_000, freeMb: 5000 };
  await storage.call(reportDiskUsage, { storePaths: [path, path] });
  harness.flush();
  expect(state.saves.length).toBe(saves);
  await storage.call(reportDiskUsage, { storePaths: [path, { ...path, freeMb: 4999 }] });
  harness.flush();
  expect(state.saves.length).toBe(saves + 1);
});

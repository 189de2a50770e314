import { expect, test } from "vitest";
import { type ReadWriteMode, readWriteMode, storageStatus } from "#model/storage-status.ts";
import type { FrameClient } from "#net/frame-client.ts";
import type { ChangeReport } from "#protocol/fastdfs/change-report.ts";
import { deleteStorage } from "#protocol/fastdfs/tracker-admin.ts";
import {
  queryFetchAll,
  queryStore,
  queryStoreAll,
  queryUpdate,
} from "#protocol/fastdfs/tracker-queries.ts";
import { requestChangelog } from "#protocol/fastdfs/tracker-reports.ts";
import { reportHeld } from "#protocol/peer/report-held.ts";
import { beat, eventually, refusal, TrackerHarness } from "../../../support/tracker-harness.ts";

const group = "group1";
const { active, offline } = storageStatus;
/** A name time far from any clock. */
const then = 1_000_000;

function filename(address: string, seconds: number): string {
  const bytes = Buffer.alloc(20);
  bytes.set(address.split(".").map(Number), 0);
  bytes.writeUInt32BE(seconds, 4);
  bytes.writeUInt32BE(0x80000000, 8);
  return `M00/00/00/${bytes.toString("base64url")}362.txt`;
}

type Held = Readonly<Record<string, number>>;

function report(client: FrameClient, id: string, held: Held): Promise<ChangeReport> {
  return reportAs(client, id, { held, mode: readWriteMode.both });
}

function reportAs(
  client: FrameClient,
  id: string,
  { held, mode }: { readonly held: Held; readonly mode: ReadWriteMode },
): Promise<ChangeReport> {
  const entries = Object.entries(held).map(([source, heldUntil]) => ({ id: source, heldUntil }));
  return client.call(reportHeld, { group, id, ownClock: then, mode, entries });
}

async function readers(client: FrameClient, source: string, seconds: number): Promise<unknown> {
  const query = { group, filename: filename(source, seconds) };
  return (await client.call(queryFetchAll, query)).servers.map(({ address }) => address);
}

test("files are read where they are, by what each storage says that it holds", async () => {
  await using harness = await TrackerHarness.start();
  const [, b, c] = [
    await harness.active("127.0.0.2"),
    await harness.active("127.0.0.3"),
    await harness.active("127.0.0.4"),
  ];
  const client = await harness.client();
  await report(b, "127.0.0.3", { "127.0.0.2": then + 10 });
  await report(c, "127.0.0.4", { "127.0.0.2": then });
  expect(await readers(client, "127.0.0.2", then)).toEqual(["127.0.0.2", "127.0.0.3"]);
  expect(await readers(client, "127.0.0.2", then + 10)).toEqual(["127.0.0.2"]);
  await report(c, "127.0.0.4", { "127.0.0.2": then + 11 });
  expect(await readers(client, "127.0.0.2", then + 10)).toEqual(["127.0.0.2", "127.0.0.4"]);
  // What it does not name any more, it lost.
  await report(c, "127.0.0.4", {});
  expect(await readers(client, "127.0.0.2", then)).toEqual(["127.0.0.2", "127.0.0.3"]);
});

test("files of a storage that was deleted are read and changed where they are known to be", async () => {
  await using harness = await TrackerHarness.start();
  const gone = await harness.active("127.0.0.2");
  const b = await harness.active("127.0.0.3");
  const c = await harness.active("127.0.0.4");
  await report(b, "127.0.0.3", { "127.0.0.2": then, "127.0.0.4": 1 });
  await report(c, "127.0.0.4", { "127.0.0.2": then + 5, "127.0.0.3": 1 });
  gone.destroy();
  await eventually(() => harness.statusOf("127.0.0.2") === offline);
  const client = await harness.client();
  await client.call(deleteStorage, { group, id: "127.0.0.2" });
  // They name living members only from now on.
  await report(b, "127.0.0.3", { "127.0.0.4": 1 });
  await report(c, "127.0.0.4", { "127.0.0.3": 1 });
  expect(await readers(client, "127.0.0.2", then)).toEqual(["127.0.0.4"]);
  const update = { group, filename: filename("127.0.0.2", then) };
  expect((await client.call(queryUpdate, update)).address).toBe("127.0.0.4");
  // Beyond what is known both are named: either fetches what it lacks.
  expect(await readers(client, "127.0.0.2", then + 9)).toEqual(["127.0.0.4", "127.0.0.3"]);
  // A source that nobody has heard of, likewise.
  expect(await readers(client, "127.0.0.99", then)).toEqual(["127.0.0.3", "127.0.0.4"]);
});

test("its answer is that of a beat, and the leader's news reach a storage within a second", async () => {
  await using harness = await TrackerHarness.start();
  const b = await harness.active("127.0.0.3");
  await report(b, "127.0.0.3", {});
  expect(await report(b, "127.0.0.3", {})).toEqual({});
  await harness.active("127.0.0.4");
  const { members } = await report(b, "127.0.0.3", {});
  expect(members?.map(({ id }) => id)).toEqual(["127.0.0.3", "127.0.0.4"]);
});

test("clients are sent only where a storage's own settings let them read, or write", async () => {
  await using harness = await TrackerHarness.start();
  const reporting = [
    ["127.0.0.3", readWriteMode.read],
    ["127.0.0.4", readWriteMode.write],
    ["127.0.0.5", readWriteMode.none],
  ] as const;
  const connections: FrameClient[] = [];
  for (const [address, mode] of reporting) {
    const storage = await harness.active(address);
    connections.push(storage);
    await reportAs(storage, address, { held: { "127.0.0.9": then + 1 }, mode });
  }
  const client = await harness.client();
  const writers = (await client.call(queryStoreAll, undefined)).servers;
  expect(writers.map(({ address }) => address)).toEqual(["127.0.0.4"]);
  expect(await readers(client, "127.0.0.9", then)).toEqual(["127.0.0.3"]);
  const [first] = connections;
  if (first === undefined) throw new Error("three were made");
  await report(first, "127.0.0.3", { "127.0.0.9": then + 1 });
  expect((await client.call(queryStoreAll, undefined)).servers).toHaveLength(2);
});

test("nobody reports for somebody else, or before the join", async () => {
  await using harness = await TrackerHarness.start();
  const b = await harness.active("127.0.0.3");
  expect(await refusal(report(b, "127.0.0.4", {}))).toBe(22);
  expect(await refusal(report(await harness.client("127.0.0.4"), "127.0.0.4", {}))).toBe(13);
});

test("a node that vanishes without a word is routed around within five seconds, and back with its next one", async () => {
  await using harness = await TrackerHarness.start();
  const [b, c] = [await harness.active("127.0.0.3"), await harness.active("127.0.0.4")];
  await report(b, "127.0.0.3", {});
  await report(c, "127.0.0.4", {});
  const client = await harness.client();
  const from = performance.now();
  // C goes on: any message will do.
  const signs = setInterval(() => void c.call(requestChangelog, { storage: undefined }), 1000);
  await eventually(() => harness.statusOf("127.0.0.3") === offline, 6000);
  clearInterval(signs);
  expect(performance.now() - from).toBeLessThan(5000);
  expect(harness.statusOf("127.0.0.4")).toBe(active);
  expect((await client.call(queryStore, undefined)).address).toBe("127.0.0.4");
  await beat(b);
  expect(harness.statusOf("127.0.0.3")).toBe(active);
});

/** The generator against storages that speak through the same declarations, and that misbehave as they are told. */
import { expect, test } from "vitest";
import { FileStock } from "#client/load/file-stock.ts";
import { LoadGenerator, type LoadSettings } from "#client/load/load-generator.ts";
import type { LaneSettings } from "#client/load/load-lane.ts";
import { type LoadOperation, operationFacts } from "#client/load/load-operation.ts";
import { LoadTally } from "#client/load/load-tally.ts";
import type { Endpoint } from "#model/endpoint.ts";
import { FakeCluster } from "../../../support/fake-cluster.ts";
import { freePorts } from "../../../support/free-ports.ts";

type Options = Partial<LoadSettings & LaneSettings>;

function generatorOf(
  cluster: FakeCluster,
  operation: LoadOperation,
  options: Options = {},
): LoadGenerator {
  const place = ({ address, port }: Endpoint): Endpoint => ({ address, port });
  const { server } = operationFacts[operation];
  return new LoadGenerator({
    network: cluster.network,
    clock: cluster.clock,
    operation,
    servers: server === "tracker" ? cluster.trackerEndpoints : cluster.storages.map(place),
    stock: new FileStock(100),
    connections: 4,
    fresh: false,
    checksums: false,
    timeoutMs: 5000,
    maxStoredBytes: 2 ** 30,
    seed: 1,
    ...options,
  });
}

async function load(
  cluster: FakeCluster,
  operation: LoadOperation,
  options: Options & { readonly count: number },
): Promise<LoadTally> {
  const { count, ...settings } = options;
  const generator = generatorOf(cluster, operation, settings);
  await generator.open();
  try {
    return await generator.run({ count, durationMs: 20_000 });
  } finally {
    generator.close();
  }
}

function summary({ succeeded, bytes, failures, endedBy, unanswered }: LoadTally) {
  return { succeeded, bytes, failed: Object.fromEntries(failures.entries()), endedBy, unanswered };
}

const good = (succeeded: number, bytes = 0) => ({
  ...{ succeeded, bytes, failed: {}, endedBy: "count", unanswered: 0 },
});

test("every operation is done as often as was asked for", async () => {
  await using cluster = await FakeCluster.start();
  const stock = new FileStock(100);
  const of = async (operation: LoadOperation) =>
    summary(await load(cluster, operation, { stock, count: 40, checksums: true }));
  expect(await of("upload")).toEqual(good(40, 4000));
  expect(cluster.storage.files.size).toBe(40);
  expect(await of("download")).toEqual(good(40, 4000));
  expect(await of("info")).toEqual(good(40));
  expect(await of("set-metadata")).toEqual(good(40));
  expect(await of("get-metadata")).toEqual(good(40));
  expect(await of("query-store")).toEqual(good(40));
  expect(await of("query-fetch")).toEqual(good(40));
  expect(await of("ping")).toEqual(good(40));
  expect(await of("delete")).toEqual(good(40));
  expect([cluster.storage.files.size, stock.count]).toEqual([0, 0]);
});

test("times are those of whole operations, and a connection can be opened for each", async () => {
  await using cluster = await FakeCluster.start();
  const stock = new FileStock(100);
  await load(cluster, "upload", { stock, count: 20 });
  const tally = await load(cluster, "download", { stock, count: 50, fresh: true });
  expect(summary(tally)).toEqual(good(50, 5000));
  expect(tally.latency.count).toBe(50);
  expect(tally.latency.maxMs).toBeLessThanOrEqual(tally.elapsedMs);
  expect(tally.latency.meanMs).toBeGreaterThan(0);
});

test("content of any size arrives whole and comes back whole", async () => {
  await using cluster = await FakeCluster.start();
  for (const sizeBytes of [1, 65_536, 65_537, 3_000_000]) {
    const stock = new FileStock(sizeBytes);
    const options = { stock, count: 6, checksums: true };
    expect(summary(await load(cluster, "upload", options))).toEqual(good(6, 6 * sizeBytes));
    expect(summary(await load(cluster, "download", options))).toEqual(good(6, 6 * sizeBytes));
  }
  const contents = [...cluster.storage.files.values()].map(({ bytes }) => bytes.toString("base64"));
  const large = contents.filter((text) => text.length > 10);
  expect(new Set(large).size).toBe(large.length);
});

test("each storage is asked for the files that it took", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 2 } });
  for (const storage of cluster.storages) storage.faults.alone = true;
  const stock = new FileStock(100);
  await load(cluster, "upload", { stock, count: 40 });
  expect([stock.countOf(0), stock.countOf(1)].every((count) => count > 0)).toBe(true);
  expect(summary(await load(cluster, "download", { stock, count: 40 }))).toEqual(good(40, 4000));
  expect((await load(cluster, "delete", { stock, count: 40 })).succeeded).toBe(40);
});

test("a run ends when its time is over, and another one can follow over the same connections", async () => {
  await using cluster = await FakeCluster.start();
  const generator = generatorOf(cluster, "ping");
  await generator.open();
  const first = await generator.run({ durationMs: 100 });
  const second = await generator.run({ durationMs: 100 });
  expect([first.endedBy, second.endedBy]).toEqual(["duration", "duration"]);
  expect(first.elapsedMs).toBeGreaterThanOrEqual(100);
  expect(second.succeeded).toBeGreaterThan(0);
  expect(cluster.storage.connections).toBe(4);
  generator.close();
});

test("deletions end with the files, uploads with the space", async () => {
  await using cluster = await FakeCluster.start();
  const stock = new FileStock(100);
  const uploads = await load(cluster, "upload", { stock, count: 1000, maxStoredBytes: 2000 });
  expect([uploads.endedBy, uploads.succeeded]).toEqual(["space", 20]);
  const deletions = await load(cluster, "delete", { stock, count: 1000 });
  expect([deletions.endedBy, deletions.succeeded]).toEqual(["files", 20]);
});

test("failures are counted by their status, and files that could not be deleted are not forgotten", async () => {
  await using cluster = await FakeCluster.start();
  const stock = new FileStock(100);
  await load(cluster, "upload", { stock, count: 20 });
  cluster.storage.faults.failEverySecond = 28;
  const tally = await load(cluster, "delete", { stock, count: 20, connections: 1 });
  expect(summary(tally)).toMatchObject({ succeeded: 10, failed: { "status 28 (no space)": 10 } });
  expect([stock.count, stock.asideCount]).toEqual([0, 10]);
});

test("a refusal before the content was sent costs one operation, also where it closes the connection", async () => {
  await using cluster = await FakeCluster.start();
  for (const status of [28, 22]) {
    cluster.storage.faults.refuseUploads = status;
    const stock = new FileStock(2_000_000);
    const tally = await load(cluster, "upload", { stock, count: 8 });
    expect(tally.succeeded).toBe(0);
    expect(tally.failures.entries().map(([words]) => words)).toEqual([
      expect.stringContaining(`status ${status}`),
    ]);
    expect(tally.failures.total).toBe(8);
  }
});

test("content that comes back damaged or short is a failure", async () => {
  await using cluster = await FakeCluster.start();
  const stock = new FileStock(100);
  await load(cluster, "upload", { stock, count: 4 });
  cluster.storage.faults.corrupt = true;
  const damaged = await load(cluster, "download", { stock, count: 4, checksums: true });
  expect(summary(damaged).failed).toEqual({ "wrong content": 4 });
  const other = new FileStock(99);
  other.add(0, stock.use(0) as Buffer);
  const short = await load(cluster, "download", { stock: other, count: 4 });
  expect(summary(short).failed).toEqual({ "wrong length": 4 });
  const told = await load(cluster, "info", { stock: other, count: 4 });
  expect(summary(told).failed).toEqual({ "wrong length": 4 });
});

test("an upload whose answer is lost may have left a file, which is told", async () => {
  await using cluster = await FakeCluster.start();
  cluster.storage.faults.dropReplies = true;
  const tally = await load(cluster, "upload", { count: 8 });
  expect(tally.succeeded).toBe(0);
  expect(tally.failures.total).toBe(8);
  expect(tally.unanswered).toBe(8);
});

test("a server that never answers costs each operation its time limit", async () => {
  await using cluster = await FakeCluster.start();
  cluster.storage.faults.silent = true;
  const stock = new FileStock(100);
  const tally = await load(cluster, "upload", { stock, count: 4, timeoutMs: 300 });
  expect(summary(tally).failed).toEqual({ "no answer within 300 ms": 4 });
});

test("a server that vanishes is given up after a while", async () => {
  await using cluster = await FakeCluster.start();
  const generator = generatorOf(cluster, "ping");
  await generator.open();
  const running = generator.run({ durationMs: 20_000 });
  await new Promise((resolve) => setTimeout(resolve, 100));
  await cluster.storage.stop();
  const tally = await running;
  generator.close();
  expect(tally.endedBy).toBe("lost");
  expect(tally.elapsedMs).toBeLessThan(15_000);
  expect(summary(tally).failed["connection refused"]).toBeGreaterThan(0);
});

test("a server that was never there is given up, too", async () => {
  await using cluster = await FakeCluster.start();
  const [port = 0] = await freePorts(1);
  const servers = [{ address: "127.0.0.1", port }];
  const tally = await load(cluster, "ping", { servers, count: 1000 });
  expect(summary(tally)).toMatchObject({ succeeded: 0, endedBy: "lost" });
});

test("an interruption lets operations end, but not for long", async () => {
  await using cluster = await FakeCluster.start();
  const stock = new FileStock(100);
  const interrupt = new AbortController();
  const generator = generatorOf(cluster, "upload", { stock });
  await generator.open();
  const running = generator.run({ signal: interrupt.signal });
  await new Promise((resolve) => setTimeout(resolve, 100));
  interrupt.abort();
  const tally = await running;
  expect(summary(tally)).toMatchObject({ failed: {}, endedBy: "interrupt" });
  expect(stock.count).toBe(cluster.storage.files.size);
  cluster.storage.faults.silent = true;
  const stuckInterrupt = new AbortController();
  const stuck = generator.run({ signal: stuckInterrupt.signal });
  await new Promise((resolve) => setTimeout(resolve, 100));
  stuckInterrupt.abort();
  expect(summary(await stuck)).toMatchObject({ failed: { interrupted: 4 }, unanswered: 4 });
  generator.close();
});

test("tallies of several runs add up", () => {
  const [one, other] = [new LoadTally(), new LoadTally()];
  one.succeeded = 1;
  other.succeeded = 2;
  other.endedBy = "lost";
  other.failures.count("x");
  one.add(other);
  expect(summary(one)).toMatchObject({ succeeded: 3, failed: { x: 1 }, endedBy: "lost" });
});

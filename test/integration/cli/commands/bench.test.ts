/**
 * Measuring clusters: one that keeps its files in memory and misbehaves as it is told, and a real node. Steps are as short as
 * they can be; what matters is that figures are counted, that all is told, and that nothing is left behind.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FakeCluster } from "../../../support/fake-cluster.ts";
import { FakeDaemon } from "../../../support/fake-daemon.ts";
import { LiveNode, storable } from "../../../support/live-node.ts";
import { TestWorld } from "../../../support/test-world.ts";

const brief = ["--count", "40", "--warm-up", "0s"] as const;
const small = ["--sizes", "1KiB", "--connections", "4", ...brief] as const;

interface Report {
  readonly interrupted: boolean;
  readonly machine: { readonly cpuCount: number };
  readonly targets: readonly Readonly<Record<string, unknown>>[];
  readonly steps: readonly {
    readonly name: string;
    readonly targets: readonly {
      readonly target: string;
      readonly durability: string;
      readonly figures?: Readonly<Record<string, unknown>>;
      readonly rounds: readonly unknown[];
      readonly skipped?: string;
    }[];
  }[];
}

function reportOf(world: TestWorld, name: string): Report {
  return JSON.parse(readFileSync(world.path(name), "utf8")) as Report;
}

test("each step has its line, both files are written, and nothing is left in the cluster", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  const operations =
    "upload,download,info,set-metadata,get-metadata,delete,query-store,query-fetch,ping";
  const files = ["--json-file", "out.json", "--svg", "out.svg"];
  const words = ["--operations", operations, "--durability", "in memory", "--label", "fake"];
  const { code, text, errors } = await world.run("bench", ...small, ...words, ...files);
  expect([code, errors.includes("error")]).toEqual([0, false]);
  const names = operations.split(",").map((name) => {
    const sizeless = name === "query-store" || name === "ping";
    return `${name}${sizeless ? "" : " 1KiB"} x4`;
  });
  for (const name of names)
    expect(text).toMatch(new RegExp(`^${name} +fake .* in memory +unknown$`, "m"));
  const report = reportOf(world, "out.json");
  expect(report.steps.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
  for (const step of report.steps) {
    expect(step.targets[0]?.figures).toMatchObject({ operations: 40, failed: 0, endedBy: "count" });
  }
  expect(report.machine.cpuCount).toBe(2);
  expect(readFileSync(world.path("out.svg"), "utf8")).toMatch(/^<svg .*<\/svg>\n$/s);
  expect(cluster.storage.files.size).toBe(0);
});

test("programs get the same on standard output", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  const report = (await world.json("bench", ...small, "--operations", "upload")) as Report;
  expect(report.steps.map(({ name }) => name)).toEqual(["upload 1KiB x4"]);
  expect(report.targets).toMatchObject([{ name: "cluster", durability: "unknown" }]);
});

test("targets take turns, each round on each, and are compared with the last one", async () => {
  await using first = await FakeCluster.start();
  await using second = await FakeCluster.start();
  const world = new TestWorld();
  const target = (name: string, cluster: FakeCluster): string =>
    `--target=${name}=storage=127.0.0.1:${cluster.storage.port},pid=${process.pid},durability=${name}s`;
  const { code, errors, text } = await world.run(
    ...["bench", target("a", first), target("b", second), "--step", "upload:1KiB:2"],
    ...["--step", "query-store:1", "--rounds", "2", ...brief, "--json-file", "out.json"],
  );
  expect(code).toBe(0);
  const turns = [...errors.matchAll(/round (\d) of 2, (\w)/g)].map(([, round, name]) => [
    name,
    round,
  ]);
  expect(turns).toEqual([
    ["a", "1"],
    ["b", "1"],
    ["a", "2"],
    ["b", "2"],
  ]);
  expect(text).toMatch(/^upload 1KiB x2 +a .* as +unknown$/m);
  const { steps } = reportOf(world, "out.json");
  expect(steps).toHaveLength(1);
  expect(steps[0]?.targets.map(({ rounds }) => rounds.length)).toEqual([2, 2]);
  expect(steps[0]?.targets[0]?.figures?.peakBytes).toBeGreaterThan(1e6);
  expect([first.storage.files.size, second.storage.files.size]).toEqual([0, 0]);
});

test("what fails is counted and said in words, and the code is 1", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  cluster.storage.faults.failEverySecond = 28;
  const { code, text } = await world.run("bench", ...small, "--operations", "upload");
  expect(code).toBe(1);
  expect(text).toMatch(/upload 1KiB x4, cluster: \d+ failed: status 28 \(no space\)/);
});

test("files that cannot be deleted are told", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  const running = world.run("bench", ...small, "--operations", "upload", "--rounds", "1");
  cluster.storage.faults.failEverySecond = 16;
  const { errors } = await running;
  const left = cluster.storage.files.size;
  expect(left).toBeGreaterThan(0);
  expect(errors).toContain(`${left} files that the benchmark stored are left on cluster`);
});

test("a server that vanishes is given up, what was measured is told, and the code is 69", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  const running = world.run(
    ...["bench", "--step", "ping:2", "--step", "upload:1KiB:2", "--step", "info:1KiB:2"],
    ...["--duration", "20s", "--warm-up", "0s"],
  );
  await new Promise((resolve) => setTimeout(resolve, 500));
  await cluster.storage.stop();
  const { code, text, errors } = await running;
  expect(code).toBe(69);
  expect(errors).toContain("cluster is given up: connection refused");
  expect(text).toContain("ping x2, cluster: ended early, because the server could not be reached");
  expect(text).not.toContain("info");
});

test("Ctrl-C ends it, takes the files away and tells what was measured", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  const running = world.run(
    ...["bench", "--step", "ping:1", "--step", "upload:1KiB:4", "--duration", "300ms"],
    ...["--warm-up", "0s", "--rounds", "2"],
  );
  while (!cluster.storage.asked.includes("uploadFile")) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  world.terminal.interrupt();
  const { code, text } = await running;
  expect(code).toBe(130);
  expect(text).toMatch(/^ping x1 +cluster/m);
  expect(cluster.storage.files.size).toBe(0);
});

test("a result that could not be written fails before anything is measured", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  const { code, errors } = await world.run("bench", ...small, "--svg", "nowhere/out.svg");
  expect([code, errors]).toEqual([66, expect.stringContaining("no such file or directory")]);
  expect(cluster.storage.asked).toEqual([]);
});

test("--keep leaves the files", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  const { code } = await world.run("bench", ...small, "--operations", "upload", "--keep");
  expect([code, cluster.storage.files.size]).toEqual([0, 40]);
});

test("deletions share the files that there are; where there are too few some are stored", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  const { code } = await world.run(
    ...["bench", "--step", "delete:1KiB:2", "--step", "delete:1KiB:4", "--rounds", "2"],
    ...["--count", "30", "--json-file", "out.json"],
  );
  expect([code, cluster.storage.files.size]).toEqual([0, 0]);
  const counts = reportOf(world, "out.json").steps.map(
    (step) => step.targets[0]?.figures?.operations,
  );
  expect(counts).toEqual([60, 60]);
});

test("servers of other machines are loaded only when somebody says so", async () => {
  const { code, errors } = await new TestWorld().run("bench", "--storage", "192.0.2.7", ...small);
  expect(code).toBe(2);
  expect(errors).toContain("Load cluster (192.0.2.7:23000) as hard as this machine can?");
  expect(errors).toContain("say --yes");
});

test("an empty cluster, and a socket without a daemon, are told at once", async () => {
  await using cluster = await FakeCluster.start();
  cluster.tracker.faults.refuse = 2;
  const world = new TestWorld(cluster);
  const empty = await world.run("bench", ...small);
  expect([empty.code, empty.errors]).toEqual([69, expect.stringContaining("names no storage")]);
  const nobody = await world.run("bench", "--target", "a=socket=none.sock");
  expect([nobody.code, nobody.errors]).toEqual([69, expect.stringContaining("no daemon answers")]);
});

test("the daemon of this machine is asked when it is the target, and only then", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  await using daemon = await FakeDaemon.start(world.path("sock"));
  const setting = (key: string, value: string) => ({
    ...{ key, value, origin: "built-in", unit: "", says: "It." },
    applies: "now" as const,
  });
  daemon.settings = [setting("storage.durability", '"flushed"')];
  const role = { name: "storage", state: "serving" as const, connections: undefined };
  const rest = ["--operations", "ping", "--connections", "1", ...brief];
  world.environment.CAIRN_SOCKET = world.path("sock");
  const other = (await world.json("bench", ...rest)) as Report;
  expect(other.targets).toMatchObject([{ durability: "unknown", processes: [] }]);
  const endpoints = [`0.0.0.0:${cluster.storage.port}`];
  daemon.status = {
    ...daemon.status,
    processId: process.pid,
    roles: [{ ...role, endpoints }],
    storePaths: daemon.status.storePaths.map((path) => ({
      ...path,
      directory: "/proc",
      packing: "leased" as const,
    })),
  };
  // The tracker is another one than the daemon's, so the storage must do.
  const storage = ["--storage", `127.0.0.1:${cluster.storage.port}`];
  const own = (await world.json("bench", ...rest, ...storage)) as Report;
  expect(own.targets).toMatchObject([
    {
      durability: "flushed, packed",
      fileSystem: "proc",
      processes: [process.pid],
      version: "Cairn 1.2.3",
    },
  ]);
});

test("a node that is named by its socket must be the target", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  await using _daemon = await FakeDaemon.start(world.path("sock"));
  const tracker = `127.0.0.1:${cluster.tracker.port}`;
  const found = await world.run("bench", ...small, "--socket", "sock", "--tracker", tracker);
  expect([found.code, found.errors]).toEqual([
    2,
    expect.stringContaining("the node at sock does not serve the address of cluster"),
  ]);
});

test("a real node is measured with all that can be known of it", async () => {
  await using node = await LiveNode.start(() => ["storage.durability=relaxed"]);
  await storable(node.tracker);
  const world = new TestWorld();
  const report = (await world.json(
    ...["bench", `--target=live=socket=${join(node.folder, "cairn.sock")}`, "--verify"],
    ...["--operations", "upload,download,info,set-metadata,get-metadata,delete,query-store"],
    ...["--sizes", "4KiB,300KiB", "--connections", "1,16", "--duration", "100ms"],
    ...["--warm-up", "20ms"],
  )) as Report;
  expect(report.targets).toMatchObject([
    { name: "live", processes: [node.process.pid], durability: expect.stringContaining("relaxed") },
  ]);
  expect(report.targets[0]?.fileSystem).not.toBe("unknown");
  expect(report.steps).toHaveLength(2 * (6 + 3 + 1));
  for (const step of report.steps) {
    expect([step.name, step.targets[0]?.figures]).toMatchObject([step.name, { failed: 0 }]);
    expect(step.targets[0]?.figures?.operations).toBeGreaterThan(0);
    expect(step.targets[0]?.figures?.peakBytes).toBeGreaterThan(1e7);
  }
}, 60_000);

/** What a run needs beside the command: finding targets, keeping files for later steps, its report. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { benchReport } from "#cli/bench/bench-report.ts";
import { BenchRun, type BenchSettings } from "#cli/bench/bench-run.ts";
import { parseStep, stepName } from "#cli/bench/bench-step.ts";
import {
  type BenchTarget,
  findTarget,
  isLocalAddress,
  placesOf,
  type TargetWorld,
} from "#cli/bench/bench-target.ts";
import { FileWork } from "#cli/bench/file-work.ts";
import { parseTarget } from "#cli/bench/target-spec.ts";
import type { ControlClient } from "#cli/control-client.ts";
import { showConfig, status } from "#control/operations/system.ts";
import { nodeLocalFiles } from "#platform/node/node-local-files.ts";
import { benchTarget, figures, stepResult } from "../../../support/bench-results.ts";
import { FakeCluster } from "../../../support/fake-cluster.ts";

const settings: BenchSettings = {
  steps: [parseStep("upload:1KiB:2"), parseStep("download:1KiB:2"), parseStep("info:2KiB:2")],
  rounds: 2,
  durationMs: undefined,
  count: 20,
  warmUpMs: 50,
  checksums: true,
  keep: false,
  maxStoredBytes: 2 ** 20,
  timeoutMs: 5000,
};

function targetOf(cluster: FakeCluster): BenchTarget {
  const { address, port } = cluster.storage;
  return benchTarget("a", { storages: [{ address, port }], processes: [] });
}

test("files of one size are there until no step wants them, then they are deleted", async () => {
  await using cluster = await FakeCluster.start();
  const seen: string[] = [];
  const run = new BenchRun([targetOf(cluster)], settings, {
    network: cluster.network,
    clock: cluster.clock,
    files: nodeLocalFiles,
    signal: new AbortController().signal,
    progress: (text) =>
      seen.push(`${text.replace(/: \d+ op.*/, "")}, ${cluster.storage.files.size}`),
    warn: (text) => seen.push(text),
  });
  const results = await run.run();
  expect(results.map(({ step }) => stepName(step))).toEqual(settings.steps.map(stepName));
  expect(results.every(({ targets }) => targets[0]?.figures?.operations === 40)).toBe(true);
  const stored = 2 * 21;
  // A step that reads fills up to a thousand files, as far as the space allows.
  expect(seen).toEqual([
    `[1/3] upload 1KiB x2, round 1 of 2, a, 21`,
    `[1/3] upload 1KiB x2, round 2 of 2, a, ${stored}`,
    ...[1, 2].map((round) => `[2/3] download 1KiB x2, round ${round} of 2, a, 1000`),
    "deleting 1000 files on a, 1000",
    ...[1, 2].map((round) => `[3/3] info 2KiB x2, round ${round} of 2, a, 512`),
    "deleting 512 files on a, 512",
  ]);
  expect([cluster.storage.files.size, run.lostOne]).toEqual([0, false]);
});

test("each round of uploads has room, however little was allowed", async () => {
  await using cluster = await FakeCluster.start();
  const few = { ...settings, steps: [parseStep("upload:100KiB:2")], count: 1000, rounds: 3 };
  const run = new BenchRun(
    [targetOf(cluster)],
    { ...few, warmUpMs: 0, maxStoredBytes: 80 * 1024 * 1024 },
    {
      network: cluster.network,
      clock: cluster.clock,
      files: nodeLocalFiles,
      signal: new AbortController().signal,
      progress: () => {},
      warn: () => {},
    },
  );
  const [result] = await run.run();
  const rounds = result?.targets[0]?.rounds ?? [];
  expect(rounds.map(({ endedBy }) => endedBy)).toEqual(["space", "space", "space"]);
  for (const { operations } of rounds) expect(operations).toBeGreaterThan(600);
  expect(cluster.storage.files.size).toBe(0);
});

test("files that were put aside are tried again at the end", async () => {
  await using cluster = await FakeCluster.start();
  const { network, clock } = cluster;
  const signal = new AbortController().signal;
  const options = { ...settings, network, clock, signal, seed: 1, progress: () => {} };
  const work = new FileWork(targetOf(cluster), options);
  const step = parseStep("delete:1KiB:1");
  expect(await work.prepare(step, 1)).toBe(22);
  cluster.storage.faults.failEverySecond = 5;
  const generator = work.generator(step);
  await generator.run({ count: 10 });
  generator.close();
  expect(work.stockOf(step).asideCount).toBe(5);
  delete cluster.storage.faults.failEverySecond;
  expect(await work.clean(1024, false)).toBe(0);
  expect(cluster.storage.files.size).toBe(0);
});

test("an address is of this machine when an interface has it", () => {
  const network = {
    addresses: () => [
      {
        ...{ interfaceName: "eth0", prefixLength: 24, internal: false },
        address: "10.0.0.5",
        family: 4 as const,
      },
    ],
  };
  const local = ["127.0.0.9", "::1", "localhost", "10.0.0.5", "10.0.0.6", "nas"].map((address) =>
    isLocalAddress(address, network),
  );
  expect(local).toEqual([true, true, true, true, false, false]);
});

function worldOf(answers: Readonly<Record<string, unknown>> | undefined): TargetWorld {
  const ask = async (operation: { readonly name: string }): Promise<unknown> => {
    if (answers === undefined) throw new AppError("daemon-unreachable", "nobody");
    return answers[operation.name];
  };
  return {
    network: { addresses: () => [] },
    files: {
      fileSystemOf: async (path) => {
        if (path === "/gone") throw new Error("gone");
        const type = path === "/ram" ? "tmpfs" : "ext4";
        const source = path === "/ram" ? "tmpfs" : "/dev/sda1";
        const space = { totalBytes: 1, freeBytes: 1, freeInodes: 1, device: 1 };
        return { type, source, mountPoint: "/", ...space };
      },
    },
    controlClient: () => ({ ask }) as unknown as ControlClient,
    writers: async () => [{ address: "127.0.0.1", port: 23000 }],
    signal: new AbortController().signal,
  };
}

const path = {
  index: 0,
  state: "online",
  readOnly: false,
  totalBytes: 1,
  freeBytes: 1,
  packing: "leased",
};
const node = {
  [status.name]: {
    version: "0.2.0",
    processId: 77,
    roles: [
      { name: "tracker", endpoints: ["0.0.0.0:22122", "[::]:22122"] },
      { name: "storage", endpoints: ["[::]:23000"] },
    ],
    storePaths: ["/disk0", "/disk1", "/ram", "/gone"].map((directory) => ({ ...path, directory })),
  },
  [showConfig.name]: {
    settings: [
      { key: "storage.durability", value: '"relaxed"' },
      { key: "storage.dedup", value: "true" },
    ],
  },
};

test("a node tells by its socket where it is and what its figures mean", async () => {
  const found = await findTarget(parseTarget("a=socket=x"), worldOf(node));
  expect(found).toEqual({
    name: "a",
    trackers: [{ address: "127.0.0.1", port: 22122 }],
    storages: [{ address: "127.0.0.1", port: 23000 }],
    processes: [77],
    durability: "relaxed, packed, dedup",
    fileSystem: "ext4 on /dev/sda1 and tmpfs",
    version: "Cairn 0.2.0",
  });
  expect(placesOf(found)).toBe("127.0.0.1:23000");
});

test("a node without a tracker is loaded at its storage, and what somebody says wins", async () => {
  const roles = [{ name: "storage", endpoints: ["[::]:23000"] }];
  const alone = { ...node, [status.name]: { ...(node[status.name] as object), roles } };
  const spec = parseTarget("a=socket=x,pid=5,durability=odd,store-path=/ram");
  expect(await findTarget(spec, worldOf(alone))).toMatchObject({
    trackers: [],
    storages: [{ address: "::1", port: 23000 }],
    processes: [5],
    durability: "odd",
    fileSystem: "tmpfs",
  });
  const none = { ...node, [status.name]: { ...(node[status.name] as object), roles: [] } };
  await expect(findTarget(parseTarget("a=socket=x"), worldOf(none))).rejects.toThrow(
    "a has no storage that takes new files",
  );
});

test("of a foreign server nothing is known but what is said", async () => {
  const spec = parseTarget("c=tracker=127.0.0.1:9,store-path=/gone");
  for (const world of [worldOf(undefined), worldOf(node)]) {
    expect(await findTarget(spec, world)).toMatchObject({
      trackers: [{ address: "127.0.0.1", port: 9 }],
      processes: [],
      durability: "unknown",
      fileSystem: "unknown",
      version: undefined,
    });
  }
});

test("the report has settings, machine, targets and every round", () => {
  const report = benchReport({
    version: "0.2.0",
    startedMs: 0,
    interrupted: false,
    machine: { cpu: "x", cpuCount: 2, memoryBytes: 1, system: "Linux", node: "26.10.0" },
    settings,
    targets: [benchTarget("a")],
    results: [stepResult("upload:1KiB:2", { a: figures(), b: undefined })],
  });
  expect(report).toMatchObject({
    format: 1,
    cairn: "0.2.0",
    startedAt: "1970-01-01T00:00:00.000Z",
    loop: "closed",
    settings: { rounds: 2, steps: ["upload 1KiB x2", "download 1KiB x2", "info 2KiB x2"] },
    targets: [{ name: "a", trackers: ["127.0.0.1:22122"], storages: ["127.0.0.1:23000"] }],
    steps: [
      {
        name: "upload 1KiB x2",
        operation: "upload",
        targets: [
          { target: "a", durability: "flushed", fileSystem: "ext4 on /dev/sda1" },
          { target: "b", durability: "unknown", skipped: "no tracker is known" },
        ],
      },
    ],
  });
});

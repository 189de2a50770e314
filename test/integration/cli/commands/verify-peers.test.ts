/** Comparing with peers because somebody asked for it. */
import { expect, test } from "vitest";
import type { NodeStatus } from "#control/operations/system.ts";
import { FakeDaemon } from "../../../support/fake-daemon.ts";
import { TestWorld } from "../../../support/test-world.ts";

type Comparison = NonNullable<NodeStatus["comparison"]>;

const ended: Comparison = {
  ...{ state: "waiting", rounds: 3, progressPercent: 100, files: 40, found: 5, repaired: 5 },
  ...{ failed: 0, nameless: 0, lastEnded: 7, next: 0 },
};

test("it waits until the round has ended, and says what was found; status says how far it is", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  daemon.verify = () => ({ started: true, round: 3 });
  const running: Comparison = {
    ...ended,
    state: "running",
    rounds: 2,
    peer: "10.0.0.2",
    repaired: 1,
  };
  const recovery: NonNullable<NodeStatus["recoveries"]>[number] = {
    ...{ storePath: 1, state: "fetching", source: "10.0.0.2", began: 7, files: 30, bytes: 300 },
    ...{ filesTotal: 100, failed: 0, bytesPerSecond: 1024 ** 2, remainingSeconds: 70 },
  };
  daemon.status = { ...daemon.status, comparison: running, recoveries: [recovery] };
  const command = world.run("verify", "peers", "--socket", "sock");
  const { text: status } = await world.run("status", "--socket", "sock");
  expect(status).toMatch(
    /^comparing with +10\.0\.0\.2: 100 % looked through, 5 different, 1 repaired$/m,
  );
  expect(status).toMatch(/^filling path 1 +30 of 100 files, 1\.0 MiB\/s, /m);
  daemon.status = { ...daemon.status, comparison: ended };
  const { code, text } = await command;
  expect(code).toBe(0);
  for (const line of [/^files +40$/m, /^different +5$/m, /^repaired +5$/m, /^not repaired +0$/m]) {
    expect(text).toMatch(line);
  }
});

test("what could not be repaired shows in the exit code; a node that began anew is told; one need not wait", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  daemon.verify = () => ({ started: true, round: 3 });
  const failed = { ...ended, failed: 1, problem: "M00/…: damaged", nameless: 2 };
  daemon.status = { ...daemon.status, comparison: failed };
  expect(await world.run("verify", "peers", "--socket", "sock")).toMatchObject({ code: 65 });
  daemon.status = { ...daemon.status, comparison: { ...ended, rounds: 0 } };
  expect((await world.run("verify", "peers", "--socket", "sock")).errors).toContain("started anew");
  const { code, errors } = await world.run("verify", "peers", "--no-wait", "--socket", "sock");
  expect({ code, errors }).toEqual({ code: 0, errors: "begun\n" });
});

test("of a mirror both halves are waited for and told", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  daemon.verify = () => ({ started: true, round: 3, mirror: { started: true, round: 2 } });
  const half = {
    half: "second",
    endpoint: "10.0.0.1:23001",
    trackers: [],
    storePaths: [],
  } as const;
  const second = { ...ended, rounds: 1, state: "running", files: 41 } as const;
  daemon.status = { ...daemon.status, comparison: ended, mirror: { ...half, comparison: second } };
  const running = world.run("verify", "peers", "--socket", "sock");
  await new Promise((resolve) => setTimeout(resolve, 100));
  const failed = { ...ended, rounds: 2, files: 41, failed: 1 };
  daemon.status = { ...daemon.status, mirror: { ...half, comparison: failed } };
  const { code, text } = await running;
  expect(code).toBe(65);
  expect(text).toMatch(
    /first half of the mirror\nfiles +40\n.*second half of the mirror\nfiles +41\n/s,
  );
});

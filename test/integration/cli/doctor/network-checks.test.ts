/** The daemon, its ports, its trackers. */
import { expect, test } from "vitest";
import { ControlClient } from "#cli/control-client.ts";
import { checkDaemon, checkPorts, checkTrackers } from "#cli/doctor/network-checks.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { clientOf } from "../../../support/client.ts";
import { defaultConfig } from "../../../support/config.ts";
import { FakeCluster } from "../../../support/fake-cluster.ts";
import { FakeDaemon } from "../../../support/fake-daemon.ts";
import { TestWorld } from "../../../support/test-world.ts";

const network = new NodeNetwork();
const { signal } = new AbortController();

test("a daemon that is well, one that is not, and none", async () => {
  const path = new TestWorld().path("sock");
  const client = new ControlClient({ network, clock: nodeClock, path });
  expect(await checkDaemon(client, signal)).toMatchObject({
    finding: { verdict: "unknown" },
    status: undefined,
  });
  await using daemon = await FakeDaemon.start(path);
  expect(await checkDaemon(client, signal)).toEqual({
    finding: { check: "daemon", verdict: "good", finding: "version 1.2.3 is ready" },
    status: daemon.status,
  });
  daemon.status = { ...daemon.status, state: "degraded", problems: ["Disk 0 is full."] };
  expect((await checkDaemon(client, signal)).finding).toMatchObject({
    verdict: "warning",
    advice: "Disk 0 is full.",
  });
});

test("ports are free, in use, ours, or at an address that is not here", async () => {
  await using cluster = await FakeCluster.start();
  const { port } = cluster.tracker;
  const config = (address: string, changes = {}) =>
    defaultConfig({
      node: { bind: [address], roles: ["tracker"] },
      tracker: { port },
      ...changes,
    });
  const verdicts = async (...call: Parameters<typeof checkPorts>) =>
    (await checkPorts(...call)).map((finding) => finding.verdict);
  expect(await verdicts(network, config("127.0.0.1"), undefined)).toEqual(["bad"]);
  const path = new TestWorld().path("sock");
  await using daemon = await FakeDaemon.start(path);
  const [role] = daemon.status.roles;
  const ours = { ...daemon.status, roles: [{ ...role, endpoints: [`127.0.0.1:${port}`] }] };
  expect(await verdicts(network, config("127.0.0.1"), ours as never)).toEqual(["good"]);
  await cluster.tracker.stop();
  expect(await verdicts(network, config("127.0.0.1"), undefined)).toEqual(["good"]);
  const [elsewhere] = await checkPorts(network, config("192.0.2.1"), undefined);
  expect([elsewhere?.verdict, elsewhere?.advice]).toEqual([
    "bad",
    expect.stringContaining("node.bind"),
  ]);
  const any = config("127.0.0.1", { tracker: { port: 0 } });
  expect(await checkPorts(network, any, undefined)).toEqual([]);
});

test("trackers that answer, and those that do not", async () => {
  await using cluster = await FakeCluster.start({ trackers: 2 });
  await cluster.trackers[1]?.stop();
  await using client = clientOf(cluster);
  const findings = await checkTrackers(client, signal);
  expect(findings.map(({ verdict }) => verdict)).toEqual(["good", "bad"]);
});

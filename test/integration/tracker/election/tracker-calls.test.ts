import { expect, test } from "vitest";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { TrackerCalls } from "#tracker/election/tracker-calls.ts";
import { trackerQuestionTimeoutMs } from "#tracker/limits.ts";
import { Cables, FaultyNetwork } from "../../../support/faulty-network.ts";
import { TrackerHarness } from "../../../support/tracker-harness.ts";

function calls(network = new NodeNetwork(), from?: string): TrackerCalls {
  return new TrackerCalls({ network, clock: nodeClock, localAddressFor: () => from });
}

test("what a tracker answers, that it refuses, and that it is not there, are told apart", async () => {
  await using harness = await TrackerHarness.start();
  const asked = calls();
  expect(await asked.placement(harness.endpoint)).toEqual({ name: "refused", status: 2 });
  await harness.joined("127.0.0.2");
  expect(await asked.placement(harness.endpoint)).toEqual({
    name: "answered",
    reply: { isLeader: true, runningTime: 0, restartInterval: 0 },
  });
  const nowhere = { addresses: ["127.0.0.1"], port: 1 };
  expect(await asked.placement(nowhere)).toEqual({ name: "unreachable" });
  const stranger = { address: "127.0.0.9", port: 1 };
  expect(await asked.nominate(harness.endpoint, stranger)).toEqual({ name: "refused", status: 2 });
  expect(await asked.commit(harness.endpoint, stranger)).toEqual({ name: "refused", status: 2 });
  expect(await asked.unseat(harness.endpoint)).toEqual({ name: "answered", reply: undefined });
});

test("of two addresses the one that answers is used, from the address by which we are known", async () => {
  await using harness = await TrackerHarness.start();
  const asked = calls(undefined, "127.0.0.44");
  const entry = { addresses: ["127.0.0.43", "127.0.0.1"], port: harness.port };
  const client = await asked.connect(entry);
  expect([client.remoteAddress, client.localAddress]).toEqual(["127.0.0.1", "127.0.0.44"]);
  asked.release(client);
});

test("a tracker that is silent is given up in time, and everything at once when we stop", async () => {
  await using harness = await TrackerHarness.start();
  const cables = new Cables();
  const asked = calls(new FaultyNetwork(cables), "127.0.0.45");
  cables.cut("127.0.0.45", "127.0.0.1");
  const from = performance.now();
  expect(await asked.placement(harness.endpoint)).toEqual({ name: "unreachable" });
  expect(performance.now() - from).toBeLessThan(trackerQuestionTimeoutMs + 1000);
  const pending = asked.placement(harness.endpoint);
  asked.stop();
  const stopped = performance.now();
  expect(await pending).toEqual({ name: "unreachable" });
  expect(performance.now() - stopped).toBeLessThan(500);
});

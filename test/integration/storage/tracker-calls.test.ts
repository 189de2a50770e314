/** Single questions to scripted trackers, and to one that is not there and one that never answers. */
import { createServer, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { requestSyncSourceOf } from "#protocol/fastdfs/tracker-reports.ts";
import { callTimeoutMs, TrackerCalls } from "#storage/tracker-calls.ts";
import { quickClock } from "../../support/reporter-stage.ts";
import { ScriptedTracker } from "../../support/scripted-tracker.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const question = { group: "group1", id: "10.0.0.9" };
const sync = { source: StorageId("10.0.0.7"), until: 1_700_000_000 };

async function tracker(): Promise<ScriptedTracker> {
  const made = new ScriptedTracker();
  await made.start();
  cleanups.push(() => made.stop());
  return made;
}

function calls(ports: readonly number[], leader?: number): TrackerCalls {
  return new TrackerCalls({
    trackers: ports.map((port) => ({ addresses: ["127.0.0.1"], port })),
    ...{ joinFrom: undefined, connectTimeoutMs: 60_000, network: new NodeNetwork() },
    clock: quickClock,
    leader: () => (leader === undefined ? undefined : { address: "127.0.0.1", port: leader }),
  });
}

/** Takes connections and says nothing. */
async function blackHole(): Promise<number> {
  const server: Server = createServer((socket) => cleanups.push(() => socket.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => server.close());
  return (server.address() as { readonly port: number }).port;
}

test("each tracker's answer is told by itself, also the one that never comes", async () => {
  const [well, refusing] = [await tracker(), await tracker()];
  well.recordedSource = sync;
  refusing.refusals.set("requestSyncSourceOf", [2]);
  const away = await tracker();
  const { port: awayPort } = away;
  await away.stop();
  const startMs = performance.now();
  const asked = calls([well.port, refusing.port, awayPort, await blackHole()]);
  const answers = await asked.askAll(requestSyncSourceOf, question);
  expect(answers).toMatchObject([
    { kind: "reply", tracker: `127.0.0.1:${well.port}`, reply: { sync } },
    { kind: "refused", status: 2 },
    { kind: "silent", problem: expect.stringContaining("cannot reach") },
    { kind: "silent", problem: expect.stringContaining("no answer") },
  ]);
  expect(performance.now() - startMs).toBeLessThan(callTimeoutMs);
});

test("the leader's answer counts, and without one the first that can be had", async () => {
  const [one, two] = [await tracker(), await tracker()];
  two.recordedSource = sync;
  const byLeader = calls([one.port, two.port], two.port);
  expect(await byLeader.askLeaderFirst(requestSyncSourceOf, question)).toEqual({ sync });
  expect(one.countOf("requestSyncSourceOf")).toBe(0);
  two.refusals.set("requestSyncSourceOf", [2]);
  await expect(byLeader.askLeaderFirst(requestSyncSourceOf, question)).rejects.toMatchObject({
    status: 2,
  });
  expect(one.countOf("requestSyncSourceOf")).toBe(0);
  await two.stop();
  expect(await byLeader.askLeaderFirst(requestSyncSourceOf, question)).toEqual({});
  one.refusals.set("requestSyncSourceOf", [22]);
  await expect(byLeader.askLeaderFirst(requestSyncSourceOf, question)).rejects.toMatchObject({
    status: 22,
  });
  await one.stop();
  await expect(byLeader.askLeaderFirst(requestSyncSourceOf, question)).rejects.toThrow("reach");
  await expect(calls([]).askLeaderFirst(requestSyncSourceOf, question)).rejects.toThrow(
    "no trackers",
  );
});

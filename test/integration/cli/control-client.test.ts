/** Asking a daemon: its answers, its refusals, its absence, its silence. */
import { expect, test } from "vitest";
import { record, text } from "#base/schema.ts";
import { ControlClient } from "#cli/control-client.ts";
import { encodeMessage } from "#control/control-wire.ts";
import { operation } from "#control/operation.ts";
import { setLogLevel } from "#control/operations/system.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { FakeDaemon } from "../../support/fake-daemon.ts";
import { TestWorld } from "../../support/test-world.ts";

const network = new NodeNetwork();

function clientOf(path: string): ControlClient {
  return new ControlClient({ network, clock: nodeClock, path });
}

test("answers and refusals come through", async () => {
  const path = new TestWorld().path("sock");
  await using daemon = await FakeDaemon.start(path);
  const client = clientOf(path);
  expect(await client.ask(setLogLevel, { level: "debug" })).toEqual({ before: "info" });
  daemon.refuses = true;
  await expect(client.ask(setLogLevel, { level: "warn" })).rejects.toMatchObject({
    code: "access-denied",
  });
  const newer = operation({
    name: "not.there",
    says: "Is of a later version.",
    access: "viewer",
    effect: "read",
    input: record({}),
    output: record({ x: text({ maxLength: 1 }) }),
  });
  await expect(client.ask(newer, {})).rejects.toMatchObject({ code: "operation-unknown" });
});

test("where no daemon is, the reason is said", async () => {
  const world = new TestWorld();
  const client = clientOf(world.path("sock"));
  await expect(client.ask(setLogLevel, { level: "warn" })).rejects.toThrow("no such socket");
  await world.files.writeText(world.path("file"), "");
  await expect(clientOf(world.path("file")).ask(setLogLevel, { level: "warn" })).rejects.toThrow(
    "no daemon answers",
  );
});

test.each([
  ["an end without an answer", (close: () => void) => close(), "daemon-unreachable"],
  ["nonsense", (_: () => void, say: (text: string) => void) => say("hello\n"), "control-malformed"],
  [
    "another shape",
    (_: () => void, say: (text: string) => void) =>
      say(String(encodeMessage({ id: 1, ok: true, output: { before: 5 } }))),
    "shape-mismatch",
  ],
] as const)("%s is an error", async (_, answer, code) => {
  const path = new TestWorld().path("sock");
  await using listener = await network.listenPath({ path, backlog: 1, mode: 0o600 }, (peer) => {
    peer.onReceive = () =>
      answer(
        () => peer.destroy(),
        (words) => peer.write(Buffer.from(words)),
      );
  });
  expect(listener.path).toBe(path);
  await expect(clientOf(path).ask(setLogLevel, { level: "warn" })).rejects.toMatchObject({ code });
});

test("waiting ends with the signal", async () => {
  const path = new TestWorld().path("sock");
  await using listener = await network.listenPath({ path, backlog: 1, mode: 0o600 }, (peer) => {
    peer.onReceive = () => {};
  });
  const abort = new AbortController();
  const asking = clientOf(listener.path).ask(setLogLevel, { level: "warn" }, abort.signal);
  abort.abort(new Error("enough"));
  await expect(asking).rejects.toThrow("enough");
});

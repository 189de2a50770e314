/** Unix sockets; what the control server makes of them is in test/integration/net. */
import { existsSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { listenOnPath } from "#platform/node/node-path-listener.ts";
import { TestWorld } from "../../../support/test-world.ts";

test("bytes go both ways, and the socket file goes with the listener", async () => {
  const path = new TestWorld().path("s");
  const network = new NodeNetwork();
  const listener = await network.listenPath({ path, backlog: 5, mode: 0o600 }, (peer) => {
    peer.onReceive = (chunk) => peer.write(Buffer.from(chunk));
    peer.onEnd = () => peer.end();
  });
  expect([listener.path, statSync(path).mode & 0o777]).toEqual([path, 0o600]);
  const connection = await network.connectPath({ path, timeoutMs: 1000 });
  const received: string[] = [];
  let closed = false;
  connection.onReceive = (chunk) => received.push(String(Buffer.from(chunk)));
  connection.onClose = () => {
    closed = true;
  };
  connection.write(Buffer.from("hello"));
  await expect.poll(() => received.join("")).toBe("hello");
  connection.end();
  await expect.poll(() => closed).toBe(true);
  await listener.close();
  await expect.poll(() => existsSync(path)).toBe(false);
  await expect(network.connectPath({ path, timeoutMs: 1000 })).rejects.toMatchObject({
    code: "ENOENT",
  });
});

test("a directory that is not there is an error", async () => {
  const path = new TestWorld().path("none/s");
  const listening = listenOnPath({ path, backlog: 1, mode: 0o600 }, (socket) => socket.destroy());
  await expect(listening).rejects.toMatchObject({ code: expect.any(String) });
});

test("an abandoned connect is not left behind", async () => {
  const abort = new AbortController();
  abort.abort();
  const connecting = new NodeNetwork().connectPath(
    { path: "/none", timeoutMs: 1000 },
    abort.signal,
  );
  await expect(connecting).rejects.toThrow("abandoned");
});

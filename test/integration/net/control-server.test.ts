/** The control socket: permissions, replies, nonsense, limits, a socket file left behind. */
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Log } from "#base/log.ts";
import { record, text } from "#base/schema.ts";
import { ControlBus } from "#control/control-bus.ts";
import { encodeMessage, LineSplitter, parseReply } from "#control/control-wire.ts";
import { operation } from "#control/operation.ts";
import { ControlServer, controlLimits } from "#net/control-server.ts";
import type { Connection } from "#platform/network.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";

const echo = operation({
  name: "echo",
  says: "Gives back.",
  access: "viewer",
  effect: "read",
  input: record({ text: text({ maxLength: 100 }) }),
  output: record({ text: text({ maxLength: 100 }) }),
});
const hold = operation({
  name: "hold",
  says: "Waits.",
  access: "viewer",
  effect: "read",
  input: record({}),
  output: record({}),
});
const fail = operation({
  name: "fail",
  says: "Fails.",
  access: "owner",
  effect: "change",
  input: record({}),
  output: record({}),
});

const network = new NodeNetwork();

function socketPath(): string {
  const directory = mkdtempSync(join(tmpdir(), "cairn-control-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, "control.sock");
}

interface Served {
  readonly server: ControlServer;
  readonly path: string;
  /** Lets every `hold` under way go on. */
  release(): void;
}

async function serve(path: string, access: "viewer" | "owner" = "owner"): Promise<Served> {
  const bus = new ControlBus();
  const held: (() => void)[] = [];
  bus.add(
    { echo, hold, fail },
    {
      echo: (input) => input,
      hold: async () => {
        await new Promise<void>((resolve) => held.push(resolve));
        return {};
      },
      fail: () => {
        throw new Error("a secret of ours");
      },
    },
  );
  const server = new ControlServer({
    network,
    clock: nodeClock,
    log: new Log("test", () => {}),
    bus,
    path,
    caller: { name: "the socket", access },
  });
  await server.start();
  onTestFinished(() => server.stop());
  const release = (): void => {
    for (const go of held.splice(0)) go();
  };
  return { server, path, release };
}

class Peer {
  readonly replies: ReturnType<typeof parseReply>[] = [];
  closed = false;
  readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
    const lines = new LineSplitter(1024 * 1024);
    connection.onReceive = (chunk) => {
      for (const line of lines.push(chunk)) this.replies.push(parseReply(line));
    };
    connection.onEnd = () => connection.end();
    connection.onClose = () => {
      this.closed = true;
    };
    onTestFinished(() => connection.destroy());
  }

  static async connect(path: string): Promise<Peer> {
    return new Peer(await network.connectPath({ path, timeoutMs: 1000 }));
  }

  ask(id: number, name: string, input: unknown = {}): void {
    this.connection.write(encodeMessage({ id, operation: name, input }));
  }
}

test("requests are answered with their id, also out of order", async () => {
  const { path, release } = await serve(socketPath());
  const peer = await Peer.connect(path);
  peer.ask(1, "hold");
  peer.ask(2, "echo", { text: "ü" });
  await expect.poll(() => peer.replies).toEqual([{ id: 2, ok: true, output: { text: "ü" } }]);
  release();
  await expect.poll(() => peer.replies.map((reply) => reply.id)).toEqual([2, 1]);
});

test("owner and group may connect, nobody else", async () => {
  const { path } = await serve(socketPath());
  expect(statSync(path).mode & 0o777).toBe(0o660);
});

test("refusals and failures are told, secrets are not", async () => {
  const { path } = await serve(socketPath(), "viewer");
  const peer = await Peer.connect(path);
  peer.ask(1, "fail");
  peer.ask(2, "none");
  peer.ask(3, "echo", { text: 5 });
  await expect
    .poll(() => peer.replies.map((reply) => !reply.ok && reply.error.code).toSorted())
    .toEqual(["access-denied", "input-invalid", "operation-unknown"]);
  const owned = await serve(socketPath());
  const other = await Peer.connect(owned.path);
  other.ask(4, "fail");
  await expect
    .poll(() => other.replies)
    .toEqual([
      {
        id: 4,
        ok: false,
        error: { code: "internal-error", message: "the daemon failed; its log says why" },
      },
    ]);
});

test("nonsense is answered once and ends the connection, not the server", async () => {
  const { path } = await serve(socketPath());
  for (const nonsense of ["GET / HTTP/1.1\r\n", "x".repeat(100_000)]) {
    const peer = await Peer.connect(path);
    peer.connection.write(Buffer.from(nonsense));
    await expect.poll(() => peer.closed).toBe(true);
    expect(peer.replies).toMatchObject([
      { id: 0, ok: false, error: { code: "control-malformed" } },
    ]);
  }
  const peer = await Peer.connect(path);
  peer.ask(1, "echo", { text: "still here" });
  await expect.poll(() => peer.replies).toHaveLength(1);
});

test("one connection has so many requests under way, the server so many connections", async () => {
  const { path, release } = await serve(socketPath());
  const peer = await Peer.connect(path);
  for (let id = 1; id <= controlLimits.maxRequestsUnderWay + 1; id += 1) peer.ask(id, "hold");
  await expect.poll(() => peer.replies).toMatchObject([{ error: { code: "control-busy" } }]);
  release();
  await expect.poll(() => peer.replies).toHaveLength(controlLimits.maxRequestsUnderWay + 1);
  const others: Peer[] = [];
  for (let count = 0; count < controlLimits.maxConnections; count += 1) {
    others.push(await Peer.connect(path));
  }
  await expect.poll(() => others.filter((other) => other.closed).length).toBe(1);
});

test("stopping ends connections and removes the socket", async () => {
  const { path, server } = await serve(socketPath());
  const peer = await Peer.connect(path);
  await server.stop();
  await expect.poll(() => peer.closed).toBe(true);
  await expect.poll(() => existsSync(path)).toBe(false);
});

test("a socket file that nobody answers on is replaced, one that somebody does is not", async () => {
  const path = socketPath();
  const abandoned = createServer();
  await new Promise<void>((resolve) => abandoned.listen(path, resolve));
  await expect(serve(path)).rejects.toMatchObject({ code: "EADDRINUSE" });
  // Closing the handle alone leaves the file, as SIGKILL does.
  renameSync(path, `${path}.kept`);
  await new Promise<void>((resolve) => abandoned.close(() => resolve()));
  renameSync(`${path}.kept`, path);
  await serve(path);
  const peer = await Peer.connect(path);
  peer.ask(1, "echo", { text: "new" });
  await expect.poll(() => peer.replies).toHaveLength(1);
});

test("a file that is no socket is left alone", async () => {
  const path = socketPath();
  writeFileSync(path, "precious");
  await expect(serve(path)).rejects.toMatchObject({ code: "EADDRINUSE" });
  expect(statSync(path).size).toBe(8);
});

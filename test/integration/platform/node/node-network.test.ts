/** Sockets of Node as the code sees them, on the loopback. */
import { afterEach, expect, test } from "vitest";
import type { Connection, Listener } from "#platform/network.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { ipv6Loopback, needs } from "../../../support/needs.ts";
import { until } from "../../../support/settled.ts";

const network = new NodeNetwork();
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

interface Pair {
  readonly listener: Listener;
  readonly near: Connection;
  readonly far: Connection;
}

function listen(onConnection: (connection: Connection) => void): Promise<Listener> {
  return network.listen({ address: "127.0.0.1", port: 0, backlog: 16 }, onConnection);
}

async function pair(): Promise<Pair> {
  let far: Connection | undefined;
  const listener = await listen((connection) => {
    far = connection;
  });
  const where = { address: "127.0.0.1", port: listener.port, timeoutMs: 1000 };
  const near = await network.connect(where);
  await until(() => far !== undefined, "the connection is accepted");
  cleanups.push(() => {
    near.destroy();
    far?.destroy();
    return listener.close();
  });
  return { listener, near, far: far as Connection };
}

/** Collects copies: the bytes are valid only during the call. */
function received(connection: Connection): () => Buffer {
  const chunks: Buffer[] = [];
  connection.onReceive = (chunk) => chunks.push(Buffer.from(chunk));
  return () => Buffer.concat(chunks);
}

test("both ends know each other, and bytes go both ways", async () => {
  const { near, far, listener } = await pair();
  expect([far.localPort, near.remotePort]).toEqual([listener.port, listener.port]);
  expect([far.remoteAddress, far.remotePort]).toEqual(["127.0.0.1", near.localPort]);
  const there = received(far);
  const back = received(near);
  near.write(Buffer.from("ping"));
  await until(() => there().toString() === "ping", "the request");
  far.cork();
  far.write(Buffer.from("po"));
  far.write(Buffer.from("ng"));
  far.uncork();
  await until(() => back().toString() === "pong", "the reply");
});

test("a writer learns when its bytes are with the kernel, or that the connection is gone", async () => {
  const { near, far } = await pair();
  let taken = 0;
  near.write(Buffer.from("x"), () => {
    taken += 1;
  });
  await until(() => taken === 1, "the write is done");
  far.pauseReceiving();
  near.write(Buffer.alloc(50_000_000), () => {
    taken += 1;
  });
  expect(near.unsentBytes).toBeGreaterThan(0);
  near.destroy();
  await until(() => taken === 2, "the write has ended with the connection");
  near.write(Buffer.from("x"), () => {
    taken += 1;
  });
  expect(taken).toBe(3);
});

test("an empty write behind others is done when they are", async () => {
  const { near, far } = await pair();
  const there = received(far);
  far.pauseReceiving();
  let done = false;
  near.write(Buffer.alloc(20_000_000));
  near.write(new Uint8Array(0), () => {
    done = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(done).toBe(false);
  far.resumeReceiving();
  await until(() => done, "all is with the kernel");
  await until(() => there().length === 20_000_000, "all has arrived");
});

test("pausing holds bytes back, resuming brings them", async () => {
  const { near, far } = await pair();
  const there = received(far);
  far.pauseReceiving();
  near.write(Buffer.from("later"));
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(there().length).toBe(0);
  far.resumeReceiving();
  await until(() => there().toString() === "later", "the bytes");
});

test("one side may end while the other still sends", async () => {
  const { near, far } = await pair();
  const back = received(near);
  let ended = false;
  let closed = 0;
  far.onEnd = () => {
    ended = true;
  };
  far.onClose = (error) => {
    expect(error).toBeUndefined();
    closed += 1;
  };
  near.end();
  await until(() => ended, "the end is told");
  far.write(Buffer.from("still"));
  far.end();
  await until(() => closed === 1 && far.closed, "both sides have ended");
  expect(back().toString()).toBe("still");
});

test("connecting fails on refusal, on abort, and in time", async () => {
  const listener = await listen(() => {});
  const { port } = listener;
  await listener.close();
  const where = { address: "127.0.0.1", port, timeoutMs: 1000 };
  await expect(network.connect(where)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await expect(network.connect(where, AbortSignal.abort())).rejects.toThrow("abandoned");
});

test("a port that is taken cannot be listened on", async () => {
  const listener = await listen(() => {});
  cleanups.push(() => listener.close());
  const again = network.listen(
    { address: "127.0.0.1", port: listener.port, backlog: 16 },
    () => {},
  );
  await expect(again).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("the machine's addresses include the loopback", () => {
  expect(network.addresses()).toContainEqual(
    expect.objectContaining({ address: "127.0.0.1", prefixLength: 8, family: 4, internal: true }),
  );
});

needs(ipv6Loopback())(
  "all IPv4 and all IPv6 addresses are listened on side by side, at one port",
  async () => {
    const peers: string[] = [];
    const take = (connection: Connection): void => {
      peers.push(connection.remoteAddress);
      connection.destroy();
    };
    const four = await network.listen({ address: "0.0.0.0", port: 0, backlog: 16 }, take);
    const { port } = four;
    const six = await network.listen({ address: "::", port, backlog: 16 }, take);
    cleanups.push(() => Promise.all([four.close(), six.close()]));
    for (const address of ["127.0.0.1", "::1"]) {
      const connection = await network.connect({ address, port, timeoutMs: 1000 });
      connection.destroy();
    }
    await until(() => peers.length === 2, "both are accepted");
    expect(peers.sort()).toEqual(["127.0.0.1", "::1"]);
  },
);

test("host names have addresses, and an unknown one is said to have none", async () => {
  expect(await network.resolve("localhost")).toContain("127.0.0.1");
  await expect(network.resolve("nobody.invalid")).rejects.toThrow();
});

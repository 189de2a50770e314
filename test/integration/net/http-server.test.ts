/** The HTTP server through its socket: limits, slow clients, pipelines, broken bodies, stopping. */
import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Log, type LogRecord } from "#base/log.ts";
import { type ByteSource, sourceOfBytes } from "#net/byte-flow.ts";
import { defaultHttpLimits, type HttpLimits } from "#net/http-limits.ts";
import type { HttpExchangeRecord, HttpHandler } from "#net/http-message.ts";
import { HttpServer } from "#net/http-server.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { send, sendRaw } from "../../support/gateway-fixture.ts";
import { ipv6Loopback, needs } from "../../support/needs.ts";
import { until } from "../../support/settled.ts";

interface Fixture {
  readonly server: HttpServer;
  readonly port: number;
  readonly records: HttpExchangeRecord[];
  readonly logged: LogRecord[];
}

const running: HttpServer[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(running.splice(0).map((server) => server.stop(0)));
});

async function serve(handler: HttpHandler, limits: Partial<HttpLimits> = {}): Promise<Fixture> {
  const records: HttpExchangeRecord[] = [];
  const logged: LogRecord[] = [];
  const server = new HttpServer({
    clock: nodeClock,
    log: new Log("http", (record) => logged.push(record)),
    limits: { ...defaultHttpLimits, ...limits },
    handler,
    onExchange: (record) => records.push(record),
  });
  running.push(server);
  return { server, port: await server.listen(["127.0.0.1"], 0), records, logged };
}

/** A connection that stays, with what came back on it. */
function open(port: number): { readonly socket: Socket; text(): string; closed(): boolean } {
  const socket = connect(port, "127.0.0.1");
  sockets.push(socket);
  let text = "";
  let closed = false;
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    closed = true;
  });
  return { socket, text: () => text, closed: () => closed };
}

const hello: HttpHandler = async () => ({ status: 200, headers: {}, body: Buffer.from("hello") });

/** Reads the body and says how many bytes there were, or what was wrong. */
const count: HttpHandler = async ({ body }) => {
  let bytes = 0;
  const outcome = await body
    .drainTo({
      write: (chunk) => {
        bytes += chunk.length;
        return true;
      },
    })
    .then(
      () => String(bytes),
      (error: { code: string }) => error.code,
    );
  return { status: outcome === "peer-silent" ? 408 : 200, headers: {}, body: Buffer.from(outcome) };
};

/** A source whose pieces are views of shared memory, as the store hands them out. */
function sharedSource(length: number, pieceBytes: number, released: number[]): ByteSource {
  const shared = new Uint8Array(new SharedArrayBuffer(pieceBytes)).fill(0x78);
  let at = 0;
  return {
    length,
    next: async () => {
      if (at >= length) return undefined;
      const bytes = shared.subarray(0, Math.min(pieceBytes, length - at));
      at += bytes.length;
      return { bytes, room: 0, release: () => released.push(bytes.length) };
    },
    close: () => released.push(-1),
  };
}

test("requests of one connection are answered in turn, pipelined or not", async () => {
  const order: string[] = [];
  const { port, records } = await serve(async ({ target }) => {
    order.push(`${target} begins`);
    await new Promise((resolve) => setTimeout(resolve, target === "/1" ? 30 : 0));
    order.push(`${target} ends`);
    return { status: 200, headers: {}, body: Buffer.from(target) };
  });
  const line = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const { text } = await sendRaw(port, line("/1") + line("/2") + line("/3"));
  expect(text.match(/\/\d$|\/\d(?=HTTP)/g)).toEqual(["/1", "/2", "/3"]);
  expect(order).toEqual(["/1 begins", "/1 ends", "/2 begins", "/2 ends", "/3 begins", "/3 ends"]);
  expect(records.map(({ status, sentBytes, complete }) => [status, sentBytes, complete])).toEqual(
    Array(3).fill([200, 2, true]),
  );
});

test("a source is sent whole, from shared memory, and every piece comes back", async () => {
  const released: number[] = [];
  const length = 3 * 1024 * 1024 + 5;
  const { port, records } = await serve(async () => ({
    status: 200,
    headers: {},
    body: sharedSource(length, 256 * 1024, released),
  }));
  const reply = await send(port, undefined, { path: "/" });
  expect([reply.headers["content-length"], reply.body.length]).toEqual([String(length), length]);
  expect(reply.body.equals(Buffer.alloc(length, "x"))).toBe(true);
  await until(() => records.length === 1, "the record");
  expect(released.filter((bytes) => bytes > 0).reduce((sum, bytes) => sum + bytes, 0)).toBe(length);
  expect(released).toContain(-1);
  expect(records[0]).toMatchObject({ sentBytes: length, complete: true });
});

test("a source that ends early breaks the connection instead of lying", async () => {
  const { port, records } = await serve(async () => ({
    status: 200,
    headers: {},
    body: { ...sourceOfBytes(Buffer.from("short")), length: 10 },
  }));
  await expect(send(port, undefined, { path: "/" })).rejects.toThrow();
  await until(() => records.length === 1, "the record");
  expect(records[0]?.complete).toBe(false);
});

test("a source that fails in the middle does so, too, and is closed", async () => {
  let closed = 0;
  const { port } = await serve(async () => ({
    status: 200,
    headers: {},
    body: {
      length: 10,
      next: () => Promise.reject(new Error("disk")),
      close: () => {
        closed += 1;
      },
    },
  }));
  await expect(send(port, undefined, { path: "/" })).rejects.toThrow();
  expect(closed).toBe(1);
});

test("a reply that cannot be written costs its connection, and gives the file back", async () => {
  const released: number[] = [];
  const { port, records } = await serve(async () => ({
    status: 200,
    headers: { "X-Wrong": "a\r\nb" },
    body: sharedSource(7, 7, released),
  }));
  await expect(send(port, undefined, { path: "/" })).rejects.toThrow();
  await until(() => records.length === 1, "the record");
  expect(released).toEqual([-1]);
});

test("a client that goes away gets no more of the file, and all pieces come back", async () => {
  const released: number[] = [];
  const { port, records } = await serve(async () => ({
    status: 200,
    headers: {},
    body: sharedSource(1024 ** 3, 256 * 1024, released),
  }));
  const { socket, text } = open(port);
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await until(() => text().length > 100_000, "some of the body");
  socket.destroy();
  await until(() => records.length === 1, "the end of the exchange");
  expect(records[0]?.complete).toBe(false);
  expect(released.at(-1)).toBe(-1);
});

test("HEAD, 204 and 304 carry no body, whatever the handler gives", async () => {
  const released: number[] = [];
  const { port } = await serve(async ({ target }) => ({
    status: Number(target.slice(1)),
    headers: {},
    body: sharedSource(7, 7, released),
  }));
  const head = await send(port, undefined, { path: "/200", method: "HEAD" });
  expect([head.headers["content-length"], head.body.length]).toEqual(["7", 0]);
  for (const status of [204, 304]) {
    const reply = await send(port, undefined, { path: `/${status}` });
    expect([reply.status, reply.headers["content-length"], reply.body.length]).toEqual([
      status,
      undefined,
      0,
    ]);
  }
  expect(released).toEqual([-1, -1, -1]);
});

test("a body arrives with its length, in chunks without, and slowly when the sink is slow", async () => {
  const lengths: (number | undefined)[] = [];
  const { port } = await serve(async (request) => {
    lengths.push(request.body.length);
    let bytes = 0;
    await request.body.drainTo({
      write: (chunk) => {
        bytes += chunk.length;
        setImmediate(() => request.body.resume());
        return false;
      },
    });
    return { status: 200, headers: {}, body: Buffer.from(String(bytes)) };
  });
  const big = Buffer.alloc(2 * 1024 * 1024);
  const known = await send(port, undefined, { path: "/", method: "PUT", body: big });
  const chunked = await send(port, undefined, { path: "/", method: "PUT", body: [big, "x"] });
  const none = await send(port, undefined, { path: "/" });
  expect([known.text, chunked.text, none.text]).toEqual([
    String(big.length),
    String(big.length + 1),
    "0",
  ]);
  expect(lengths).toEqual([big.length, undefined, 0]);
});

test("a client that waits for 100 Continue gets it when the body is wanted, and only then", async () => {
  const { port } = await serve((request) =>
    request.target === "/take" ? count(request) : hello(request),
  );
  const ask = (path: string): string =>
    `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n`;
  const taken = open(port);
  taken.socket.write(ask("/take"));
  await until(() => taken.text().includes("100 Continue"), "the invitation");
  taken.socket.write("abc");
  await until(() => taken.text().endsWith("\r\n3"), "the reply");
  const refused = open(port);
  refused.socket.write(ask("/refuse"));
  await until(() => refused.text().endsWith("hello"), "the reply");
  expect(refused.text()).not.toContain("100 Continue");
  expect(refused.text()).toContain("Connection: close");
});

test("a client that sends what nobody reads sees the reply, then the end", async () => {
  const { port } = await serve(hello, { lingerMs: 300 });
  const client = open(port);
  client.socket.write(`PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: ${1024 ** 3}\r\n\r\n`);
  const timer = setInterval(() => client.socket.write(Buffer.alloc(64 * 1024)), 5);
  await until(() => client.text().endsWith("hello"), "the reply");
  await until(client.closed, "the end");
  clearInterval(timer);
  expect(client.text()).toContain("Connection: close");
});

test("a small body that nobody read does not cost the connection", async () => {
  const { port } = await serve(hello);
  const body = "x".repeat(1000);
  const request = `PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n${body}`;
  const { text, closed } = await sendRaw(port, request + request);
  expect([text.match(/hello/g)?.length, closed]).toEqual([2, false]);
});

test("a small body that nobody reads and that never comes does", async () => {
  const { port, server } = await serve(hello, { lingerMs: 100 });
  const client = open(port);
  client.socket.write("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx");
  await until(client.closed, "the end");
  expect([client.text().endsWith("hello"), server.connectionCount]).toEqual([true, 0]);
});

test("a body that breaks off is broken, and the next client is served", async () => {
  const { port, records } = await serve(count);
  const client = open(port);
  client.socket.write("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc");
  await until(() => client.socket.bytesWritten > 50, "the request");
  await new Promise((resolve) => setTimeout(resolve, 20));
  client.socket.destroy();
  await until(() => records.length === 1, "the end of the exchange");
  expect(records[0]).toMatchObject({ receivedBytes: 3, complete: false });
  expect((await send(port, undefined, { path: "/" })).text).toBe("0");
});

test("a client that stalls in its body is told so and cut off, one that trickles as well", async () => {
  const { port } = await serve(count, { stallTimeoutMs: 1000, lingerMs: 50 });
  const stalled = open(port);
  stalled.socket.write("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc");
  const trickling = open(port);
  trickling.socket.write("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
  const timer = setInterval(() => trickling.socket.write("x"), 100);
  await until(() => stalled.closed() && trickling.closed(), "the end of both", 8000);
  clearInterval(timer);
  for (const client of [stalled, trickling]) expect(client.text()).toMatch(/^HTTP\/1.1 408 /);
});

test("a client that does not read its reply is cut off, and gives the memory back", async () => {
  const released: number[] = [];
  const { port, records } = await serve(
    async () => ({
      status: 200,
      headers: {},
      body: sharedSource(1024 ** 3, 256 * 1024, released),
    }),
    { stallTimeoutMs: 1000, minBytesPerSecond: 1024 ** 2 },
  );
  const { socket } = open(port);
  socket.pause();
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await until(() => records.length === 1, "the end of the exchange", 8000);
  expect([records[0]?.complete, released.at(-1)]).toEqual([false, -1]);
});

test("a slow handler is not the client's fault", async () => {
  const { port } = await serve(
    async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 2500));
      return count(request);
    },
    { stallTimeoutMs: 500 },
  );
  expect((await send(port, undefined, { path: "/", method: "PUT", body: "abc" })).text).toBe("3");
});

test("headers that are too large, too many or too slow are refused", async () => {
  const { port } = await serve(hello, {
    maxHeaderBytes: 2048,
    maxHeaders: 10,
    headersTimeoutMs: 500,
  });
  const head = (lines: string): string => `GET / HTTP/1.1\r\nHost: x\r\n${lines}\r\n`;
  expect((await sendRaw(port, head("A: b\r\n".repeat(9)))).text).toMatch(/^HTTP\/1.1 200 /);
  const many = await sendRaw(port, head("A: b\r\n".repeat(10)));
  expect(many.text).toMatch(/^HTTP\/1.1 431 [\s\S]*request-invalid/);
  const large = await sendRaw(port, head(`A: ${"b".repeat(3000)}\r\n`));
  expect([large.text.slice(0, 12), large.closed]).toEqual(["HTTP/1.1 431", true]);
  const slow = await sendRaw(port, "GET / HTTP/1.1\r\nHost: x\r\n", 4000);
  expect([slow.text.slice(0, 12), slow.closed]).toEqual(["HTTP/1.1 408", true]);
});

test("a connection that never asks is closed, without a word or with 408", async () => {
  const { port } = await serve(hello, { headersTimeoutMs: 500 });
  const { closed } = await sendRaw(port, "", 4000);
  expect(closed).toBe(true);
});

test("what is no HTTP is answered once and closed", async () => {
  const { port } = await serve(hello);
  const wrong = [
    "hello\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\x00\r\n\r\n",
  ];
  for (const text of wrong) {
    const reply = await sendRaw(port, text, 1000);
    expect([text, reply.text.slice(0, 12), reply.closed]).toEqual([text, "HTTP/1.1 400", true]);
  }
});

test("above the limit of connections new ones are turned away, and idle ones make room", async () => {
  const { port, server } = await serve(hello, { maxConnections: 3 });
  const clients = [open(port), open(port), open(port)];
  for (const { socket } of clients) socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await until(() => clients.every(({ text }) => text().endsWith("hello")), "the replies");
  const surplus = await sendRaw(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  expect([surplus, server.refusedCount]).toEqual([{ text: "", closed: true }, 1]);
  await until(() => server.connectionCount === 0, "room");
  expect((await send(port, undefined, { path: "/" })).text).toBe("hello");
});

test("one connection may not queue requests without end", async () => {
  const { port } = await serve(hello, { maxPipelined: 4 });
  const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  expect((await sendRaw(port, request.repeat(500))).closed).toBe(true);
});

test("a handler that fails costs one reply, and is logged", async () => {
  const { port, logged } = await serve(async () => {
    throw new Error("mistake");
  });
  const reply = await send(port, undefined, { path: "/" });
  expect([reply.status, reply.json()]).toEqual([
    500,
    { error: { code: "internal", message: "The request failed." } },
  ]);
  expect(logged).toMatchObject([{ level: "error", event: "http-handler-failed" }]);
});

test("HTTP/1.0 is answered and closed", async () => {
  const { port } = await serve(hello);
  const { text, closed } = await sendRaw(port, "GET / HTTP/1.0\r\n\r\n");
  expect([text.endsWith("hello"), closed]).toEqual([true, true]);
});

test("stopping lets what is under way finish, and closes what waits", async () => {
  let finish: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let begun = false;
  const { port, server } = await serve(async (request) => {
    if (request.target === "/slow") {
      begun = true;
      await gate;
    }
    return hello(request);
  });
  const idle = open(port);
  idle.socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const silent = open(port);
  const busy = open(port);
  busy.socket.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  const allThree = (): boolean => begun && server.connectionCount === 3;
  await until(() => idle.text().endsWith("hello") && allThree(), "all three");
  const stopped = server.stop(5000);
  await until(() => idle.closed() && silent.closed(), "the idle ones");
  await expect(send(port, undefined, { path: "/" })).rejects.toThrow();
  expect(busy.closed()).toBe(false);
  finish();
  await stopped;
  await until(busy.closed, "the busy one");
  expect(busy.text()).toMatch(/Connection: close[\s\S]*hello$/);
});

test("what does not finish in time is cut off", async () => {
  const { port, server } = await serve(() => new Promise(() => {}));
  const busy = open(port);
  busy.socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await until(() => server.connectionCount === 1, "the connection");
  await server.stop(50);
  await until(busy.closed, "the end");
});

test("an address that cannot be had is told, and nothing stays open", async () => {
  const { port } = await serve(hello);
  const logged: LogRecord[] = [];
  const server = new HttpServer({
    clock: nodeClock,
    log: new Log("http", (record) => logged.push(record)),
    limits: defaultHttpLimits,
    handler: hello,
  });
  await expect(server.listen(["127.0.0.2", "127.0.0.1"], port)).rejects.toThrow("EADDRINUSE");
  // Whoever started it says what it means.
  expect(logged).toEqual([]);
  const free = await serve(hello);
  await free.server.stop(0);
});

test("several addresses share one port", async () => {
  const server = new HttpServer({
    clock: nodeClock,
    log: new Log("http", () => {}),
    limits: defaultHttpLimits,
    handler: hello,
  });
  running.push(server);
  const port = await server.listen(["127.0.0.1", "127.0.0.2"], 0);
  const status = await new Promise((resolve) => {
    const socket = connect(port, "127.0.0.2", () => socket.write("GET / HTTP/1.0\r\n\r\n"));
    socket.once("data", (chunk: Buffer) => resolve(chunk.toString().split("\r\n")[0]));
  });
  expect(status).toBe("HTTP/1.1 200 OK");
});

needs(ipv6Loopback())("IPv4 and IPv6 are served side by side at one port", async () => {
  const { server } = await serve(hello);
  const port = await server.listen(["0.0.0.0", "::"], 0);
  for (const host of ["127.0.0.1", "[::1]"]) {
    expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe("hello");
  }
});

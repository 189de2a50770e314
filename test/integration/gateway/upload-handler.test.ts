/** Uploads over HTTP: raw bodies, what their URLs ask for, and what leaves nothing behind. */
import { connect } from "node:net";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { decodeBase } from "#model/file-id.ts";
import { type GatewayFixture, type Reply, sendRaw } from "../../support/gateway-fixture.ts";
import { gateways } from "../../support/gateways.ts";
import { until } from "../../support/settled.ts";

const start = gateways();

function codeOf(reply: Reply): unknown {
  return (reply.json().error as { code: string } | undefined)?.code;
}

/** The content of a file that a reply describes. */
function stored({ store }: GatewayFixture, reply: Reply): string | undefined {
  return store.files.get(String(reply.json().name))?.content.toString();
}

test("a raw body becomes a file, whose reply says all that a client needs", async () => {
  const gateway = await start();
  const reply = await gateway.send({ path: "/upload", method: "POST", body: "hello" });
  const name = [...gateway.store.files.keys()][0] ?? "";
  const url = `http://127.0.0.1:${gateway.port}/group1/${name}`;
  expect([reply.status, reply.headers.location, reply.json()]).toEqual([
    201,
    url,
    {
      file_id: `group1/${name}`,
      group: "group1",
      name,
      url,
      size: 5,
      crc32: crc32("hello"),
    },
  ]);
  expect((await gateway.send({ path: new URL(url).pathname })).text).toBe("hello");
});

test("every way to upload works: POST to two places, PUT with and without a name", async () => {
  const gateway = await start();
  const ways = [
    { path: "/", method: "POST" },
    { path: "/upload", method: "POST" },
    { path: "/upload", method: "PUT" },
    { path: "/upload/photo.jpg", method: "PUT" },
    { path: "/upload/photo.jpg", method: "POST" },
  ];
  for (const way of ways) {
    const reply = await gateway.send({ ...way, body: way.path });
    expect([reply.status, stored(gateway, reply)]).toEqual([201, way.path]);
    expect(String(reply.json().name).endsWith(".jpg")).toBe(way.path.endsWith(".jpg"));
  }
});

test("the extension comes from the query, the name, the disposition or the type, in this order", async () => {
  const gateway = await start();
  const ending = async (path: string, headers: Record<string, string> = {}): Promise<string> => {
    const reply = await gateway.send({ path, method: "PUT", headers, body: "x" });
    return decodeBase(String(reply.json().name).slice(10))?.extension ?? "none";
  };
  const disposition = { "content-disposition": 'attachment; filename="b.pdf"' };
  const type = { "content-type": "image/png" };
  expect(await ending("/upload/a.txt?ext=tar.gz", type)).toBe("tar.gz");
  expect(await ending("/upload/a.txt", { ...disposition, ...type })).toBe("txt");
  expect(await ending("/upload/%61.t%78t")).toBe("txt");
  expect(await ending("/upload", { ...disposition, ...type })).toBe("pdf");
  expect(await ending("/upload", type)).toBe("png");
  expect(await ending("/upload/a.txt?ext=")).toBe("");
  expect(await ending("/upload")).toBe("");
});

test("bodies of known and of unknown length arrive, empty and large ones", async () => {
  const gateway = await start();
  const big = Buffer.alloc(5_000_001, "0123456789");
  for (const body of ["", big, [big, "tail"], ["a", "b"]]) {
    const reply = await gateway.send({ path: "/upload", method: "PUT", body });
    const whole = Buffer.concat(
      (Array.isArray(body) ? body : [body]).map((one) => Buffer.from(one)),
    );
    expect([reply.status, reply.json().size, reply.json().crc32]).toEqual([
      201,
      whole.length,
      crc32(whole),
    ]);
    expect(gateway.store.files.get(String(reply.json().name))?.content.equals(whole)).toBe(true);
  }
});

test("an appender file is made where asked for", async () => {
  const gateway = await start();
  const reply = await gateway.send({
    path: "/upload?appender=1&ext=log",
    method: "POST",
    body: "a",
  });
  expect(decodeBase(String(reply.json().name).slice(10))).toMatchObject({
    isAppender: true,
    extension: "log",
  });
  expect(reply.json().crc32).toBe(crc32("a"));
});

test("a slave is made beside its master, and has a sum of its own", async () => {
  const gateway = await start();
  const master = await gateway.store.put("master", "jpg");
  const slave = (id: string): Promise<Reply> =>
    gateway.send({
      path: `/upload?master=${encodeURIComponent(id)}&prefix=_s&ext=jpg`,
      method: "POST",
      body: "small",
    });
  const made = await slave(`group1/${master}`);
  expect([made.status, made.json().name, made.json().crc32, stored(gateway, made)]).toEqual([
    201,
    master.replace(".jpg", "_s.jpg"),
    crc32("small"),
    "small",
  ]);
  const again = await slave(master);
  expect([again.status, codeOf(again)]).toEqual([409, "file-exists"]);
  const orphan = await slave(`group1/${master.replace("M00/00", "M00/01")}`);
  expect([orphan.status, codeOf(orphan)]).toEqual([404, "not-found"]);
  const foreign = await slave(`group2/${master}`);
  expect([foreign.status, codeOf(foreign)]).toEqual([404, "not-found"]);
});

test("wrong parameters and unknown groups are refused before a byte is read", async () => {
  const gateway = await start();
  const post = (query: string): Promise<Reply> =>
    gateway.send({ path: `/upload?${query}`, method: "POST", body: "x" });
  expect([(await post("ext=a%2Fb")).status, (await post("group=group2")).status]).toEqual([
    400, 404,
  ]);
  expect((await post("group=group1")).status).toBe(201);
  const coded = await gateway.send({
    path: "/upload",
    method: "POST",
    headers: { "content-encoding": "gzip" },
    body: "x",
  });
  expect([coded.status, codeOf(coded)]).toEqual([415, "body-unsupported"]);
  expect(gateway.store.files.size).toBe(1);
});

test("too large a file is refused: at once where the length is known, else where it passes the limit", async () => {
  const gateway = await start({ settings: { maxUploadSizeBytes: 1000 } });
  const fits = await gateway.send({ path: "/upload", method: "PUT", body: Buffer.alloc(1000) });
  expect(fits.status).toBe(201);
  const head =
    "PUT /upload HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n";
  const announced = await sendRaw(gateway.port, head);
  expect(announced.text).toMatch(/^HTTP\/1.1 413 [\s\S]*upload-too-large/);
  expect(gateway.store.calls.upload).toBe(1);
  const body = [Buffer.alloc(600), Buffer.alloc(600)];
  const chunked = await gateway.send({ path: "/upload", method: "PUT", body });
  expect([chunked.status, codeOf(chunked)]).toEqual([413, "upload-too-large"]);
  expect(gateway.store.files.size).toBe(1);
});

test("an upload that breaks off leaves nothing behind", async () => {
  const gateway = await start();
  const heads = [
    "PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc",
    "PUT /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
  ];
  for (const [at, head] of heads.entries()) {
    const socket = connect(gateway.port, "127.0.0.1", () => socket.write(head));
    await until(() => gateway.store.calls.upload === at + 1, "the upload's begin");
    socket.destroy();
  }
  await until(
    () => gateway.logged.filter(({ event }) => event === "exchange").length === 2,
    "ends",
  );
  expect(gateway.store.files.size).toBe(0);
});

test("a store that is full or away says so", async () => {
  const full = await start({ store: { capacityBytes: 10 } });
  const refused = await full.send({ path: "/upload", method: "POST", body: "x".repeat(11) });
  expect([refused.status, codeOf(refused)]).toEqual([507, "store-full"]);
  full.store.failure = fileStoreError("store-path-offline", "gone");
  const away = await full.send({ path: "/upload", method: "POST", body: "x" });
  expect([away.status, away.headers["retry-after"]]).toEqual([503, "5"]);
});

test("a store that fails in the middle of a long upload answers, without waiting for the rest", async () => {
  const gateway = await start();
  gateway.store.upload = async (_request, body) => {
    await new Promise<void>((resolve) => {
      const write = (): boolean => {
        resolve();
        return true;
      };
      body.drainTo({ write }).catch(() => {
        // The exchange ends before the body does.
      });
    });
    throw fileStoreError("store-full", "full now");
  };
  const head = `PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: ${32 * 1024 ** 2}\r\n\r\nabc`;
  const { text } = await sendRaw(gateway.port, head);
  expect(text).toMatch(/^HTTP\/1.1 507 [\s\S]*store-full/);
});

test("uploads can be switched off", async () => {
  const gateway = await start({ settings: { upload: false } });
  const replies = [
    await gateway.send({ path: "/", method: "POST", body: "x" }),
    await gateway.send({ path: "/upload/x", method: "PUT", body: "x" }),
    await gateway.send({
      path: `/group1/${await gateway.store.put("x")}?metadata`,
      method: "PUT",
      body: "{}",
    }),
  ];
  expect(replies.map((reply) => [reply.status, codeOf(reply)])).toEqual(
    Array(3).fill([403, "switched-off"]),
  );
  expect((await gateway.send({ path: "/" })).text).not.toContain("<form");
});

test("the address in the reply is the one that the client used, or a path", async () => {
  const gateway = await start();
  const url = async (headers: Record<string, string>): Promise<string> => {
    const reply = await gateway.send({ path: "/upload", method: "POST", headers, body: "x" });
    return String(reply.json().url).replace(/M00.*/, "");
  };
  expect(await url({ host: "cairn.local:8080" })).toBe("http://cairn.local:8080/group1/");
  expect(await url({ host: "[::1]:8080" })).toBe("http://[::1]:8080/group1/");
  expect(await url({ host: "a", "x-forwarded-proto": "https" })).toBe("https://a/group1/");
  expect(await url({ host: 'evil"><script>' })).toBe("/group1/");
});

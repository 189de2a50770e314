/** Files over HTTP: whole, in ranges, on conditions, with tokens, and handed over to nginx. */
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { antiLeechToken } from "#model/anti-leech-token.ts";
import { slaveName } from "#model/file-base.ts";
import { flowOfBytes } from "#net/byte-flow.ts";
import { type GatewayFixture, gatewayDefaults, type Reply } from "../../support/gateway-fixture.ts";
import { gateways } from "../../support/gateways.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { until } from "../../support/settled.ts";

const start = gateways();
const alphabet = "abcdefghijklmnopqrstuvwxyz";

/** A gateway with one file of 26 letters, and a way to ask for it. */
async function withLetters(): Promise<{
  readonly gateway: GatewayFixture;
  readonly name: string;
  get(headers?: Record<string, string>, method?: string): Promise<Reply>;
}> {
  const gateway = await start();
  const name = await gateway.store.put(alphabet, "txt");
  return {
    gateway,
    name,
    get: (headers = {}, method = "GET") =>
      gateway.send({ path: `/group1/${name}`, headers, method }),
  };
}

/** Nothing of the store is left in anybody's hands. */
async function expectAllReturned({ store }: GatewayFixture): Promise<void> {
  await until(() => store.outstandingPieces === 0 && store.openSources === 0, "pieces back");
}

test("a file comes back as it was put, with its headers", async () => {
  const { gateway, get } = await withLetters();
  const reply = await get();
  expect([reply.status, reply.text, gateway.store.calls]).toEqual([200, alphabet, { open: 1 }]);
  expect(reply.headers).toMatchObject({
    "content-type": "text/plain",
    "content-length": "26",
    "accept-ranges": "bytes",
    "x-content-type-options": "nosniff",
    etag: expect.stringMatching(/^"1a-[0-9a-f]+-4c2750bd"$/),
    "last-modified": expect.stringMatching(/GMT$/),
  });
  await expectAllReturned(gateway);
});

test("HEAD tells the same without the bytes, and without opening the file", async () => {
  const { gateway, get } = await withLetters();
  const [head, whole] = [await get({}, "HEAD"), await get()];
  const { date: _one, ...headHeaders } = head.headers;
  const { date: _other, ...wholeHeaders } = whole.headers;
  expect([head.status, head.body.length, headHeaders]).toEqual([200, 0, wholeHeaders]);
  expect(gateway.store.calls).toEqual({ facts: 1, open: 1 });
  const ranged = await get({ range: "bytes=0-1" }, "HEAD");
  expect([ranged.status, ranged.headers["content-length"]]).toEqual([200, "26"]);
});

test("empty files are files", async () => {
  const gateway = await start();
  const path = `/group1/${await gateway.store.put("")}`;
  for (const headers of [{}, { range: "bytes=0-" }]) {
    const reply = await gateway.send({ path, headers });
    expect([reply.status, reply.headers["content-length"], reply.text]).toEqual([200, "0", ""]);
  }
  await expectAllReturned(gateway);
});

test("a large file comes whole, in pieces", async () => {
  const gateway = await start();
  const content = Buffer.alloc(3_000_001, "0123456789abc");
  const path = `/group1/${await gateway.store.put(content)}`;
  const reply = await gateway.send({ path });
  expect(reply.body.equals(content)).toBe(true);
  const part = await gateway.send({ path, headers: { range: "bytes=1000000-2999999" } });
  expect(part.body.equals(content.subarray(1_000_000, 3_000_000))).toBe(true);
  await expectAllReturned(gateway);
});

test("one range is given as it is", async () => {
  const { gateway, get } = await withLetters();
  const cases = [
    ["bytes=0-2", "abc", "bytes 0-2/26"],
    ["bytes=23-", "xyz", "bytes 23-25/26"],
    ["bytes=-1", "z", "bytes 25-25/26"],
    ["bytes=20-999", "uvwxyz", "bytes 20-25/26"],
    ["bytes=0-0", "a", "bytes 0-0/26"],
    ["bytes=5-6,99-", "fg", "bytes 5-6/26"],
  ];
  for (const [range = "", text, contentRange] of cases) {
    const reply = await get({ range });
    expect([reply.status, reply.text, reply.headers["content-range"]]).toEqual([
      206,
      text,
      contentRange,
    ]);
  }
  await expectAllReturned(gateway);
});

test("several ranges come as parts", async () => {
  const { gateway, get } = await withLetters();
  const reply = await get({ range: "bytes=0-1,-2,5-5" });
  const boundary = /^multipart\/byteranges; boundary=([0-9a-f]{30})$/.exec(
    reply.headers["content-type"] ?? "",
  )?.[1];
  expect([reply.status, reply.headers["content-length"]]).toEqual([206, String(reply.body.length)]);
  expect(reply.text.split(`--${boundary}`).map((part) => part.split("\r\n"))).toEqual([
    [""],
    ["", "Content-Type: text/plain", "Content-Range: bytes 0-1/26", "", "ab", ""],
    ["", "Content-Type: text/plain", "Content-Range: bytes 24-25/26", "", "yz", ""],
    ["", "Content-Type: text/plain", "Content-Range: bytes 5-5/26", "", "f", ""],
    ["--", ""],
  ]);
  await expectAllReturned(gateway);
});

test("a range beyond the end is refused with the size, a malformed one ignored", async () => {
  const { get } = await withLetters();
  const beyond = await get({ range: "bytes=26-" });
  expect([beyond.status, beyond.headers["content-range"], beyond.json()]).toMatchObject([
    416,
    "bytes */26",
    { error: { code: "range-unsatisfiable" } },
  ]);
  expect((await get({ range: "bytes=z" })).status).toBe(200);
  expect((await get({ range: "bytes=0-,0-,0-" })).text).toBe(alphabet);
});

test("a download is resumed only where the file is still the same", async () => {
  const { get } = await withLetters();
  const { etag = "", "last-modified": time = "" } = (await get()).headers;
  const range = "bytes=24-";
  expect((await get({ range, "if-range": etag })).text).toBe("yz");
  expect((await get({ range, "if-range": time })).text).toBe("yz");
  expect((await get({ range, "if-range": '"other"' })).text).toBe(alphabet);
  expect((await get({ range, "if-range": "Thu, 01 Jan 1970 00:00:00 GMT" })).status).toBe(200);
});

test("what the client has is not sent again", async () => {
  const { gateway, get } = await withLetters();
  const { etag = "", "last-modified": time = "" } = (await get()).headers;
  const before = gateway.store.calls.open;
  for (const headers of [{ "if-none-match": etag }, { "if-modified-since": time }]) {
    for (const method of ["GET", "HEAD"]) {
      const reply = await get(headers, method);
      expect([reply.status, reply.text, reply.headers.etag]).toEqual([304, "", etag]);
    }
  }
  expect(gateway.store.calls.open).toBe(before);
  expect((await get({ "if-none-match": '"other"' })).status).toBe(200);
});

test("what the client does not expect is refused", async () => {
  const { get } = await withLetters();
  const { etag = "" } = (await get()).headers;
  expect((await get({ "if-match": etag })).status).toBe(200);
  const failed = await get({ "if-match": '"other"' });
  expect([failed.status, failed.json()]).toMatchObject([
    412,
    { error: { code: "condition-failed" } },
  ]);
  expect((await get({ "if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT" })).status).toBe(412);
});

test("an appender file that grows is another one", async () => {
  const clock = new ManualClock();
  const gateway = await start({ store: { clock }, parts: { clock: { ...clockOf(clock) } } });
  const name = await gateway.store.upload(
    { storePathIndex: undefined, extension: "log", kind: "appender" },
    flowOfBytes(Buffer.from("one")),
  );
  const path = `/group1/${name}`;
  const fresh = await gateway.send({ path });
  expect(fresh.headers.etag).toMatch(/^W\/"/);
  clock.advance(5000);
  const settled = await gateway.send({ path });
  expect(settled.headers.etag).toBe(fresh.headers.etag?.slice(2));
  await gateway.store.append(name, flowOfBytes(Buffer.from("two")));
  clock.advance(5000);
  const grown = await gateway.send({
    path,
    headers: { "if-none-match": settled.headers.etag ?? "" },
  });
  expect([grown.status, grown.text]).toEqual([200, "onetwo"]);
});

test("a file that changes between two questions is sent as it is now", async () => {
  const { gateway, name, get } = await withLetters();
  const { store } = gateway;
  const facts = store.facts.bind(store);
  store.facts = async (...given) => {
    const found = await facts(...given);
    store.files.set(name, { content: Buffer.from("changed"), modifiedSeconds: 1 });
    return found;
  };
  const reply = await get({ range: "bytes=0-2" });
  expect([reply.status, reply.text]).toEqual([200, "changed"]);
  await expectAllReturned(gateway);
});

test("a file that shrinks between two ranges breaks the reply off", async () => {
  const { gateway, name, get } = await withLetters();
  const { store } = gateway;
  const open = store.open.bind(store);
  store.open = async (...given) => {
    const opened = await open(...given);
    store.files.set(name, { content: Buffer.from("short"), modifiedSeconds: 1 });
    return opened;
  };
  await expect(get({ range: "bytes=0-1,5-6" })).rejects.toThrow();
  await expectAllReturned(gateway);
});

test("missing files, other groups and what is no file are told apart from bad requests", async () => {
  const { gateway, name } = await withLetters();
  const status = async (path: string): Promise<number> => (await gateway.send({ path })).status;
  const absent = slaveName(name, "_none", "txt");
  expect(await status(`/group1/${absent}`)).toBe(404);
  expect(await status(`/group2/${name}`)).toBe(404);
  expect(await status(`/group1/${name.replace("M00", "M07")}`)).toBe(400);
  expect(await status("/nothing/here")).toBe(404);
  expect(await status(`/group1/${name}%00`)).toBe(400);
  expect(await status(`/group1/${"x".repeat(600)}`)).toBe(414);
});

test("what is no file id never comes near the store", async () => {
  const { gateway, name } = await withLetters();
  for (const path of [
    "/../etc/passwd",
    `/group1/M00/00/00/../${name}`,
    "/group1/%2e%2e/x",
    "/%00",
  ]) {
    await gateway.send({ path });
    await gateway.send({ path, method: "DELETE" });
  }
  expect(gateway.store.calls).toEqual({});
});

test("names for downloads come from the query", async () => {
  const { gateway, name } = await withLetters();
  const disposition = async (query: string): Promise<string | undefined> =>
    (await gateway.send({ path: `/group1/${name}?${query}` })).headers["content-disposition"];
  expect(await disposition("filename=report.txt")).toBe('attachment; filename="report.txt"');
  expect(await disposition("filename=a%0d%0aX-Evil:%201")).toBe(
    'attachment; filename="aX-Evil: 1"',
  );
  expect(await disposition("filename=%E2%82%AC.txt")).toContain("filename*=UTF-8''%E2%82%AC.txt");
  expect(await disposition("download")).toMatch(/^attachment; filename="[\w-]+\.txt"$/);
  expect(await disposition("x=1")).toBeUndefined();
});

test("where the group is not in the path, ours is meant", async () => {
  const gateway = await start({ settings: { urlHasGroup: false } });
  const name = await gateway.store.put("x");
  expect((await gateway.send({ path: `/${name}` })).status).toBe(200);
  expect((await gateway.send({ path: `/group1/${name}` })).status).toBe(200);
});

test("a store that fails is told by its status", async () => {
  const { gateway, get } = await withLetters();
  const status = async (failure: Error): Promise<unknown> => {
    gateway.store.failure = failure;
    const reply = await get();
    return [reply.status, (reply.json().error as { code: string }).code];
  };
  expect(await status(fileStoreError("store-path-offline", "gone"))).toEqual([
    503,
    "store-path-offline",
  ]);
  expect(await status(fileStoreError("disk-failed", "EIO"))).toEqual([500, "disk-failed"]);
  expect(await status(new Error("a mistake"))).toEqual([500, "internal"]);
  expect(gateway.logged.filter(({ level }) => level === "error")).toHaveLength(1);
});

test("with tokens asked for, only links of those who know the secret open", async () => {
  const antiLeech = { check: true, secret: "s", ttlMs: 600_000, failDocument: undefined };
  const gateway = await start({ settings: { antiLeech } });
  const filename = await gateway.store.put("secret", "txt");
  const timestamp = String(Math.floor(Date.now() / 1000));
  const token = antiLeechToken({ filename, secret: "s", timestamp });
  const ask = (query: string): Promise<Reply> =>
    gateway.send({ path: `/group1/${filename}?${query}` });
  expect((await ask(`token=${token}&ts=${timestamp}`)).text).toBe("secret");
  expect((await ask(`token=${token}&ts=${timestamp}&metadata`)).json()).toEqual({});
  const old = String(Number(timestamp) - 700);
  const expired = antiLeechToken({ filename, secret: "s", timestamp: old });
  for (const query of ["", `token=${token}&ts=0`, `token=${expired}&ts=${old}`, "metadata"]) {
    const reply = await ask(query);
    expect([reply.status, reply.json()]).toMatchObject([400, { error: { code: "token-invalid" } }]);
  }
  expect(gateway.store.calls).toEqual({ open: 1, readMetadata: 1, facts: 1 });
});

test("a wrong token is answered with the document for it, a missing one is not", async () => {
  const failDocument = { bytes: Buffer.from("go away"), contentType: "text/x-sorry" };
  const antiLeech = { check: true, secret: "s", ttlMs: 600_000, failDocument };
  const gateway = await start({ settings: { antiLeech } });
  const path = `/group1/${await gateway.store.put("secret")}`;
  const wrong = await gateway.send({ path: `${path}?token=${"0".repeat(32)}&ts=0` });
  expect([wrong.status, wrong.text, wrong.headers["content-type"], wrong.headers.etag]).toEqual([
    200,
    "go away",
    "text/x-sorry",
    undefined,
  ]);
  expect((await gateway.send({ path })).status).toBe(400);
});

test("plain files are left to nginx where the settings say so", async () => {
  const gateway = await start({ settings: { accelRedirectPrefix: "/_cairn_store" } });
  const name = await gateway.store.put("bytes", "html");
  const path = `/group1/${name}?filename=a.html`;
  const headers = { range: "bytes=0-1", "if-none-match": '"x"' };
  for (const method of ["GET", "HEAD"]) {
    const reply = await gateway.send({ path, headers, method });
    expect([reply.status, reply.text]).toEqual([200, ""]);
    expect(reply.headers).toMatchObject({
      "x-accel-redirect": `/_cairn_store0/data/${name.slice(4)}`,
      "content-type": "text/html",
      "content-disposition": 'attachment; filename="a.html"',
      "content-security-policy": "sandbox",
    });
  }
  expect(gateway.store.calls.open).toBeUndefined();
  const absent = slaveName(name, "_none", "");
  expect((await gateway.send({ path: `/group1/${absent}` })).status).toBe(404);
});

test("files in trunk files are not, because nginx could not find them", async () => {
  const gateway = await start({ settings: { accelRedirectPrefix: "/_cairn_store" } });
  const name = "M00/00/00/CgkAAmsDkLqIH5yJAAAAET4JJJwAAAAAQAAAAAAAAEA362.txt";
  gateway.store.files.set(name, { content: Buffer.from("in a slot"), modifiedSeconds: 1 });
  const reply = await gateway.send({ path: `/group1/${name}` });
  expect([reply.text, reply.headers["x-accel-redirect"]]).toEqual(["in a slot", undefined]);
});

test("a file that is not here may be answered for elsewhere, but not in circles", async () => {
  const asked: string[] = [];
  const elsewhere = async ({ group, name }: { group: string; name: string }) => {
    asked.push(`${group}/${name}`);
    return group === "group2"
      ? { status: 302, headers: { Location: `http://other/${group}/${name}?redirect=1` } }
      : undefined;
  };
  const gateway = await start({ parts: { elsewhere } });
  const name = slaveName(await gateway.store.put("x"), "_none", "");
  const found = await gateway.send({ path: `/group2/${name}` });
  expect([found.status, found.headers.location]).toEqual([
    302,
    `http://other/group2/${name}?redirect=1`,
  ]);
  expect((await gateway.send({ path: `/group1/${name}` })).status).toBe(404);
  expect((await gateway.send({ path: `/group2/${name}?redirect=1` })).status).toBe(404);
  expect(asked).toEqual([`group2/${name}`, `group1/${name}`]);
});

test("unknown extensions have the default type of the settings", async () => {
  const gateway = await start({ settings: { defaultContentType: "application/x-any" } });
  const path = `/group1/${await gateway.store.put("x", "zzz")}`;
  expect((await gateway.send({ path })).headers["content-type"]).toBe("application/x-any");
  expect(gatewayDefaults.defaultContentType).not.toBe("application/x-any");
});

/** The gateway's server needs timers that run; the time of day is the test's. */
function clockOf(clock: ManualClock) {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => performance.now(),
    after: (delayMs: number, task: () => void) => {
      const timer = setTimeout(task, delayMs);
      return { cancel: () => clearTimeout(timer) };
    },
    every: (periodMs: number, task: () => void) => {
      const timer = setInterval(task, periodMs);
      return { cancel: () => clearInterval(timer) };
    },
  };
}

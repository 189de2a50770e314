/** What has to work through any web server in front of a gateway; each test file runs it behind its own. */
import { Agent, request } from "node:http";
import { crc32 } from "node:zlib";
import { expect } from "vitest";
import { formBody, formType, type GatewayFixture, send } from "./gateway-fixture.ts";

/** Goes through reading, uploading and deleting at `port`, and back to the gateway behind it. */
export async function exerciseProxy(port: number, gateway: GatewayFixture): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await readFiles(port, agent, gateway);
    await uploadFiles(port, agent, gateway);
    await refuse(port);
    await keepConnections(port, agent, gateway);
  } finally {
    agent.destroy();
  }
}

async function readFiles(port: number, agent: Agent, { store }: GatewayFixture): Promise<void> {
  const path = `/group1/${await store.put("abcdefghijklmnopqrstuvwxyz", "txt")}`;
  const whole = await send(port, agent, { path: `${path}?filename=%E2%82%AC.txt` });
  expect([whole.status, whole.text.length]).toEqual([200, 26]);
  expect(whole.headers).toMatchObject({
    "content-type": "text/plain",
    "content-length": "26",
    "content-disposition": "attachment; filename=\"_.txt\"; filename*=UTF-8''%E2%82%AC.txt",
  });
  const head = await send(port, agent, { path, method: "HEAD" });
  expect([head.status, head.headers["content-length"], head.text]).toEqual([200, "26", ""]);
  const range = await send(port, agent, { path, headers: { range: "bytes=-3" } });
  expect([range.status, range.text, range.headers["content-range"]]).toEqual([
    206,
    "xyz",
    "bytes 23-25/26",
  ]);
  const several = await send(port, agent, { path, headers: { range: "bytes=0-0,25-25" } });
  expect(several.headers["content-type"]).toMatch(/^multipart\/byteranges; boundary=/);
  expect([several.status, several.text.match(/\r\n\r\n[az]\r\n/g)?.length]).toEqual([206, 2]);
  const beyond = await send(port, agent, { path, headers: { range: "bytes=99-" } });
  expect([beyond.status, beyond.headers["content-range"]]).toEqual([416, "bytes */26"]);
  const etag = whole.headers.etag ?? "";
  const known = await send(port, agent, { path, headers: { "if-none-match": etag } });
  expect([known.status, known.text]).toEqual([304, ""]);
  const missing = await send(port, agent, { path: path.replace("M00/00", "M00/7F") });
  expect([missing.status, missing.json()]).toMatchObject([404, { error: { code: "not-found" } }]);
  const empty = await send(port, agent, { path: `/group1/${await store.put("")}` });
  expect([empty.status, empty.headers["content-length"]]).toEqual([200, "0"]);
}

async function uploadFiles(port: number, agent: Agent, gateway: GatewayFixture): Promise<void> {
  const content = Buffer.alloc(20 * 1024 * 1024, "0123456789abcdef-");
  const halves = [content.subarray(0, 9_000_000), content.subarray(9_000_000)];
  const bodies: readonly (Uint8Array | readonly Uint8Array[])[] = [content, halves];
  for (const body of bodies) {
    const reply = await send(port, agent, { path: "/upload/big.bin", method: "PUT", body });
    const { size, crc32: sum, url, file_id: id } = reply.json();
    expect([reply.status, size, sum]).toEqual([201, content.length, crc32(content)]);
    expect(url).toBe(`http://127.0.0.1:${port}/${id}`);
    const back = await send(port, agent, { path: `/${id}` });
    expect(back.body.equals(content)).toBe(true);
    const removed = await send(port, agent, { path: `/${id}`, method: "DELETE" });
    expect(removed.status).toBe(204);
  }
  const form = formBody([
    { name: "file", filename: "a.jpg", type: "image/jpeg", content },
    { name: "meta.camera", content: "front" },
  ]);
  const headers = { "content-type": formType };
  const posted = await send(port, agent, { path: "/", method: "POST", headers, body: form });
  const { name } = posted.json();
  expect([posted.status, gateway.store.files.get(String(name))?.content.length]).toEqual([
    201,
    content.length,
  ]);
  const metadata = await send(port, agent, { path: `/group1/${name}?metadata` });
  expect(metadata.json()).toEqual({ camera: "front" });
  expect(await uploadAfterContinue(port)).toBe(201);
}

/** As curl does with large bodies. */
function uploadAfterContinue(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { expect: "100-continue", "content-length": "5" };
    const outgoing = request({ port, host: "127.0.0.1", path: "/upload", method: "POST", headers });
    outgoing.once("continue", () => outgoing.end("hello"));
    outgoing.once("error", reject);
    outgoing.once("response", (reply) => {
      reply.resume();
      resolve(reply.statusCode ?? 0);
    });
    outgoing.flushHeaders();
  });
}

/**
 * The fixture takes at most 64 MiB. On a connection of its own: behind `proxy_request_buffering off`, nginx passes an early
 * refusal on with `Connection: keep-alive` and then closes, so that a client which has sent everything by then may put its next
 * request on a connection that ends ("socket hang up"; in a third of the tries with bodies that fit the kernel's buffers).
 */
async function refuse(port: number): Promise<void> {
  const body = Buffer.alloc(65 * 1024 * 1024);
  const agent = new Agent({ keepAlive: false });
  const outcome = await send(port, agent, { path: "/upload", method: "PUT", body }).then(
    ({ status }) => status,
    (error: NodeJS.ErrnoException) => error.code,
  );
  // A client that sends on after the reply may be cut off before it looks at it.
  expect([413, "EPIPE", "ECONNRESET"]).toContain(outcome);
}

async function keepConnections(port: number, agent: Agent, gateway: GatewayFixture): Promise<void> {
  const path = `/group1/${await gateway.store.put("x")}`;
  for (let round = 0; round < 30; round += 1) {
    expect((await send(port, agent, { path })).status).toBe(200);
  }
  const text = gateway.metrics.render("prometheus");
  const connections = Number(/^gateway_connections (\d+)$/m.exec(text)?.[1]);
  expect(connections).toBeGreaterThan(0);
  expect(connections).toBeLessThan(8);
}

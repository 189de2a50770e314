/**
 * Goal: what the other tests of the gateway show over a store in memory holds over real files. Method: a whole node as a
 * process, spoken to over HTTP; at the end its store path is looked at.
 */
import { readdirSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import {
  formBody,
  formType,
  type Reply,
  type SendOptions,
  send,
} from "../../support/gateway-fixture.ts";
import { LiveNode } from "../../support/live-node.ts";
import { until } from "../../support/settled.ts";

const big = Buffer.alloc(5_000_003, "0123456789abcdef-");

interface Described {
  readonly file_id: string;
  readonly name: string;
  readonly size: number;
  readonly crc32: number;
}

/** Files below the directories of a store path, whose names are not the engine's own; trunk files stay when their slots are free. */
function storedFiles(folder: string): string[] {
  const data = join(folder, "store0", "data");
  const entries = readdirSync(data, { recursive: true, encoding: "utf8" });
  return entries
    .filter(
      (path) =>
        /^[\dA-F]{2}\/[\dA-F]{2}\/(?!\d{6}$)/.test(path) && statSync(join(data, path)).isFile(),
    )
    .sort();
}

/** What an upload under way or broken off keeps. */
function temporaryFiles(folder: string): string[] {
  return readdirSync(join(folder, "store0", "data", ".cairn", "tmp"));
}

test("files go into a real store and come back", { timeout: 60_000 }, async () => {
  await using node = await LiveNode.start();
  const port = node.process.ports.gateway;
  const ask = (options: SendOptions): Promise<Reply> => send(port, undefined, options);
  const contents = ["", "hello", big, Buffer.alloc(64 * 1024, "x"), Buffer.alloc(300_000, "y")];
  const form = formBody(contents.map((content) => ({ name: "f", filename: "a.bin", content })));
  const headers = { "content-type": formType };
  const posted = await ask({ path: "/", method: "POST", headers, body: form });
  expect(posted.status).toBe(201);
  const files = posted.json().files as Described[];
  for (const [at, content] of contents.entries()) {
    const bytes = Buffer.from(content);
    const { file_id: id, size, crc32: sum } = files[at] as Described;
    expect([size, sum]).toEqual([bytes.length, crc32(bytes)]);
    expect((await ask({ path: `/${id}` })).body.equals(bytes)).toBe(true);
  }
  const chunked = await ask({ path: "/upload/b.bin", method: "PUT", body: [big, "tail"] });
  const path = `/${chunked.json().file_id}`;
  const ranged = await ask({ path, headers: { range: "bytes=5000000-" } });
  expect([ranged.status, ranged.text]).toEqual([206, `${big.subarray(5_000_000)}tail`]);
  const several = await ask({ path, headers: { range: "bytes=0-2,-2,700000-700001" } });
  expect([several.status, several.headers["content-length"]]).toEqual([
    206,
    String(several.body.length),
  ]);
  const head = await ask({ path, method: "HEAD" });
  expect(head.headers["content-length"]).toBe(String(big.length + 4));
  const whole = await ask({ path });
  expect(whole.headers.etag).toBe(head.headers.etag);
  const known = await ask({ path, headers: { "if-none-match": String(head.headers.etag) } });
  expect(known.status).toBe(304);
  const merge = { path: `${path}?metadata=merge`, method: "PUT", body: '{"a":"1"}' };
  expect([(await ask(merge)).status, (await ask({ path: `${path}?metadata` })).json()]).toEqual([
    204,
    { a: "1" },
  ]);
  const query = `?master=${chunked.json().file_id}&prefix=_s`;
  const slave = await ask({ path: `/upload${query}&ext=jpg`, method: "POST", body: ["sl", "ave"] });
  expect([slave.status, slave.json().crc32]).toEqual([201, crc32("slave")]);
  // FastDFS does not recognize so short a name as that of a slave, which hides the sum of its content.
  const short = await ask({ path: `/upload${query}`, method: "POST", body: "short" });
  expect([short.status, short.json().crc32]).toEqual([201, null]);
  expect((await ask({ path: `/${short.json().file_id}` })).text).toBe("short");
  const appender = await ask({ path: "/upload?appender=1", method: "POST", body: "log" });
  expect([
    appender.json().crc32,
    (await ask({ path: `/${appender.json().file_id}` })).text,
  ]).toEqual([crc32("log"), "log"]);
  const names = [...files, chunked.json(), slave.json(), short.json(), appender.json()].map(
    ({ name }) => name,
  );
  for (const name of names) {
    expect((await ask({ path: `/group1/${name}`, method: "DELETE" })).status).toBe(204);
  }
  expect((await ask({ path })).status).toBe(404);
  expect(storedFiles(node.folder)).toEqual([]);
});

test("uploads that break off, and forms that fail, leave nothing on the disk", {
  timeout: 60_000,
}, async () => {
  await using node = await LiveNode.start(() => [
    "gateway.max_upload_size=8MiB",
    // What is packed is received where it will lie.
    "storage.packing=off",
  ]);
  const port = node.process.ports.gateway;
  // More than the store collects in memory before it writes.
  const piece = "x".repeat(3_000_000);
  const starts = [
    `PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 6000000\r\n\r\n${piece}`,
    `PUT /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${piece.length.toString(16)}\r\n${piece}`,
    `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${formType}\r\nContent-Length: 6000000\r\n\r\n${formBody([{ name: "f", filename: "a", content: piece }]).subarray(0, -40)}`,
  ];
  for (const text of starts) {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    await until(() => temporaryFiles(node.folder).length > 0, "the upload to begin");
    socket.destroy();
    await until(() => temporaryFiles(node.folder).length === 0, "the upload to be swept");
  }
  const form = formBody([
    { name: "f", filename: "a", content: piece },
    { name: "f", filename: "b", content: "x".repeat(8 * 1024 * 1024 + 1) },
  ]);
  const headers = { "content-type": formType };
  const refused = await send(port, undefined, { path: "/", method: "POST", headers, body: form });
  expect(refused.status).toBe(413);
  expect([storedFiles(node.folder), temporaryFiles(node.folder)]).toEqual([[], []]);
});

/** Forms: several files, metadata, and that a form is taken whole or not at all. */
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { decodeBase } from "#model/file-id.ts";
import {
  type FormPart,
  formBody,
  formType,
  type GatewayFixture,
  type Reply,
} from "../../support/gateway-fixture.ts";
import { gateways } from "../../support/gateways.ts";

const start = gateways();
const picture = { name: "file", filename: "a.jpg", type: "image/jpeg", content: "picture" };

function post(
  gateway: GatewayFixture,
  parts: readonly FormPart[],
  path = "/upload",
): Promise<Reply> {
  const headers = { "content-type": formType };
  return gateway.send({ path, method: "POST", headers, body: formBody(parts) });
}

function codeOf(reply: Reply): unknown {
  return (reply.json().error as { code: string } | undefined)?.code;
}

function contents({ store }: GatewayFixture): string[] {
  return [...store.files.values()].map(({ content }) => content.toString());
}

test("one file is described both by itself and in the list", async () => {
  const gateway = await start();
  const reply = await post(gateway, [picture]);
  const { files, ...single } = reply.json();
  expect([reply.status, files, single.size]).toEqual([201, [single], 7]);
  expect(reply.headers.location).toBe(single.url);
  expect(contents(gateway)).toEqual(["picture"]);
  expect(decodeBase(String(single.name).slice(10))?.extension).toBe("jpg");
});

test("several files come in the order of the form", async () => {
  const gateway = await start();
  const parts = ["one", "two", "three"].map((content) => ({ ...picture, content }));
  const reply = await post(gateway, parts, "/");
  const files = reply.json().files as { name: string; size: number }[];
  expect(files.map(({ name }) => gateway.store.files.get(name)?.content.toString())).toEqual([
    "one",
    "two",
    "three",
  ]);
  expect(reply.json().file_id).toBeUndefined();
});

test("a large file streams through, in chunks of unknown length as well", async () => {
  const gateway = await start();
  const content = Buffer.alloc(6_000_000, "\r\n--almost a boundary");
  const form = formBody([picture, { ...picture, content }]);
  const headers = { "content-type": formType };
  for (const body of [form, [form.subarray(0, 100_000), form.subarray(100_000)]]) {
    const reply = await gateway.send({ path: "/upload", method: "POST", headers, body });
    const [, big] = reply.json().files as { name: string; size: number }[];
    expect(big?.size).toBe(content.length);
    expect(gateway.store.files.get(big?.name ?? "")?.content.equals(content)).toBe(true);
  }
});

test("metadata comes as JSON or field by field, before or behind the files, for all of them", async () => {
  const gateway = await start();
  const reply = await post(gateway, [
    { name: "metadata", content: '{"a":"1","b":"2"}' },
    picture,
    { ...picture, content: "second" },
    { name: "meta.b", content: "zwei" },
    { name: "meta.ü", content: "" },
    { name: "other", content: "ignored" },
  ]);
  for (const { name } of reply.json().files as { name: string }[]) {
    const path = `/group1/${name}?metadata`;
    expect((await gateway.send({ path })).json()).toEqual({ a: "1", b: "zwei", ü: "" });
  }
});

test("parts without a name or a file name are files where their type says so", async () => {
  const gateway = await start();
  const reply = await post(gateway, [
    { type: "image/png", content: "camera" },
    { name: "info", type: "application/json", content: "{}" },
    { name: "note", type: "text/plain", content: "no file" },
  ]);
  expect([reply.status, contents(gateway)]).toEqual([201, ["camera"]]);
});

test("an input without a file is no file; one with content but no name is a mistake", async () => {
  const gateway = await start();
  const nothing = { name: "file", filename: "", type: "application/octet-stream", content: "" };
  expect((await post(gateway, [nothing, picture])).json().size).toBe(7);
  const alone = await post(gateway, [nothing]);
  expect([alone.status, codeOf(alone)]).toEqual([400, "request-invalid"]);
  const unnamed = await post(gateway, [{ ...nothing, content: "x" }]);
  expect([unnamed.status, codeOf(unnamed)]).toEqual([400, "request-invalid"]);
});

test("an empty file is a file", async () => {
  const gateway = await start();
  expect((await post(gateway, [{ ...picture, content: "" }])).json().size).toBe(0);
});

test("the query counts for every file of the form", async () => {
  const gateway = await start();
  const reply = await post(gateway, [picture, picture], "/upload?ext=raw&appender=1");
  for (const { name } of reply.json().files as { name: string }[]) {
    expect(decodeBase(name.slice(10))).toMatchObject({ isAppender: true, extension: "raw" });
  }
});

test("a master takes one file of a form, and a second one undoes the first", async () => {
  const gateway = await start();
  const master = await gateway.store.put("master", "jpg");
  const path = `/upload?master=group1/${master}&prefix=_s`;
  const two = await post(gateway, [picture, picture], path);
  expect([two.status, gateway.store.files.size]).toEqual([400, 1]);
  expect((await post(gateway, [picture], path)).json().name).toBe(master.replace(".", "_s."));
});

test("a form that fails in any way leaves nothing behind", async () => {
  const gateway = await start({ settings: { maxUploadSizeBytes: 1000 } });
  const whole = formBody([picture, { ...picture, content: "second" }]);
  const headers = { "content-type": formType };
  const send = (body: Uint8Array): Promise<Reply> =>
    gateway.send({ path: "/upload", method: "POST", headers, body });
  const replies = [
    await send(whole.subarray(0, whole.length - 6)),
    await send(whole.subarray(0, whole.length - 80)),
    await post(gateway, [picture, { ...picture, content: "x".repeat(1001) }]),
    await post(gateway, [picture, { name: "metadata", content: "{" }]),
    await post(gateway, [picture, { name: "meta.a", content: "x".repeat(257) }]),
    await post(gateway, [picture, { name: "meta.a", content: "x".repeat(70_000) }]),
    await post(
      gateway,
      Array.from({ length: 257 }, () => picture),
    ),
  ];
  expect(replies.map(({ status }) => status)).toEqual([400, 400, 413, 400, 400, 413, 400]);
  gateway.store.writeMetadata = async () => {
    throw fileStoreError("disk-failed", "EIO");
  };
  const failed = await post(gateway, [picture, { name: "meta.a", content: "b" }]);
  expect([failed.status, contents(gateway)]).toEqual([500, []]);
});

test("what cannot be undone is logged", async () => {
  const gateway = await start();
  gateway.store.remove = async () => {
    throw fileStoreError("store-path-offline", "gone");
  };
  await post(gateway, [picture, { name: "metadata", content: "{" }]);
  expect(gateway.logged.find(({ level }) => level === "warn")).toMatchObject({
    event: "upload-not-discarded",
  });
});

test("a form without a boundary is told so", async () => {
  const gateway = await start();
  const headers = { "content-type": "multipart/form-data" };
  const reply = await gateway.send({ path: "/", method: "POST", headers, body: "x" });
  expect([reply.status, codeOf(reply)]).toEqual([415, "body-unsupported"]);
});

test("PUT takes the body as it is, whatever its type", async () => {
  const gateway = await start();
  const headers = { "content-type": formType };
  const body = formBody([picture]);
  const reply = await gateway.send({ path: "/upload", method: "PUT", headers, body });
  expect(reply.json().size).toBe(body.length);
});

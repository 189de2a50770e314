/** DELETE and metadata over HTTP. */
import { expect, test } from "vitest";
import type { Reply } from "../../support/gateway-fixture.ts";
import { gateways } from "../../support/gateways.ts";

const start = gateways();

function codeOf(reply: Reply): unknown {
  return (reply.json().error as { code: string } | undefined)?.code;
}

test("a file is deleted once", async () => {
  const gateway = await start();
  const path = `/group1/${await gateway.store.put("x")}`;
  const first = await gateway.send({ path, method: "DELETE" });
  expect([first.status, first.text, gateway.store.files.size]).toEqual([204, "", 0]);
  const second = await gateway.send({ path, method: "DELETE" });
  expect([second.status, codeOf(second)]).toEqual([404, "not-found"]);
});

test("deleting can be switched off", async () => {
  const gateway = await start({ settings: { delete: false } });
  const path = `/group1/${await gateway.store.put("x")}`;
  const reply = await gateway.send({ path, method: "DELETE" });
  expect([reply.status, codeOf(reply), gateway.store.files.size]).toEqual([403, "switched-off", 1]);
});

test("a file is deleted only if it is the one that the client means", async () => {
  const gateway = await start();
  const path = `/group1/${await gateway.store.put("x")}`;
  const { etag = "" } = (await gateway.send({ path })).headers;
  const remove = async (value: string): Promise<number> =>
    (await gateway.send({ path, method: "DELETE", headers: { "if-match": value } })).status;
  expect([await remove('"other"'), gateway.store.files.size]).toEqual([412, 1]);
  expect([await remove(etag), await remove(etag)]).toEqual([204, 404]);
});

test("metadata is read, replaced, merged and removed as JSON", async () => {
  const gateway = await start();
  const file = `/group1/${await gateway.store.put("x")}`;
  const path = `${file}?metadata`;
  const put = async (to: string, body: string): Promise<number> =>
    (await gateway.send({ path: to, method: "PUT", body })).status;
  const read = async (): Promise<unknown> => (await gateway.send({ path })).json();
  expect(await read()).toEqual({});
  expect([await put(path, '{"b":"2","a":"1"}'), await read()]).toEqual([204, { a: "1", b: "2" }]);
  expect([await put(`${path}=merge`, '{"b":"zwei","c":3}'), await read()]).toEqual([
    204,
    { a: "1", b: "zwei", c: "3" },
  ]);
  expect([await put(`${path}=overwrite`, '{"d":"4"}'), await read()]).toEqual([204, { d: "4" }]);
  const removed = await gateway.send({ path, method: "DELETE" });
  expect([removed.status, await read(), gateway.store.files.size]).toEqual([204, {}, 1]);
});

test("metadata that cannot be stored as it is, is refused", async () => {
  const gateway = await start();
  const path = `/group1/${await gateway.store.put("x")}?metadata`;
  const put = async (to: string, body: string): Promise<number> =>
    (await gateway.send({ path: to, method: "PUT", body })).status;
  expect(await put(path, "{")).toBe(400);
  expect(await put(path, '{"a\\u0001":"b"}')).toBe(400);
  expect(await put(path, `{"a":"${"x".repeat(300)}"}`)).toBe(400);
  expect(await put(path, `{"a":"${"x".repeat(70_000)}"}`)).toBe(413);
  expect(await put(`${path}=append`, "{}")).toBe(400);
  expect(gateway.store.metadata.size).toBe(0);
});

test("the metadata of a missing file is missing, for reading and for writing", async () => {
  const gateway = await start();
  const name = await gateway.store.put("x");
  await gateway.store.remove(name);
  const path = `/group1/${name}?metadata`;
  const replies = [
    await gateway.send({ path }),
    await gateway.send({ path, method: "PUT", body: "{}" }),
    await gateway.send({ path, method: "DELETE" }),
  ];
  expect(replies.map(({ status }) => status)).toEqual([404, 404, 404]);
});

test("the content of a file cannot be replaced", async () => {
  const gateway = await start();
  const path = `/group1/${await gateway.store.put("x")}`;
  const reply = await gateway.send({ path, method: "PUT", body: "{}" });
  expect([reply.status, codeOf(reply)]).toEqual([400, "request-invalid"]);
});

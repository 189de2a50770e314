/** What requests say in the fields of a ring record. */
import { expect, test } from "vitest";
import type { RingRecord } from "#filestore/ring.ts";
import { changesName, sourceOf, targetOf } from "#filestore/worker/request-fields.ts";
import { request, targetShift, writeFlag, writeTarget } from "#filestore/worker-messages.ts";

function record(fields: Partial<RingRecord>): RingRecord {
  const empty = { id: 1, kind: request.write, flags: 0, block: -1, blockLength: 0 };
  return { ...empty, a: 0, b: 0, c: 0, text: "", text2: "", ...fields };
}

function target(kind: keyof typeof writeTarget, fields: Partial<RingRecord>) {
  const flags = (writeTarget[kind] << targetShift) | writeFlag.first;
  return targetOf(record({ ...fields, flags }));
}

test("the first piece of an upload says where it goes", () => {
  expect(target("normal", { text: "jpg" })).toMatchObject({ kind: "normal", extension: "jpg" });
  expect(target("appender", { text: "log" })).toEqual({ kind: "appender", extension: "log" });
  expect(target("slave", { text: "M00/master", text2: "_s\0png" })).toEqual({
    ...{ kind: "slave", master: "M00/master", prefix: "_s", extension: "png" },
  });
  expect(target("append", { text: "M00/a" })).toEqual({ kind: "append", name: "M00/a" });
  const modify = { kind: "modify", name: "M00/a", offset: 7 };
  expect(target("modify", { text: "M00/a", c: 7 })).toEqual(modify);
  expect(() => target("slot", { text: "jpg", text2: "nonsense" })).toThrow("no slot");
});

test("a source is an address or an id", () => {
  const address = { kind: "address", address: "10.0.0.1" };
  expect(sourceOf(record({ text: "address", text2: "10.0.0.1" }))).toEqual(address);
  expect(sourceOf(record({ text: "id", text2: "100001" }))).toEqual({ kind: "id", id: "100001" });
});

test("what changes a file by its name waits for others that do", () => {
  const { remove, truncate, regenerate, writeMetadata, read, facts, write } = request;
  expect([remove, truncate, regenerate, writeMetadata].every(changesName)).toBe(true);
  expect([read, facts, write].some(changesName)).toBe(false);
});

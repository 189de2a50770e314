import { expect, test } from "vitest";
import { narrowAddresses, releaseNumber, wideAddresses } from "#protocol/codec.ts";
import { trackerQueries } from "#protocol/fastdfs/tracker-queries.ts";
import { body, decoded, encoded } from "../../../support/wire-bytes.ts";

const group = ["group1", 16] as const;
const invalid = expect.objectContaining({ name: "ProtocolError", reason: "invalid" });
const ports = (...addresses: readonly string[]) =>
  addresses.map((address) => ({ address, port: 23000 }));

test("a target is recognised in both widths by its length", () => {
  const { reply } = trackerQueries.queryStore;
  const target = {
    group: "group1",
    address: "10.9.0.2",
    port: 23000,
    storePathIndex: 255,
  } as never;
  const narrow = body(group, ["10.9.0.2", 15], { i64: 23000 }, 255);
  const wide = body(group, ["10.9.0.2", 45], { i64: 23000 }, 255);
  expect([encoded(reply, target), encoded(reply, target, wideAddresses)]).toEqual([narrow, wide]);
  expect([decoded(reply, narrow), decoded(reply, wide)]).toEqual([target, target]);
  expect(() => decoded(reply, narrow.subarray(1))).toThrow(invalid);
});

test("a port that is none is refused, and an address that does not fit is not sent", () => {
  const { reply } = trackerQueries.queryFetch;
  for (const port of [0, -1, 65536]) {
    expect(() => decoded(reply, body(group, ["10.9.0.2", 15], { i64: port }))).toThrow(invalid);
  }
  const far = { group: "group1", address: "2001:db8::3:4:5:6", port: 1 } as never;
  expect(() => encoded(reply, far, narrowAddresses)).toThrow(invalid);
  expect(encoded(reply, far, wideAddresses)).toHaveLength(69);
});

test("file names of 22 to 127 bytes are asked for", () => {
  const { request } = trackerQueries.queryFetch;
  const query = (length: number): unknown => decoded(request, body(group, "n".repeat(length)));
  expect(query(22)).toMatchObject({ filename: "n".repeat(22) });
  expect(query(127)).toMatchObject({ group: "group1" });
  for (const length of [0, 21, 128]) expect(() => query(length)).toThrow(invalid);
});

test("a group is asked for by exactly 16 bytes, whether it exists or not", () => {
  const { request } = trackerQueries.queryStoreInGroup;
  expect(decoded(request, body(["no_such_group", 16]))).toEqual({ group: "no_such_group" });
  expect(() => decoded(request, body("group1"))).toThrow(invalid);
});

test("23 wide servers are not taken for 53 narrow ones", () => {
  const { reply } = trackerQueries.queryStoreAll;
  for (const [count, context] of [
    [23, wideAddresses],
    [53, narrowAddresses],
  ] as const) {
    const addresses = Array.from({ length: count }, (_none, at) => `10.9.0.${at}`);
    const targets = { group: "group1", servers: ports(...addresses), storePathIndex: 1 } as never;
    const bytes = encoded(reply, targets, context);
    expect(bytes).toHaveLength(16 + 23 * 53 + 1);
    expect(decoded(reply, bytes)).toEqual(targets);
  }
});

test("all servers of a file come with ports, before 6.16 with one port for all", () => {
  const { reply } = trackerQueries.queryFetchAll;
  const targets = { group: "group1", servers: ports("10.9.0.2", "10.9.0.3", "10.9.0.4") } as never;
  for (const base of [narrowAddresses, wideAddresses]) {
    const old = { ...base, release: releaseNumber(6, 15, 5) };
    expect(decoded(reply, encoded(reply, targets, base))).toEqual(targets);
    expect(decoded(reply, encoded(reply, targets, old))).toEqual(targets);
  }
  const ambiguous = encoded(reply, targets, { ...narrowAddresses, release: 61505 });
  expect(ambiguous).toHaveLength(69);
});

test("what is no list of servers is refused", () => {
  const { queryFetchAll, queryStoreAll } = trackerQueries;
  for (const length of [0, 16, 17, 38, 40, 62, 70, 500]) {
    const bytes = Buffer.concat([body(group), Buffer.alloc(length)]);
    expect(() => decoded(queryFetchAll.reply, bytes), String(length)).toThrow(invalid);
    expect(() => decoded(queryStoreAll.reply, bytes), String(length)).toThrow(invalid);
  }
});

import { expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { formatStorageIdLine, type StorageIdEntry } from "#model/storage-id-line.ts";
import { readWriteMode } from "#model/storage-status.ts";
import { maxStorageIdsReplyBytes } from "#tracker/limits.ts";
import { identify, idOfAddress, StorageIdTable } from "#tracker/storage-identity.ts";

const group1 = GroupName("group1");

function entry(id: string, address: string, given: Partial<StorageIdEntry> = {}): StorageIdEntry {
  const { both } = readWriteMode;
  return {
    id: StorageId(id),
    group: group1,
    addresses: [address],
    port: 23000,
    mode: both,
    ...given,
  };
}

const first = entry("100001", "10.0.0.1", { addresses: ["10.0.0.1", "59.1.2.3"] });
const second = entry("100002", "10.0.0.1", { port: 23001 });
const table = new StorageIdTable([second, first]);

test("without a table a storage is its address", () => {
  const place = { group: group1, address: "10.9.0.2", port: 23000 };
  expect(identify(undefined, place, StorageId("ignored"))).toEqual({
    id: "10.9.0.2",
    group: "group1",
    addresses: ["10.9.0.2"],
    port: 23000,
    mode: readWriteMode.both,
  });
});

test("an IPv6 address has the short code of the protocol's example", () => {
  expect(idOfAddress("fe80::2")).toBe("7iM0dwAAAAA.");
});

test("with a table the claimed id decides, else group, address and port", () => {
  const place = { group: group1, address: "59.1.2.3", port: 23000 };
  expect(identify(table, place, undefined)).toBe(first);
  expect(identify(table, place, StorageId("100002"))).toBe(second);
  expect(identify(table, place, StorageId("5"))).toBeUndefined();
  expect(identify(table, { ...place, port: 23001 }, undefined)).toBeUndefined();
  expect(identify(table, { ...place, group: GroupName("group2") }, undefined)).toBeUndefined();
});

test("the table is sorted by id as text", () => {
  const ids = new StorageIdTable([entry("7", "10.0.0.7"), entry("100", "10.0.0.8")]).entries;
  expect(ids.map(({ id }) => id)).toEqual(["100", "7"]);
});

test("pages hold what fits a reply, and together the whole table", () => {
  const many = Array.from({ length: 1000 }, (_, at) =>
    entry(String(100_000 + at), `10.1.${at % 250}.${1 + Math.floor(at / 250)}`),
  );
  const large = new StorageIdTable(many);
  const ids: string[] = [];
  while (ids.length < many.length) {
    const page = large.page(ids.length);
    const bytes = 8 + page.reduce((sum, each) => sum + formatStorageIdLine(each).length + 1, 0);
    expect(page.length).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(maxStorageIdsReplyBytes);
    ids.push(...page.map(({ id }) => id));
  }
  expect(ids).toEqual(many.map(({ id }) => id));
});

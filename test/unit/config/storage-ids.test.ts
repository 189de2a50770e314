import fc from "fast-check";
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { present } from "#base/assert.ts";
import {
  addressForRequester,
  type NumberedStorageId,
  parseStorageIds,
  settleStorageIds,
  storageHostNames,
  storageIdWarnings,
} from "#config/storage-ids.ts";
import { formatStorageIdLine } from "#model/storage-id-line.ts";
import { readWriteMode } from "#model/storage-status.ts";

function failure(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError && error.code === "storage-ids-invalid") return error.message;
    throw error;
  }
  return "no error";
}

function settled(text: string, resolved = new Map<string, string>()): readonly NumberedStorageId[] {
  return settleStorageIds(parseStorageIds(text, "ids"), resolved, "ids");
}

test("every form of a line is read", () => {
  const text = [
    "# comment",
    "",
    "100001\tgroup1  192.168.0.196  ",
    "100002   group1  192.168.0.197:23001   RW=ReadOnly",
    "100003 group2 [2001:DB8::3]:23000 rw=none\r",
    "100004 group2 192.168.0.10,59.1.2.3:23000 rw=writeonly",
    "100005 group2 nas-5.lan rw=all",
    "7 group3 2001:db8::7",
    "8 group3 [2001:db8::8,10.0.0.8]:24000",
  ].join("\n");
  const rows = parseStorageIds(text, "ids").map(({ id, group, addresses, port, mode, line }) => [
    id,
    group,
    addresses.join(" "),
    port,
    mode,
    line,
  ]);
  expect(rows).toEqual([
    ["100001", "group1", "192.168.0.196", 23000, readWriteMode.both, 3],
    ["100002", "group1", "192.168.0.197", 23001, readWriteMode.read, 4],
    ["100003", "group2", "2001:db8::3", 23000, readWriteMode.none, 5],
    ["100004", "group2", "192.168.0.10 59.1.2.3", 23000, readWriteMode.write, 6],
    ["100005", "group2", "nas-5.lan", 23000, readWriteMode.both, 7],
    ["7", "group3", "2001:db8::7", 23000, readWriteMode.both, 8],
    ["8", "group3", "2001:db8::8 10.0.0.8", 24000, readWriteMode.both, 9],
  ]);
});

test("every wrong line is reported with its number", () => {
  const text = [
    "0 g 10.0.0.1",
    "01 g 10.0.0.2",
    "16777216 g 10.0.0.3",
    "1 gr-oup 10.0.0.4",
    "2 g",
    "3 g 10.0.0.5:0",
    "4 g 10.0.0.300",
    "5 g 10.0.0.6 rw=maybe",
    "6 g 10.0.0.7 rw=both more",
    "7 g 10.0.0.8,10.0.0.9,10.0.0.10",
    "8 g 10.0.0.11",
  ].join("\n");
  const lines = failure(() => parseStorageIds(text, "ids.conf")).split("\n");
  expect(lines.map((each) => each.split(": ")[0])).toEqual(
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((line) => `ids.conf:${line}`),
  );
});

test("a file without a storage is refused", () => {
  expect(failure(() => parseStorageIds("# nothing\n\n", "ids"))).toContain("no storage in it");
});

test("an id and an address with port may stand only once, in whatever group", () => {
  expect(failure(() => parseStorageIds("1 a 10.0.0.1\n1 a 10.0.0.2", "ids"))).toContain(
    "ids:2: the id 1 stands in line 1",
  );
  expect(failure(() => parseStorageIds("1 a 10.0.0.1\n2 b 10.0.0.1:23000", "ids"))).toContain(
    "10.0.0.1:23000 stands in line 1",
  );
  expect(parseStorageIds("1 a 10.0.0.1\n2 b 10.0.0.1:23001", "ids")).toHaveLength(2);
});

test("names are put in place of addresses, and checked again", () => {
  const entries = parseStorageIds("1 a nas1\n2 a nas2,59.1.2.3\n3 a 10.0.0.3", "ids");
  expect(storageHostNames(entries)).toEqual(["nas1", "nas2"]);
  const resolved = new Map([
    ["nas1", "10.0.0.1"],
    ["nas2", "192.168.0.2"],
  ]);
  expect(settleStorageIds(entries, resolved, "ids").map((each) => each.addresses)).toEqual([
    ["10.0.0.1"],
    ["192.168.0.2", "59.1.2.3"],
    ["10.0.0.3"],
  ]);
  expect(
    failure(() => settleStorageIds(entries, new Map([["nas1", "10.0.0.1"]]), "ids")),
  ).toContain('ids:2: the host name "nas2" has no address');
  const same = new Map([...resolved, ["nas1", "10.0.0.3"]] as const);
  expect(failure(() => settleStorageIds(entries, same, "ids"))).toContain(
    "10.0.0.3:23000 stands in line 1",
  );
});

test("ids are sorted as text", () => {
  expect(settled("9 a 10.0.0.1\n100 a 10.0.0.2\n10 a 10.0.0.3").map((each) => each.id)).toEqual([
    "10",
    "100",
    "9",
  ]);
});

test("two addresses of one storage are of two types, an outer one second", () => {
  expect(settled("1 a 59.1.2.3,10.0.0.1")[0]?.addresses).toEqual(["10.0.0.1", "59.1.2.3"]);
  expect(settled("1 a 192.168.0.1,172.20.0.1")[0]?.addresses).toEqual([
    "192.168.0.1",
    "172.20.0.1",
  ]);
  for (const pair of [
    "10.0.0.1,10.1.0.1",
    "59.1.2.3,8.8.8.80",
    "[2001:db8::1,59.1.2.3]",
    "172.16.0.1,172.31.0.1",
  ]) {
    expect(failure(() => settled(`1 a ${pair}`))).toContain("of one type");
  }
});

test("a requester is given the address of its own type", () => {
  const [row] = settled("1 a 10.0.0.1,59.1.2.3");
  const [inner] = settled("1 a 10.0.0.1,192.168.0.1");
  const [single] = settled("1 a 10.0.0.1");
  expect(
    ["10.9.9.9", "8.8.8.8", "172.16.0.1", "2001:db8::1"].map((from) =>
      addressForRequester(present(row, "row"), from),
    ),
  ).toEqual(["10.0.0.1", "59.1.2.3", "10.0.0.1", "59.1.2.3"]);
  expect(addressForRequester(present(inner, "row"), "192.168.7.7")).toBe("192.168.0.1");
  expect(addressForRequester(present(inner, "row"), "8.8.8.8")).toBe("10.0.0.1");
  expect(addressForRequester(present(single, "row"), "8.8.8.8")).toBe("10.0.0.1");
});

test("addresses that C nodes cannot read are warned of", () => {
  expect(storageIdWarnings(settled("1 a 1.1.1.1\n2 a 10.0.0.1"))).toEqual([
    "line 1: C FastDFS nodes refuse an address of fewer than 8 characters: 1.1.1.1",
  ]);
});

test("what is formatted reads back as the same storages", () => {
  const number = fc.integer({ min: 1, max: 254 });
  const inner = fc.tuple(number, number).map(([a, b]) => `10.7.${a}.${b}`);
  const outer = fc
    .tuple(number, number)
    .map(([a, b]) => `2001:db8::${a.toString(16)}:${b.toString(16)}`);
  const entry = fc.record({
    addresses: fc.oneof(
      inner.map((each) => [each]),
      outer.map((each) => [each]),
      fc.tuple(inner, outer).map((pair) => [...pair]),
    ),
    port: fc.integer({ min: 1, max: 65535 }),
    mode: fc.constantFrom(...Object.values(readWriteMode)),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(entry, { minLength: 1, maxLength: 8, selector: (each) => each.port }),
      (entries) => {
        const lines = entries.map((each, at) =>
          formatStorageIdLine({ ...each, id: `${at + 1}`, group: "group1" } as never),
        );
        const read = settled(lines.join("\n"));
        expect(read.map(({ addresses, port, mode }) => ({ addresses, port, mode }))).toEqual(
          entries,
        );
      },
    ),
    { numRuns: 50 },
  );
});

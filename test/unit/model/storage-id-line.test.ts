import { expect, test } from "vitest";
import { formatStorageIdLine, parseStorageIdLine } from "#model/storage-id-line.ts";

test("the lines of the protocol's example are read", () => {
  const lines = [
    "100001  group1  192.168.0.196",
    "100002\tgroup1\t 192.168.0.197:23001   rw=readonly",
    "100003  group2  [2001:db8::3]:23000",
    "100004  group2  192.168.0.10,59.1.2.3:23000 RW=None",
  ];
  expect(lines.map(parseStorageIdLine)).toEqual([
    { id: "100001", group: "group1", addresses: ["192.168.0.196"], port: 23000, mode: 6 },
    { id: "100002", group: "group1", addresses: ["192.168.0.197"], port: 23001, mode: 4 },
    { id: "100003", group: "group2", addresses: ["2001:db8::3"], port: 23000, mode: 6 },
    {
      id: "100004",
      group: "group2",
      addresses: ["192.168.0.10", "59.1.2.3"],
      port: 23000,
      mode: 0,
    },
  ]);
});

test("what the reference sends is read and written alike", () => {
  const lines = [
    "100001 group1 10.9.0.2:23000",
    "100002 group1 10.9.0.2:23001 rw=write",
    "7 group1 10.9.0.3,192.168.9.3:23000 rw=read",
    "100003 group2 [2001:db8::3]:23000 rw=none",
  ];
  const written = lines.map((line) => {
    const entry = parseStorageIdLine(line);
    return typeof entry === "string" ? entry : formatStorageIdLine(entry);
  });
  expect(written).toEqual(lines);
});

test("each defect is told", () => {
  const told = (line: string): unknown => parseStorageIdLine(line);
  expect(told("1 group1")).toContain("a line has the columns");
  expect(told("")).toContain("a line has the columns");
  expect(told("01 group1 10.0.0.1")).toContain('"01" is not a storage id');
  expect(told("16777216 group1 10.0.0.1")).toContain("is not a storage id");
  expect(told("1 group_1 10.0.0.1")).toContain('"group_1" is not a group name');
  expect(told("1 group1 10.0.0.1:0")).toContain('"10.0.0.1:0" is not an address');
  expect(told("1 group1 10.0.0.1 rw=some")).toContain('"rw=some" is not understood');
  expect(told("1 group1 10.0.0.1 ro")).toContain('"ro" is not understood');
  expect(told("1 group1 10.0.0.1 rw=read x")).toContain('"x" is not understood');
  expect(told(`1 group1 ${"1".repeat(300)}`)).toContain("longer than 256 characters");
});

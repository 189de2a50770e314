import { expect, test } from "vitest";
import { slotOfKey } from "#filestore/import/foreign-files.ts";
import { formatLine, type ListLine, parseLine, readList } from "#filestore/import/import-list.ts";

const old = { group: "group3", newGroup: "group1", storePath: "M02" };
const begun = {
  ...({ key: "00/01/a", kind: "normal", sizeBytes: 5, crc32: 77 } as const),
  ...{ extension: "jpg", atSeconds: 1000 },
};

test("lines are read as they were written, and those of other paths are not", () => {
  const lines: ListLine[] = [
    { kind: "file", key: "00/01/a", name: "M00/AA/BB/new" },
    { kind: "left", key: "00/01/b", why: "it is torn, in words" },
    { kind: "part", part: "00/01" },
    { kind: "begun", file: begun },
    { kind: "begun", file: { ...begun, kind: "appender", crc32: undefined, extension: "" } },
  ];
  for (const line of lines) {
    const text = formatLine(line, old).slice(0, -1);
    expect(parseLine(text, old)).toEqual(line);
    expect(parseLine(text, { ...old, storePath: "M03" })).toBeUndefined();
  }
  expect(formatLine(lines[0] as ListLine, old)).toBe("group3/M02/00/01/a group1/M00/AA/BB/new\n");
});

test("what is known is what lies in parts that are not done, packed files, and what was begun last", () => {
  const line = (each: ListLine): string => formatLine(each, old).slice(0, -1);
  const packed = "00/00/000002@64";
  const soFar = readList(
    [
      line({ kind: "file", key: packed, name: "M00/packed" }),
      line({ kind: "file", key: "00/01/x", name: "M00/x" }),
      line({ kind: "part", part: "00/01" }),
      line({ kind: "begun", file: begun }),
      line({ kind: "begun", file: { ...begun, key: "00/02/b" } }),
      line({ kind: "file", key: "00/01/a", name: "M00/a" }),
      line({ kind: "left", key: "00/02/c", why: "torn" }),
      "group3/M02/00/02/cut",
    ],
    old,
    slotOfKey,
  );
  const slot = slotOfKey(packed) ?? "";
  expect(soFar.names).toEqual(
    new Map([
      [slot, "M00/packed"],
      ["00/01/a", "M00/a"],
    ]),
  );
  expect([...soFar.parts, ...soFar.left, ...soFar.begun.keys()]).toEqual([
    "00/01",
    "00/02/c",
    "00/02/b",
  ]);
  expect([soFar.files, soFar.leftCount]).toEqual([3, 1]);
  expect(soFar.recent).toEqual(new Set(["M00/packed", "M00/x", "M00/a"]));
});

/** What URLs and headers say about a file to come. */
import { expect, test } from "vitest";
import { readUploadOptions, suggestedExtension } from "#gateway/upload-options.ts";
import { GroupName } from "#model/group-name.ts";

const group = GroupName("group1");
const master = "M01/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin";

function read(query: string): unknown {
  try {
    return readUploadOptions(new URLSearchParams(query), group);
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test("without parameters it is a normal file of our group", () => {
  expect(read("")).toEqual({ group, kind: "normal", extension: undefined, slave: undefined });
});

test("each parameter is understood", () => {
  expect(read("ext=tar.gz&appender=1&group=other")).toEqual({
    group: "other",
    kind: "appender",
    extension: "tar.gz",
    slave: undefined,
  });
  expect(read("ext=")).toMatchObject({ extension: "" });
  expect(read(`master=group2/${master}&prefix=_s&ext=jpg`)).toEqual({
    group: "group2",
    kind: "normal",
    extension: "jpg",
    slave: { master: { group: "group2", name: master }, prefix: "_s" },
  });
  expect(read(`master=${master}&prefix=_s`)).toMatchObject({ group });
});

test("parameters that cannot be are refused", () => {
  const invalid = [
    "ext=toolong",
    "ext=a/b",
    "ext=a%00",
    `master=${master}`,
    "prefix=_s",
    `master=${master}&prefix=`,
    `master=${master}&prefix=a/b`,
    `master=${master}&prefix=${"p".repeat(17)}`,
    `master=${master}&prefix=_s&appender=1`,
    "master=group1/M00/00/../x&prefix=_s",
  ];
  expect(invalid.filter((query) => read(query) !== "request-invalid")).toEqual([]);
  expect(read("group=no-such_group")).toBe("not-found");
  expect(read("group=")).toBe("not-found");
});

test("the extension comes from the name, else from the type, and never is too long", () => {
  const suggest = (filename?: string, contentType?: string): string =>
    suggestedExtension({ filename, contentType });
  expect(suggest("a.JPG")).toBe("JPG");
  expect(suggest("archive.tar.gz")).toBe("tar.gz");
  expect(suggest("archive.tar.zst")).toBe("zst");
  expect(suggest("a.b.c")).toBe("c");
  expect([suggest(".profile"), suggest("name"), suggest("name."), suggest("a.geojson")]).toEqual(
    Array(4).fill(""),
  );
  expect(suggest("a.j/g")).toBe("");
  expect(suggest("blob", "image/jpeg")).toBe("jpg");
  expect(suggest(undefined, "application/octet-stream")).toBe("");
});

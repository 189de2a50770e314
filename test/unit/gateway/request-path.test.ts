/** From URL paths to files; what is not the id of a file goes no further. */
import { expect, test } from "vitest";
import { fileAddressOf, parseFileId } from "#gateway/request-path.ts";
import { GroupName } from "#model/group-name.ts";

const group = GroupName("group1");
const base = "CgkAAmsDkLqADHp4ACAAABc5iXA711.bin";
const name = `M01/00/A0/${base}`;
const trunk = "M00/00/00/CgkAAmsDkLqIH5yJAAAAET4JJJwAAAAAQAAAAAAAAEA362.txt";

/** The address as text, or the code of the refusal. */
function look(path: string, urlHasGroup = true): string {
  try {
    const address = fileAddressOf(path, { group, urlHasGroup });
    return `${address.group}:${address.name}`;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test("a file id is found, of any group, plain or percent-encoded", () => {
  expect(look(`/group1/${name}`)).toBe(`group1:${name}`);
  expect(look(`/other/${trunk}`)).toBe(`other:${trunk}`);
  expect(look(`/group1/${name.replaceAll("A", "%41")}`)).toBe(`group1:${name}`);
  expect(look(`/group1/${name.replace(".bin", "_150x150.jpg")}`)).toMatch(/150\.jpg$/);
  expect(look("/group1/M01/00/A0/%43gkAAmsDkLqADHp4ACAAABc5iXA_s")).toMatch(/XA_s$/);
  expect(look("/group1/M01/00/A0/CgkAAmsDkLqADHp4ACAAABc5iXA")).toBe("request-invalid");
});

test("the group may be missing where the settings say so, and only there", () => {
  expect(look(`/${name}`, false)).toBe(`group1:${name}`);
  expect(look(`/group1/${name}`, false)).toBe(`group1:${name}`);
  expect(look(`/${name}`)).toBe("not-found");
});

test("paths of another form are nothing", () => {
  const paths = ["/", "/favicon.ico", "/group1", "/group1/", "/group1/x", "/a/b/c/d/e", "//", "/."];
  expect(paths.filter((path) => look(path) !== "not-found")).toEqual([]);
});

test("tricks with paths are refused", () => {
  const tricks = [
    `/group1/M01/00/A0/../${base}`,
    `/group1/M01/00/A0/..%2f${base}`,
    `/group1/M01/00/A0%2F..%2F${base}`,
    `/group1/M01/../../../etc/passwd`,
    `/group1/M01/%2e%2e/%2e%2e/${base}`,
    `/group1/M01/00/A0/%252e%252e`,
    `/group1/M01/00/A0/${base}%00`,
    `/group1/M01/00/A0/${base}%00.jpg`,
    `/group1/M01/00/A0/${base}%0d%0aX:y`,
    `/group1/M01/00/A0/${base.replace("C", "%c0%af")}`,
    `/group1/M01/00/A0/${base.replace("C", "\\")}`,
    `/group1/M01/00/a0/${base}`,
    `/group1/M1/00/A0/${base}`,
    `/group1/MZZ/00/A0/${base}`,
    `/group1/M01/00/A0/${base};x`,
    `/group1/M01/00/A0/${base}:x`,
    `/group1/M01/00/A0/000001`,
    `/group1/M01/00/A0/${base}-m`,
    `/group1/M01/00/A0/.fastdfs_vars`,
    `/group1/M01/sync/A0/${base}`,
  ];
  expect(
    tricks.map((path) => [path, look(path)]).filter(([, code]) => code !== "request-invalid"),
  ).toEqual([]);
  expect(look(`/group1%2F${name}`)).toBe(`group1:${name}`);
  expect(look(`/gr%00up/${name}`)).toBe("not-found");
  expect(look(`/../${name}`)).toBe("not-found");
  expect(look(`/${"g".repeat(17)}/${name}`)).toBe("not-found");
});

test("over-long paths are refused before they are looked at", () => {
  expect(look(`/group1/M01/00/A0/${base}${"a".repeat(100)}`)).toBe("request-invalid");
  expect(look(`/${"a".repeat(500)}`)).toBe("request-too-long");
});

test("ids in parameters may leave out the group where one is known", () => {
  expect(parseFileId(name, group)).toEqual({ group, name });
  expect(parseFileId(`group2/${name}`, group)).toEqual({ group: "group2", name });
  expect(() => parseFileId(name, undefined)).toThrow("nothing at this path");
});

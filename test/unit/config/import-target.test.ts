import { expect, test } from "vitest";
import type { FastdfsItem } from "#config/fastdfs-conf.ts";
import { ImportTarget, listEntries, pathOf, settingOf } from "#config/import-target.ts";

function item(key: string, value: string, line = 1): FastdfsItem {
  return { section: "", key, value, file: "/etc/fdfs/storage.conf", line };
}

function setList(key: string, ...values: readonly string[]): ImportTarget {
  const target = new ImportTarget();
  target.setList(key, values.map((value, at) => item("k", value, at + 1)).flatMap(listEntries));
  return target;
}

test("a list is set without entries that are wrong or stand twice", () => {
  const target = setList("node.bind", "10.0.0.1,eth0", "::1", "10.0.0.1");
  expect(target.settings.get("node.bind")?.value).toEqual(["10.0.0.1", "::1"]);
  expect(target.problems).toEqual([
    {
      source: "/etc/fdfs/storage.conf",
      line: 1,
      key: "k",
      message: expect.stringContaining('"eth0" is not allowed'),
    },
  ]);
});

test("a list has as many entries as the setting takes", () => {
  const target = setList("node.bind", ...Array.from({ length: 18 }, (_, at) => `10.0.0.${at}`));
  expect(target.settings.get("node.bind")?.value).toHaveLength(16);
  expect(target.problems.map(({ line }) => line)).toEqual([17, 18]);
});

test("a list of nothing that could be taken is closed, except that trackers are simply missing", () => {
  expect(
    setList("node.allow_hosts", "10.0.0.0/99").settings.get("node.allow_hosts")?.value,
  ).toEqual(["127.0.0.1"]);
  expect(setList("storage.trackers", ":").settings.get("storage.trackers")).toBeUndefined();
  expect(setList("node.allow_hosts").settings.get("node.allow_hosts")).toBeUndefined();
});

test("a value that the setting refuses is reported, and nothing is set", () => {
  const target = new ImportTarget();
  target.setFrom("storage.port", item("port", "x", 7));
  expect(target.settings.get("storage.port")).toBeUndefined();
  expect(target.problems).toEqual([
    {
      source: "/etc/fdfs/storage.conf",
      line: 7,
      key: "port",
      message: expect.stringMatching(/left out$/),
    },
  ]);
});

test("what a second file replaces is listed, except for our own directory", () => {
  const target = new ImportTarget();
  target.setFrom("node.connect_timeout", {
    ...item("connect_timeout", "5"),
    file: "/etc/fdfs/tracker.conf",
  });
  target.setFrom("node.connect_timeout", item("connect_timeout", "6"));
  target.set("node.data_dir", "/a", item("base_path", "/a"));
  target.set("node.data_dir", "/b", item("base_path", "/b"));
  expect(target.leftOut.map(({ source, key, value }) => [source, key, value])).toEqual([
    ["/etc/fdfs/tracker.conf", "connect_timeout", "5s"],
  ]);
  expect(target.settings.get("node.connect_timeout")?.value).toBe("6s");
});

test("words that might be meant for true are doubted", () => {
  const target = new ImportTarget();
  for (const value of ["true", "off", "", "enable"]) target.doubtFlag(item("flag", value));
  expect(target.problems.map(({ message }) => message)).toEqual([
    '"enable" is neither true nor false; FastDFS takes it for false',
  ]);
});

test("relative paths start from the directory of their file, and unknown settings are our mistake", () => {
  expect([pathOf(item("k", "../x")), pathOf(item("k", "/x"))]).toEqual(["/etc/x", "/x"]);
  expect(() => settingOf("storage.path")).toThrow("storage.path");
});

import { expect, test } from "vitest";
import { ImportedSettings, type ImportPlace } from "#config/imported-settings.ts";

function place(line: number, key = "k"): ImportPlace {
  return { source: "/etc/fdfs/tracker.conf", line, key };
}

test("settings are written in the order of the schema, each with its sentence and place", () => {
  const settings = new ImportedSettings();
  settings.set("gateway.anti_leech.check", true, place(3, "check"));
  settings.set("tracker.trunk.enabled", false, place(2, "use_trunk_file"));
  settings.set("tracker.port", 5, place(1, "port"));
  settings.setStorePaths([{ directory: '/a "b"', readonly: true, place: place(4, "store_path0") }]);
  expect(settings.format(["Heading\nof two lines"]).split("\n")).toEqual([
    "# Heading of two lines",
    "",
    "[tracker]",
    "# TCP port of the tracker; 0 takes a free one. (port, tracker.conf:1)",
    "port = 5",
    "",
    "[tracker.trunk]",
    "# Whether small files are packed into trunk files. (use_trunk_file, tracker.conf:2)",
    "enabled = false",
    "",
    "# The store paths, M00 first; without any there is one, store0 in node.data_dir. (store_path0, tracker.conf:4)",
    "[[storage.path]]",
    'directory = "/a \\"b\\""',
    "readonly = true",
    "",
    "[gateway.anti_leech]",
    "# Whether a download needs a token and its time in the query. (check, tracker.conf:3)",
    "check = true",
    "",
  ]);
});

test("setting a key again returns what stood there, if it was something else", () => {
  const settings = new ImportedSettings();
  expect(settings.set("node.bind", ["::"], place(1))).toBeUndefined();
  expect(settings.set("node.bind", ["::"], place(2))).toBeUndefined();
  expect(settings.set("node.bind", ["0.0.0.0"], place(3))).toEqual({
    value: ["::"],
    place: place(2),
  });
  expect(settings.get("node.bind")?.value).toEqual(["0.0.0.0"]);
});

test("a key that is no setting is our mistake", () => {
  expect(() => new ImportedSettings().set("node.nonsense", 1, place(1))).toThrow("node.nonsense");
});

test("what does not fit together is removed until the text loads, and said", () => {
  const settings = new ImportedSettings();
  settings.set("tracker.store_group", "g", place(1));
  settings.set("tracker.port", 23000, place(2, "port"));
  settings.set("tracker.trunk.slot_max_size", "1GiB", place(3, "slot_max_size"));
  const path = { directory: "/a", readonly: false, takeOver: false };
  settings.setStorePaths(
    [path, path, { ...path, directory: "/b" }].map((each, at) => ({
      ...each,
      place: place(10 + at, `store_path${at}`),
    })),
  );
  const removed = settings.settle();
  expect(removed.map(({ line, key }) => `${line} ${key}`)).toEqual([
    "2 port",
    "3 slot_max_size",
    "11 store_path1",
    "12 store_path2",
  ]);
  expect(removed.every(({ message }) => message.startsWith("left out: "))).toBe(true);
  expect(settings.settle()).toEqual([]);
  expect(settings.format([])).toContain('store_group = "g"');
});

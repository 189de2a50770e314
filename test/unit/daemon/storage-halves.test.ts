/** The storages that a node is, out of its settings. */
import { expect, test } from "vitest";
import { mirrorStorageIds, storageHalves } from "#daemon/storage-halves.ts";
import { type ConfigOverrides, defaultConfig } from "../../support/config.ts";

const ownTracker = { addresses: ["10.0.0.1"], port: 22122 };

function paths(...directories: readonly string[]) {
  return directories.map((directory) => ({ directory, readonly: false, takeOver: false }));
}

function mirror(storage: ConfigOverrides["storage"] = {}): ReturnType<typeof defaultConfig> {
  return defaultConfig({ storage: { layout: "mirror", paths: paths("/a", "/b"), ...storage } });
}

function dealt(config: ReturnType<typeof defaultConfig>) {
  return storageHalves(config, "10.0.0.1").map(({ half, paths, tables, settings }) => {
    const { port, serverId, sharesAddress } = settings(ownTracker);
    const places = paths.map(({ index, directory }) => `${index} ${directory}`);
    return { half, places, tables, port, serverId, sharesAddress };
  });
}

test("a node is one storage with all store paths", () => {
  const config = defaultConfig({ storage: { paths: paths("/a", "/b") } });
  expect(dealt(config)).toEqual([
    {
      half: undefined,
      places: ["0 /a", "1 /b"],
      ...({ tables: "storage", port: 23_000, serverId: "", sharesAddress: undefined } as const),
    },
  ]);
  expect(mirrorStorageIds(config, "10.0.0.1")).toBeUndefined();
});

test("store paths are dealt to the halves in turn, or as the settings say, and counted anew in each", () => {
  const four = paths("/a", "/b", "/c", "/d");
  const places = (config: ReturnType<typeof defaultConfig>) =>
    dealt(config).map((each) => each.places);
  expect(places(mirror({ paths: four }))).toEqual([
    ["0 /a", "1 /c"],
    ["0 /b", "1 /d"],
  ]);
  expect(places(mirror({ paths: four, mirror: { paths: [0, 1] } }))).toEqual([
    ["0 /c", "1 /d"],
    ["0 /a", "1 /b"],
  ]);
});

test("the own tracker knows both halves by numbers, which are in file ids from the first one on", () => {
  expect(dealt(mirror())).toMatchObject([
    { half: "first", tables: "storage", port: 23_000, serverId: "100001", sharesAddress: true },
    { half: "second", tables: "mirror", port: 23_001, serverId: "100002", sharesAddress: true },
  ]);
  expect(mirrorStorageIds(mirror(), "10.0.0.1")).toMatchObject([
    { id: "100001", group: "group1", addresses: ["10.0.0.1"], port: 23_000 },
    { id: "100002", group: "group1", addresses: ["10.0.0.1"], port: 23_001 },
  ]);
  const [first] = storageHalves(mirror(), "10.0.0.1");
  expect(first?.paths[0]?.source).toEqual({ kind: "id", id: "100001" });
});

test("where other trackers or a table know the halves, their numbers are those of the settings", () => {
  const trackers = [{ addresses: ["10.0.0.7"], port: 22122 }];
  const elsewhere = mirror({ trackers, serverId: "7", mirror: { serverId: "8" } });
  expect(mirrorStorageIds(elsewhere, "10.0.0.1")).toBeUndefined();
  expect(dealt(elsewhere).map(({ serverId }) => serverId)).toEqual(["7", "8"]);
  expect(dealt(mirror({ trackers })).map(({ serverId }) => serverId)).toEqual(["", ""]);
});

test("a C storage's place is taken over by the first half alone", () => {
  const found = storageHalves(mirror({ adoptBasePath: "/c" }), "10.0.0.1");
  expect(found.map(({ paths: [path] }) => path?.adoptBasePath)).toEqual(["/c", ""]);
});

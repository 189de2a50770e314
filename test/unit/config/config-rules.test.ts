import { expect, test } from "vitest";
import { checkConfig } from "#config/config-rules.ts";
import { type ConfigOverrides, defaultConfig } from "../../support/config.ts";

function brokenKeys(overrides: ConfigOverrides): readonly string[] {
  return checkConfig(defaultConfig(overrides)).map(({ key }) => key);
}

test("the built-in settings fit together", () => {
  expect(brokenKeys({})).toEqual([]);
});

test("values that follow from others are filled in", () => {
  const config = defaultConfig({
    node: { dataDir: "/d" },
    tracker: { trunk: { fileSizeBytes: 4096, slotMaxSizeBytes: 0 } },
  });
  expect(config.node.controlSocket).toBe("/d/cairn.sock");
  expect(config.storage.paths).toEqual([
    { directory: "/d/store0", readonly: false, takeOver: false },
  ]);
  expect(config.tracker.trunk.slotMaxSizeBytes).toBe(512);
});

test("values that are given stay", () => {
  const paths = [{ directory: "/p", readonly: true, takeOver: false }];
  const config = defaultConfig({ node: { controlSocket: "/s" }, storage: { paths } });
  expect([config.node.controlSocket, config.storage.paths]).toEqual(["/s", paths]);
});

test("two roles cannot share a port, unless it is any free one or one of them does not run", () => {
  expect(brokenKeys({ tracker: { port: 8080 } })).toEqual(["gateway.port"]);
  expect(brokenKeys({ tracker: { port: 0 }, storage: { port: 0 }, gateway: { port: 0 } })).toEqual(
    [],
  );
  expect(brokenKeys({ tracker: { port: 8080 }, node: { roles: ["tracker", "storage"] } })).toEqual(
    [],
  );
});

test("an address that means every address cannot be announced", () => {
  expect(brokenKeys({ node: { address: "0.0.0.0" } })).toEqual(["node.address"]);
  expect(brokenKeys({ node: { address: "::" } })).toEqual(["node.address"]);
});

test("a group is needed where one group takes all uploads", () => {
  expect(brokenKeys({ tracker: { storeLookup: "group" } })).toEqual(["tracker.store_group"]);
  expect(brokenKeys({ tracker: { storeLookup: "group", storeGroup: "g" } })).toEqual([]);
  expect(
    brokenKeys({
      tracker: { storeLookup: "group" },
      node: { roles: ["storage"] },
      storage: { trackers: [{ addresses: ["a"], port: 1 }] },
    }),
  ).toEqual([]);
});

test("numbers in file ids need the file that gives them", () => {
  expect(brokenKeys({ tracker: { idTypeInFilename: "id" } })).toEqual(["tracker.storage_ids_file"]);
  expect(brokenKeys({ tracker: { idTypeInFilename: "id", storageIdsFile: "/ids" } })).toEqual([]);
});

test("slots are larger than the smallest and at most half of a trunk file", () => {
  const trunk = { slotMinSizeBytes: 256, fileSizeBytes: 8 * 1024 ** 2 };
  const broken = [256, 257, 4 * 1024 ** 2, 4 * 1024 ** 2 + 1].map(
    (slotMaxSizeBytes) => brokenKeys({ tracker: { trunk: { ...trunk, slotMaxSizeBytes } } }).length,
  );
  expect(broken).toEqual([1, 0, 0, 1]);
});

test("an IPv6 address does not fit into 16 bytes", () => {
  const node = { address: "2001:db8::1" };
  expect(brokenKeys({ node, tracker: { responseAddressSize: "16" } })).toEqual([
    "tracker.response_address_size",
  ]);
  expect(brokenKeys({ node })).toEqual([]);
});

test("a node without its own tracker names one", () => {
  expect(brokenKeys({ node: { roles: ["storage"] } })).toEqual(["storage.trackers"]);
  expect(brokenKeys({ node: { roles: ["gateway"] } })).toEqual(["storage.trackers"]);
  expect(brokenKeys({ node: { roles: ["tracker"] } })).toEqual([]);
});

test("store paths and trackers stand once", () => {
  const path = { directory: "/a", readonly: false, takeOver: false };
  expect(brokenKeys({ storage: { paths: [path, path] } })).toEqual(["storage.path[1].directory"]);
  const trackers = [
    { addresses: ["10.0.0.1", "59.1.2.3"], port: 1 },
    { addresses: ["59.1.2.3"], port: 1 },
  ];
  expect(brokenKeys({ storage: { trackers } })).toEqual(["storage.trackers"]);
});

test("tokens need a secret where the gateway runs", () => {
  const gateway = { antiLeech: { check: true } };
  expect(brokenKeys({ gateway })).toEqual(["gateway.anti_leech.secret"]);
  expect(brokenKeys({ gateway, node: { roles: ["tracker"] } })).toEqual([]);
  expect(brokenKeys({ gateway: { antiLeech: { check: true, secret: "s" } } })).toEqual([]);
});

test("a mirror has as many store paths in one half as in the other, and ports that tell them apart", () => {
  const path = (directory: string) => ({ directory, readonly: false, takeOver: false });
  const two = { layout: "mirror", paths: [path("/a"), path("/b")] } as const;
  const broken = (storage: ConfigOverrides["storage"]) =>
    brokenKeys({ storage: { ...two, ...storage } });
  expect(broken({})).toEqual([]);
  expect(broken({ paths: [path("/a")] })).toEqual(["storage.path"]);
  expect(broken({ mirror: { paths: [0, 1] } })).toEqual(["storage.path"]);
  expect(broken({ mirror: { paths: [2] } })).toEqual(["storage.mirror.paths", "storage.path"]);
  expect(broken({ mirror: { port: 23_000 } })).toEqual(["storage.mirror.port"]);
  expect(broken({ mirror: { port: 0 } })).toEqual(["storage.mirror.port"]);
  expect(broken({ serverId: "7", mirror: { serverId: "7" } })).toEqual([
    "storage.mirror.server_id",
  ]);
  const managed = { storage: two, disks: { manage: true } };
  expect(brokenKeys(managed)).toEqual(["disks.manage"]);
  const table = { storageIdsFile: "/ids" };
  expect(brokenKeys({ storage: two, tracker: table })).toEqual(["tracker.id_type_in_filename"]);
});

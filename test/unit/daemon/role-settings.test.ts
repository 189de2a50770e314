/** From the node's settings to the roles' own. */
import { expect, test } from "vitest";
import {
  gatewaySettings,
  storagePathSettings,
  storageSettings,
  trackerSettings,
} from "#daemon/role-settings.ts";
import { GroupName } from "#model/group-name.ts";
import { defaultConfig } from "../../support/config.ts";

const own = { addresses: ["10.0.0.1"], port: 22122 };

test("the tracker is given the node's limits and its own policies", () => {
  const config = defaultConfig({
    node: { bind: ["127.0.0.1"], maxConnections: 7, stopTimeoutMs: 123 },
    tracker: { port: 4000, storeLookup: "most-free" },
  });
  expect(trackerSettings(config, undefined)).toMatchObject({
    addresses: ["127.0.0.1"],
    port: 4000,
    maxConnections: 7,
    stopDeadlineMs: 123,
    storeLookup: "most-free",
    storageIds: undefined,
  });
});

test("a storage without trackers in its settings reports to the one beside it", () => {
  const alone = storageSettings(defaultConfig(), "10.0.0.1", own);
  expect(alone.trackers).toEqual([own]);
  const elsewhere = { addresses: ["10.0.0.7"], port: 22122 };
  const config = defaultConfig({ storage: { trackers: [elsewhere] } });
  expect(storageSettings(config, "10.0.0.1", own).trackers).toEqual([elsewhere]);
});

test("store paths are numbered as they stand, with the node as the source of their file ids", () => {
  const config = defaultConfig({
    storage: {
      paths: [
        { directory: "/a", readonly: false, takeOver: false },
        { directory: "/b", readonly: true, takeOver: false },
      ],
      durability: "relaxed",
    },
  });
  const settings = storagePathSettings(config, "10.0.0.1");
  expect(settings.map(({ index, directory, readOnly }) => [index, directory, readOnly])).toEqual([
    [0, "/a", false],
    [1, "/b", true],
  ]);
  expect(settings[0]).toMatchObject({
    durability: "relaxed",
    source: { kind: "address", address: "10.0.0.1" },
  });
});

test("a numeric server id is the source of file ids", () => {
  const config = defaultConfig({ storage: { serverId: "100001" } });
  const [first] = storagePathSettings(config, "10.0.0.1");
  expect(first?.source).toEqual({ kind: "id", id: "100001" });
});

test("the gateway is given what is served in place of a refused file", () => {
  const document = { bytes: Buffer.from("no"), contentType: "text/plain" };
  const config = defaultConfig({ gateway: { antiLeech: { check: true, secret: "s" } } });
  const { antiLeech, group } = gatewaySettings(config, GroupName("group1"), document);
  expect(antiLeech).toMatchObject({ check: true, secret: "s", failDocument: document });
  expect(group).toBe("group1");
});

import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import type { Config } from "#config/schema.ts";
import type { NodeStorage } from "#daemon/compose.ts";
import { startImports } from "#daemon/node-imports.ts";
import type { Platform } from "#platform/platform.ts";

const log = new Log("test", () => {});
const host = { workingDirectory: "/", listDirectory: () => [] };
const platform = { host, children: undefined, clock: undefined } as unknown as Platform;
const config = { node: { dataDir: "/data" }, storage: { group: "group1" } } as unknown as Config;

test("a node that stores nothing imports nothing; one that looks after no disks takes directories alone", () => {
  const common = { log, address: "127.0.0.1", foreign: undefined };
  expect(startImports(platform, config, { ...common, storage: undefined })).toBeUndefined();
  const storage = { store: { paths: [{ directory: "./store0" }] } } as unknown as NodeStorage;
  const imports = startImports(platform, config, { ...common, storage });
  expect(() => imports?.disk("d".repeat(32))).toThrow("disks.manage");
  expect(() => imports?.directory("/store0/data", "group1", 0)).toThrow("is served");
  expect(imports?.imports).toEqual([]);
});

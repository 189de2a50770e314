import { expect, test } from "vitest";
import { present } from "#base/assert.ts";
import { checkedValue, importValue } from "#config/import-values.ts";
import { schemaByKey } from "#config/schema.ts";
import type { Setting } from "#config/setting.ts";

function setting(key: string): Setting {
  const entry = schemaByKey.get(key)?.entry;
  return present(entry?.kind === "setting" ? entry : undefined, key);
}

test.each([
  ["tracker.port", "22122", 22122],
  ["tracker.store_lookup", "2", "most-free"],
  ["tracker.reserved_space", "20%", "20%"],
  ["tracker.reserved_space", "1.5%", "1.5%"],
  ["tracker.reserved_space", "4 GB", "4GiB"],
  ["tracker.reserved_space", "100000", "100000B"],
  ["tracker.check_active_interval", "0120", "2m"],
  ["tracker.trunk.file_size", "64MB", "64MiB"],
  ["tracker.trunk.create_file_time_base", "2:0", "02:00"],
  ["tracker.trust_storage_id", "YES", true],
  ["tracker.trust_storage_id", "maybe", false],
  ["tracker.storage_ids_file", "ids.conf", "/etc/fdfs/ids.conf"],
  ["tracker.storage_ids_file", "/x/ids.conf", "/x/ids.conf"],
  ["node.log_level", "EMERG", "error"],
  ["node.log_level", "notice", "notice"],
  ["storage.upload_priority", "-5", -5],
  ["storage.group", "group2", "group2"],
])("%s = %s is %j", (key, value, expected) => {
  const item = { section: "", key: "k", value, file: "/etc/fdfs/tracker.conf", line: 1 };
  expect(importValue(setting(key), item)).toEqual({ value: expected });
});

test.each([
  ["tracker.port", "x"],
  ["tracker.port", "70000"],
  ["tracker.store_lookup", "3"],
  ["tracker.store_lookup", "most-free"],
  ["tracker.store_lookup", "constructor"],
  ["tracker.reserved_space", "100%"],
  ["tracker.check_active_interval", "1m"],
  ["tracker.check_active_interval", "0"],
  ["tracker.trunk.file_size", "1MB"],
  ["tracker.trunk.create_file_time_base", "24:00"],
  ["node.log_level", "loud"],
  ["storage.group", "a b"],
])("%s = %s is a problem", (key, value) => {
  const item = { section: "", key: "k", value, file: "/etc/fdfs/tracker.conf", line: 1 };
  expect(importValue(setting(key), item)).toEqual({
    problem: expect.stringContaining("allowed is"),
  });
});

test("a checked value is in the notation that the setting writes", () => {
  expect(checkedValue(setting("node.bind"), ["::FFFF:10.0.0.1", "2001:DB8::1"])).toEqual({
    value: ["10.0.0.1", "2001:db8::1"],
  });
});

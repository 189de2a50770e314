import { expect, test } from "vitest";
import type { FastdfsItem } from "#config/fastdfs-conf.ts";
import {
  GlobalItems,
  importAddressSize,
  importBind,
  importStorageIds,
  importStoreLookup,
  importStorePaths,
  importTrackers,
} from "#config/import-special.ts";
import { ImportTarget } from "#config/import-target.ts";
import type { PlainValue } from "#config/value-types.ts";

type Import = (items: GlobalItems, target: ImportTarget) => void;

interface Outcome {
  /** Keys that were not taken out of the items. */
  readonly rest: readonly string[];
  readonly problems: readonly string[];
  readonly leftOut: readonly string[];
  value(key: string): PlainValue | undefined;
}

/** Runs `run` on items of the form `key=value`. */
function outcome(run: Import, ...texts: readonly string[]): Outcome {
  const items = new GlobalItems("/e/f.conf", texts.map(itemOf));
  const target = new ImportTarget();
  run(items, target);
  return {
    rest: items.keys(),
    problems: target.problems.map(({ line, key }) => `${line} ${key}`),
    leftOut: target.leftOut.map(({ line, key }) => `${line} ${key}`),
    value: (key) => target.settings.get(key)?.value,
  };
}

function itemOf(text: string, index: number): FastdfsItem {
  const [key = "", value = ""] = text.split("=", 2);
  return { section: "", key, value, file: "/e/f.conf", line: index + 1 };
}

test("items are taken once, and of several the last one counts", () => {
  const items = new GlobalItems("/e/f.conf", ["a=1", "b=2", "a=3"].map(itemOf));
  expect(items.keys()).toEqual(["a", "b"]);
  expect(items.takeLast("a")?.value).toBe("3");
  expect(items.takeLast("a")).toBeUndefined();
  expect(items.take("b").map(({ value }) => value)).toEqual(["2"]);
  expect(items.keys()).toEqual([]);
});

test.each([
  [["bind_addr=10.0.0.1,ipv6"], ["10.0.0.1", "::"]],
  [
    ["bind_addr=", "address_family=both"],
    ["0.0.0.0", "::"],
  ],
  [["address_family=IPv6"], ["::"]],
  [["address_family=auto"], ["0.0.0.0"]],
  [["bind_addr="], ["0.0.0.0"]],
  [[], undefined],
])("%j listens on %j", (texts, expected) => {
  const { rest, problems, value } = outcome(importBind, ...texts);
  expect({ rest, problems, bind: value("node.bind") }).toEqual({
    rest: [],
    problems: [],
    bind: expected,
  });
});

test("the family does not count where there are addresses", () => {
  expect(outcome(importBind, "bind_addr=10.0.0.1", "address_family=both").leftOut).toEqual([
    "2 address_family",
  ]);
});

test("trackers that share an address and port are one", () => {
  const texts = ["t:1", "t", "t:22122", "10.0.0.1,59.1.2.3:1", "59.1.2.3:1", "59.1.2.3:2", "x y"];
  const { problems, value } = outcome(
    importTrackers,
    ...texts.map((text) => `tracker_server=${text}`),
  );
  expect(value("storage.trackers")).toEqual([
    "t:1",
    "t:22122",
    "10.0.0.1,59.1.2.3:1",
    "59.1.2.3:2",
  ]);
  expect(problems).toEqual(["7 tracker_server"]);
});

test("any address size but auto is 46", () => {
  const sizes = ["auto", "", "AUTO", "IPv4", "16", "IPv6"].map((text) =>
    outcome(importAddressSize, `response_ip_addr_size=${text}`).value(
      "tracker.response_address_size",
    ),
  );
  expect(sizes).toEqual(["auto", "auto", "auto", "46", "46", "46"]);
});

test("one group for all uploads needs its name", () => {
  const named = outcome(importStoreLookup, "store_lookup=1", "store_group=g");
  expect([
    named.value("tracker.store_lookup"),
    named.value("tracker.store_group"),
    named.problems,
  ]).toEqual(["group", "g", []]);
  const nameless = outcome(importStoreLookup, "store_lookup=1", "store_group=");
  expect([nameless.value("tracker.store_lookup"), nameless.problems]).toEqual([
    undefined,
    ["1 store_lookup"],
  ]);
  const misnamed = outcome(importStoreLookup, "store_lookup=1", "store_group=a b");
  expect([misnamed.value("tracker.store_lookup"), misnamed.problems]).toEqual([
    undefined,
    ["2 store_group", "1 store_lookup"],
  ]);
});

test("the storage ids file counts only where it is switched on", () => {
  const texts = ["storage_ids_filename=ids.conf", "id_type_in_filename=id"];
  const on = outcome(importStorageIds, "use_storage_id=true", ...texts);
  expect([on.value("tracker.storage_ids_file"), on.value("tracker.id_type_in_filename")]).toEqual([
    "/e/ids.conf",
    "id",
  ]);
  const off = outcome(importStorageIds, "use_storage_id=false", ...texts);
  expect([off.value("tracker.storage_ids_file"), off.value("tracker.id_type_in_filename")]).toEqual(
    ["", undefined],
  );
  expect(off.leftOut).toEqual(["2 storage_ids_filename", "3 id_type_in_filename"]);
  const missing = outcome(importStorageIds, "use_storage_id=true", "id_type_in_filename=id");
  expect([missing.problems, missing.leftOut]).toEqual([
    ["1 use_storage_id"],
    ["2 id_type_in_filename"],
  ]);
});

test("a store path without its own key is the base path, and surplus ones are listed", () => {
  const basePath = itemOf("base_path=/b", 8);
  const run: Import = (items, target) => importStorePaths(items, basePath, target);
  expect(outcome(run, "store_path1=/x", "store_path0_readonly=what").leftOut).toEqual([
    "1 store_path1",
  ]);
  expect(outcome(run, "store_path0_readonly=what").problems).toEqual(["1 store_path0_readonly"]);
  expect(outcome(run, "store_path_count=2").problems).toEqual(["1 store_path1"]);
  expect(outcome(run, "store_path_count=257").problems).toEqual(["1 store_path_count"]);
  const without: Import = (items, target) => importStorePaths(items, undefined, target);
  expect(outcome(without).problems).toEqual(["undefined store_path0"]);
});

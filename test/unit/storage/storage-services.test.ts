/** What every handler asks first. */
import { expect, test } from "vitest";
import type { LocalFileStore } from "#filestore/local-file-store.ts";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { StorageServices } from "#storage/storage-services.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";
import { StorageCounters } from "#storage/storage-statistics.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function services(mode: StorageSettings["mode"]): StorageServices {
  return new StorageServices({
    settings: { group: GroupName("group1"), mode } as StorageSettings,
    store: {} as LocalFileStore,
    clock: new ManualClock(),
    counters: new StorageCounters(),
    accessLog: undefined,
    addressOfId: (id) => (id === "100001" ? "10.0.0.1" : ""),
  });
}

test("another group than ours is invalid", () => {
  services("both").checkGroup("group1");
  expect(() => services("both").checkGroup("group2")).toThrow("group1");
});

test("modes allow what they say", () => {
  const allowed = (["both", "read", "write", "none"] as const).map((mode) => {
    const check = (ask: (of: StorageServices) => void): boolean => {
      try {
        ask(services(mode));
        return true;
      } catch {
        return false;
      }
    };
    return [check((of) => of.checkMayRead()), check((of) => of.checkMayWrite())];
  });
  expect(allowed).toEqual([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ]);
});

test("the address of a file's source is in its name, or in the table of ids", () => {
  const both = services("both");
  expect(both.addressOfSource({ kind: "address", address: "10.0.0.9" })).toBe("10.0.0.9");
  expect(both.addressOfSource({ kind: "id", id: StorageId("100001") })).toBe("10.0.0.1");
  expect(both.addressOfSource({ kind: "id", id: StorageId("7") })).toBe("");
  expect(both.statusOf(new TypeError("bug"))).toBe(5);
});

/** What every handler asks first. */
import { expect, test } from "vitest";
import type { LocalFileStore } from "#filestore/local-file-store.ts";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { type ReadWriteMode, readWriteMode } from "#model/storage-status.ts";
import { askedOnBehalf } from "#protocol/fastdfs/storage-files.ts";
import { StorageServices } from "#storage/storage-services.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";
import { StorageCounters } from "#storage/storage-statistics.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const [group, here] = [{} as LocalFileStore, {} as LocalFileStore];

function services(
  mode: StorageSettings["mode"],
  tableMode: ReadWriteMode = readWriteMode.both,
): StorageServices {
  return new StorageServices({
    settings: { group: GroupName("group1"), mode } as StorageSettings,
    ...{ store: group, local: here },
    clock: new ManualClock(),
    counters: new StorageCounters(),
    accessLog: undefined,
    tableMode: () => tableMode,
    isStorageOfC: (address) => address === "10.0.0.7",
    addressOfId: (id) => (id === "100001" ? "10.0.0.1" : ""),
  });
}

test("another group than ours is invalid", () => {
  services("both").checkGroup("group1");
  expect(() => services("both").checkGroup("group2")).toThrow("group1");
});

test("storages of C are told what is here, and everybody else what the group has", () => {
  const both = services("both");
  const told = (address: string, headerStatus: number) =>
    both.storeToTell({ headerStatus }, address);
  expect(told("10.0.0.7", 2)).toBe(here);
  expect(told("10.0.0.7", 0)).toBe(group);
  expect(told("10.0.0.8", 3)).toBe(group);
});

test("what a storage asks for a client of its own is answered from what is here", () => {
  const both = services("both");
  expect(both.storeToTell({ headerStatus: askedOnBehalf | 2 }, "10.0.0.8")).toBe(here);
  expect(both.storeToRead({ headerStatus: askedOnBehalf })).toBe(here);
  expect(both.storeToRead({ headerStatus: 2 })).toBe(group);
  expect(both.storeToRead({})).toBe(group);
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

test("settings and the trackers' table must both allow it", () => {
  const modes = ["both", "read", "write", "none"] as const;
  const joint = modes.map((mode) =>
    modes.map((table) => services(mode, readWriteMode[table]).mode),
  );
  expect(joint).toEqual([
    [6, 4, 2, 0],
    [4, 4, 0, 0],
    [2, 0, 2, 0],
    [0, 0, 0, 0],
  ]);
});

test("the address of a file's source is in its name, or in the table of ids", () => {
  const both = services("both");
  expect(both.addressOfSource({ kind: "address", address: "10.0.0.9" })).toBe("10.0.0.9");
  expect(both.addressOfSource({ kind: "id", id: StorageId("100001") })).toBe("10.0.0.1");
  expect(both.addressOfSource({ kind: "id", id: StorageId("7") })).toBe("");
  expect(both.statusOf(new TypeError("bug"))).toBe(5);
});

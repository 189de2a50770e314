import { expect, test } from "vitest";
import { narrowAddresses, releaseNumber, wideAddresses } from "#protocol/codec.ts";
import { groupStats, storageStats } from "#protocol/fastdfs/monitoring.ts";
import { decoded, encoded } from "../../../support/wire-bytes.ts";

const group = {
  group: "group1",
  ...{ totalMb: 100, freeMb: 50, reservedMb: 0, trunkFreeMb: 0, storageCount: 2 },
  ...{ storagePort: 23000, readableCount: 1, writableCount: 1, currentWriteServer: 0 },
  ...{ storePathCount: 1, subdirCount: 256, currentTrunkFileId: -1 },
} as never;

const none = { total: 0, success: 0 };
const tallies = Object.fromEntries(
  [
    ...["uploads", "appends", "modifies", "truncates", "metadataSets", "deletes", "downloads"],
    ...["metadataGets", "linkCreations", "linkDeletions", "uploadBytes", "appendBytes"],
    ...["modifyBytes", "downloadBytes", "syncInBytes", "syncOutBytes", "fileOpens", "fileReads"],
    "fileWrites",
  ].map((name) => [name, none]),
);
const storage = {
  status: 7,
  mode: 6,
  id: "10.9.0.2",
  address: "10.9.0.2",
  syncSource: undefined,
  version: "6.9",
  ...{ joinTime: 1, upTime: 2, totalMb: 3, freeMb: 4, reservedMb: 0, uploadPriority: 10 },
  ...{ storePathCount: 1, subdirCount: 256, currentWritePath: 0, storagePort: 23000 },
  statistics: {
    connections: { allocated: 0, current: 0, max: 0 },
    ...tallies,
    ...{ lastSourceUpdate: 0, lastSyncUpdate: 0, lastSyncedTimestamp: 0, lastHeartBeatTime: 0 },
  },
  isTrunkServer: true,
} as never;

test("the records of every release are recognised by their size", () => {
  const releases = [
    [487, narrowAddresses],
    [517, wideAddresses],
    [509, { addressWidth: 46, release: releaseNumber(6, 13, 0) }],
    [644, { addressWidth: 46, release: releaseNumber(6, 12, 0) }],
    [642, { addressWidth: 46, release: releaseNumber(6, 11, 0) }],
    [612, { addressWidth: 16, release: releaseNumber(5, 4, 0) }],
    [600, { addressWidth: 16, release: releaseNumber(5, 3, 0) }],
  ] as const;
  for (const [size, context] of releases) {
    const bytes = encoded(storageStats, [storage, storage], context);
    expect(bytes).toHaveLength(2 * size);
    expect(decoded(storageStats, bytes)).toEqual([storage, storage]);
  }
});

test("a group of an older release has one number of active storages", () => {
  const old = { addressWidth: 16, release: releaseNumber(6, 12, 0) } as const;
  const bytes = encoded(groupStats, [group], old);
  expect(bytes).toHaveLength(105);
  expect(decoded(groupStats, bytes)).toEqual([group]);
  expect(encoded(groupStats, [group])).toHaveLength(113);
});

test("6.13.0 is understood when named", () => {
  const context = { addressWidth: 16, release: releaseNumber(6, 13, 0) } as const;
  const other = { ...(group as object), readableCount: 2, writableCount: 1 } as never;
  const bytes = encoded(groupStats, [other], context);
  expect(bytes).toHaveLength(105);
  expect(decoded(groupStats, bytes, context)).toEqual([other]);
});

test("no group is an empty reply, half a record is none", () => {
  expect(decoded(groupStats, Buffer.alloc(0))).toEqual([]);
  expect(() => decoded(groupStats, Buffer.alloc(112))).toThrow("no whole number of records");
  expect(() => decoded(storageStats, Buffer.alloc(488))).toThrow("no whole number of records");
});

import { expect, test } from "vitest";
import {
  storageClusterStat,
  storageVolumeStat,
  trackerClusterStat,
} from "#protocol/fastdfs/cluster-stat.ts";
import { body, decoded, encoded } from "../../../support/wire-bytes.ts";

test("the bits of a filter say which of the bytes behind count", () => {
  const { request } = trackerClusterStat;
  expect(decoded(request, body(0, 1, 1))).toEqual({ isActive: undefined, isLeader: undefined });
  expect(decoded(request, body(2, 1, 1))).toEqual({ isActive: undefined, isLeader: true });
  expect(encoded(request, { isActive: false, isLeader: undefined })).toEqual(body(1, 0, 0));
  const volume = { diskAvailable: true, trunkAvailable: undefined, spaceAvailable: true };
  expect(encoded(storageVolumeStat.request, volume)).toEqual(body(5, 1, 0, 1));
});

test("storages are chosen by a status that they have or have not", () => {
  const { request } = storageClusterStat;
  const filter = (operator: string) => ({
    isTrunkServer: undefined,
    status: { operator, status: 7 },
  });
  expect(decoded(request, body(2, "=", 7, 1))).toEqual(filter("is"));
  expect(decoded(request, body(2, "!", 7, 0))).toEqual(filter("is-not"));
  expect(decoded(request, body(2, "?", 7, 0))).toEqual(filter("unknown"));
  expect(encoded(request, { isTrunkServer: true, status: undefined })).toEqual(body(1, 0, 0, 1));
});

test("an announced number of records is not believed", () => {
  const many = { i32: 0x7fffffff };
  for (const bytes of [body(0, 0, many), body(0, 0, { i32: -1 })]) {
    expect(() => decoded(storageClusterStat.reply, bytes)).toThrow("items, allowed are 0 to");
  }
  expect(() => decoded(storageVolumeStat.reply, body(0, many))).toThrow("items, allowed are");
  expect(() => decoded(trackerClusterStat.reply, body(255))).toThrow("bytes are missing");
});

test("a reply has no more than it announces", () => {
  expect(() => decoded(trackerClusterStat.reply, body(0, 0))).toThrow("1 bytes too many");
});

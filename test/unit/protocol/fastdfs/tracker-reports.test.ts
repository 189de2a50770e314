import { expect, test } from "vitest";
import { trackerReports } from "#protocol/fastdfs/tracker-reports.ts";
import { body, decoded, encoded, type Part } from "../../../support/wire-bytes.ts";

const refused = expect.objectContaining({ name: "ProtocolError" });

interface Join {
  readonly group?: string;
  readonly port?: number;
  readonly paths?: number;
  readonly subdirs?: number;
  readonly count?: number;
  readonly lines?: string;
}

function join(join: Join = {}): Buffer {
  const numbers: readonly Part[] = [
    { i64: join.port ?? 23000 },
    { i64: join.paths ?? 2 },
    { i64: join.subdirs ?? 256 },
    ...[10, 100, 200].map((i64) => ({ i64 })),
  ];
  return body(
    [join.group ?? "group1", 17],
    ...numbers,
    ["6.16.1", 8],
    ...[1, 0xff],
    ["", 16],
    ["10.9.0.1", 46],
    { i64: join.count ?? 1 },
    join.lines ?? "10.9.0.1:22122\n",
  );
}

test("a storage joins with what it is and which trackers it knows", () => {
  const { request } = trackerReports.storageJoin;
  const bytes = join({ count: 2, lines: "10.9.0.1,192.168.9.1:22122\n[fe80::1]:22122\n" });
  const value = decoded(request, bytes);
  expect(value).toEqual({
    ...{ group: "group1", port: 23000, storePathCount: 2, subdirCount: 256, uploadPriority: 10 },
    ...{ joinTime: 100, upTime: 200, version: "6.16.1", initializing: true, status: -1 },
    ...{ id: undefined, trackerAddress: "10.9.0.1" },
    trackers: [
      { addresses: ["10.9.0.1", "192.168.9.1"], port: 22122 },
      { addresses: ["fe80::1"], port: 22122 },
    ],
  });
  expect(encoded(request, value)).toEqual(bytes);
});

test("what a tracker answers with 22 is malformed", () => {
  const bad: readonly Join[] = [
    ...[{ group: "" }, { group: "a-b" }, { port: 0 }, { port: -1 }, { port: 65536 }, { paths: 0 }],
    ...[
      { paths: 257 },
      { subdirs: 0 },
      { subdirs: 257 },
      { count: 0 },
      { count: 17 },
      { count: 2 },
    ],
    ...[{ lines: "" }, { lines: "10.9.0.1:22122" }, { lines: "10.9.0.1\n" }, { lines: "\n" }],
    ...[{ lines: "10.9.0.1:22122\n10.9.0.2:22122\n" }, { count: 2 ** 40 }],
  ];
  for (const fields of bad) {
    const bytes = join(fields);
    const { request } = trackerReports.storageJoin;
    expect(() => decoded(request, bytes), JSON.stringify(fields)).toThrow(refused);
  }
});

test("a beat is empty or has all statistics", () => {
  const { request } = trackerReports.storageBeat;
  expect(decoded(request, body())).toEqual({ statistics: undefined });
  expect(decoded(request, Buffer.alloc(348)).statistics?.uploads).toEqual({ total: 0, success: 0 });
  for (const length of [1, 336, 347, 349]) {
    expect(() => decoded(request, Buffer.alloc(length)), String(length)).toThrow(refused);
  }
});

test("reports that repeat have at least one entry, and whole ones", () => {
  const { reportDiskUsage, reportSync, reportReplicas } = trackerReports;
  for (const message of [reportDiskUsage, reportSync, reportReplicas]) {
    expect(() => decoded<unknown>(message.request, body())).toThrow(refused);
    expect(() => decoded<unknown>(message.request, Buffer.alloc(21))).toThrow(refused);
  }
  const brief = body(7, { i32: 1 }, ["1", 16], ["10.9.0.2", 46]);
  const many = Buffer.concat(Array.from({ length: 33 }, () => brief));
  expect(decoded(reportReplicas.request, many.subarray(67)).members).toHaveLength(32);
  expect(() => decoded(reportReplicas.request, many)).toThrow(refused);
});

test("a sync source is there or not", () => {
  const { requestSyncSource, notifySyncSource } = trackerReports;
  expect(decoded(requestSyncSource.reply, body())).toEqual({ sync: undefined });
  const bytes = body(["10.9.0.2", 16], { i64: 5 });
  expect(decoded(requestSyncSource.reply, bytes)).toEqual({
    sync: { source: "10.9.0.2", until: 5 },
  });
  expect(decoded(notifySyncSource.request, Buffer.alloc(24))).toEqual({
    source: undefined,
    until: 0,
  });
});

test("a storage names itself for the changelog, or its connection does", () => {
  const { request } = trackerReports.requestChangelog;
  expect(decoded(request, body())).toEqual({ storage: undefined });
  const named = body(["group1", 16], ["10.9.0.2", 16]);
  expect(decoded(request, named)).toEqual({ storage: { group: "group1", id: "10.9.0.2" } });
  expect(() => decoded(request, named.subarray(1))).toThrow(refused);
});

test("a trunk file's number is not negative, a status is one", () => {
  const { reportTrunkFileId, changeStorageStatus } = trackerReports;
  expect(() => decoded(reportTrunkFileId.request, body({ i32: -1 }))).toThrow(refused);
  expect(() => decoded(changeStorageStatus.request, body(8))).toThrow(refused);
  expect(decoded(changeStorageStatus.request, body(6))).toEqual({ status: 6 });
});

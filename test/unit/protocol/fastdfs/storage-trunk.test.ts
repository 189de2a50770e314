import { expect, test } from "vitest";
import { narrowAddresses } from "#protocol/codec.ts";
import { storageTrunk } from "#protocol/fastdfs/storage-trunk.ts";
import { body, decoded } from "../../../support/wire-bytes.ts";

const group = ["group1", 16] as const;
const slot = body(1, 2, 3, { i32: 4 }, { i32: 512 }, { i32: 256 });

test("the result of writing to a slot travels in the header", () => {
  const { trunkAllocConfirm } = storageTrunk;
  const bytes = Buffer.concat([body(group), slot]);
  const request = decoded(trunkAllocConfirm.request, bytes, {
    ...narrowAddresses,
    requestStatus: 5,
  });
  const location = { storePathIndex: 1, high: 2, low: 3, fileId: 4, offset: 512, size: 256 };
  expect(request).toEqual({ headerStatus: 5, group: "group1", location });
  expect(trunkAllocConfirm.statusOfRequest?.(request)).toBe(5);
});

test("bodies have their exact lengths", () => {
  const { trunkAllocSpace, trunkFreeSpace, trunkSyncBinlog } = storageTrunk;
  expect(decoded(trunkAllocSpace.request, body(group, { i32: 500 }, 1))).toEqual({
    ...{ group: "group1", size: 500, storePathIndex: 1 },
  });
  expect(() => decoded(trunkAllocSpace.request, body(group, { i32: -1 }, 1))).toThrow(
    "not in the range",
  );
  expect(() => decoded(trunkFreeSpace.request, body(group))).toThrow("missing");
  expect(() => decoded(trunkFreeSpace.request, Buffer.concat([body(group), slot, slot]))).toThrow(
    "too many",
  );
  expect(() => decoded(trunkSyncBinlog.request, body())).toThrow("0 bytes");
});

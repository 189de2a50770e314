/** Which status a failure gets. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { gatewayError } from "#gateway/errors.ts";
import { httpStatusOf } from "#gateway/http-status.ts";
import { netError } from "#net/errors.ts";

test("each kind of failure has the status that clients know", () => {
  const errors = [
    fileStoreError("file-missing", ""),
    fileStoreError("store-full", ""),
    fileStoreError("store-path-offline", ""),
    netError("peer-silent", ""),
    gatewayError("upload-too-large", ""),
    gatewayError("range-unsatisfiable", ""),
  ];
  expect(errors.map(httpStatusOf)).toEqual([404, 507, 503, 408, 413, 416]);
});

test("a disk that is full is told apart from one that is broken", () => {
  const failed = (errno: string): number | undefined =>
    httpStatusOf(fileStoreError("disk-failed", "", { details: { errno } }));
  expect(["ENOSPC", "EDQUOT", "EROFS", "EIO"].map(failed)).toEqual([507, 507, 503, 500]);
});

test("what nobody foresaw has none", () => {
  expect([new Error("x"), new AppError("unheard-of", ""), undefined].map(httpStatusOf)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

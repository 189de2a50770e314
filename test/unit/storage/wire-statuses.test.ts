/** Failures as status bytes (protocol §1.3). */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { netError } from "#net/errors.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";
import { WireStatusError } from "#protocol/wire-status.ts";
import { wireStatusOf } from "#storage/wire-statuses.ts";

test("failures of the store and of the transport have their statuses", () => {
  expect(
    [
      fileStoreError("file-missing", ""),
      fileStoreError("file-exists", ""),
      fileStoreError("file-invalid", ""),
      fileStoreError("file-irregular", ""),
      fileStoreError("store-full", ""),
      fileStoreError("disk-failed", ""),
      fileStoreError("store-path-offline", ""),
      fileStoreError("store-closing", ""),
      netError("flow-broken", ""),
      new ProtocolError("invalid", ""),
      new ProtocolError("short", ""),
      new WireStatusError(95, ""),
    ].map(wireStatusOf),
  ).toEqual([2, 17, 22, 21, 28, 5, 5, 4, 5, 22, 22, 95]);
});

test("an errno that a client may know is passed through, another is the code's", () => {
  const failed = (errno: string) =>
    wireStatusOf(fileStoreError("disk-failed", "", { details: { errno } }));
  expect(["EROFS", "ENOSPC", "EACCES", "EMFILE", "EXDEV"].map(failed)).toEqual([30, 28, 13, 24, 5]);
});

test("mistakes of ours have no status", () => {
  expect([wireStatusOf(new TypeError("bug")), wireStatusOf(new AppError("other", ""))]).toEqual([
    undefined,
    undefined,
  ]);
});

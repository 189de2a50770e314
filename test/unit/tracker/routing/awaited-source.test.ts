import { expect, test } from "vitest";
import { type StorageStatus, storageStatus } from "#model/storage-status.ts";
import { isAwaited } from "#tracker/routing/awaited-source.ts";

const { offline, online, active, syncing, deleted } = storageStatus;
const startedAtMs = 50_000;
const justNow = { startedAtMs, nowMs: startedAtMs + 3000, isAlone: false };
const later = { ...justNow, nowMs: startedAtMs + 5000 };

function seen(status: StorageStatus, messageAtMs = 0) {
  return { status, messageAtMs };
}

test("a tracker that has just started waits for members that have not joined it yet", () => {
  expect(isAwaited(seen(offline), justNow)).toBe(true);
  expect(isAwaited(seen(offline), later)).toBe(false);
  // It was here, and its connection broke.
  expect(isAwaited(seen(offline, startedAtMs + 1000), justNow)).toBe(false);
});

test("somebody unknown may be known to another tracker, where there is one", () => {
  expect(isAwaited(undefined, justNow)).toBe(true);
  expect(isAwaited(undefined, { ...justNow, isAlone: true })).toBe(false);
  expect(isAwaited(undefined, later)).toBe(false);
});

test("who has joined is waited for until its first beat, at any time", () => {
  expect(isAwaited(seen(online, later.nowMs - 10), later)).toBe(true);
  expect(isAwaited(seen(online, later.nowMs - 4000), later)).toBe(false);
});

test("nobody waits for those that have nothing to give, or take no changes though they are there", () => {
  for (const status of [active, syncing, deleted]) {
    expect(isAwaited(seen(status), justNow)).toBe(false);
  }
});

import { expect, test } from "vitest";
import { maxRecordTries } from "#sync/limits.ts";
import { mayTryAgain, type PushedRecord, refusal } from "#sync/push.ts";

const entry = { kind: "create", timestamp: 1, replica: false, name: "M00/00/00/a" } as const;
const record: PushedRecord = { entry, line: "", whole: undefined, tries: 0, wasAside: false };

test("a full or busy peer is waited for, other refusals are the record's own", () => {
  expect(refusal(28)).toEqual({ kind: "later", why: "the peer answered 28: it has no room" });
  expect([4, 11, 12, 13, 16, 24, 30, 110].map((status) => refusal(status).kind)).toEqual(
    Array.from({ length: 8 }, () => "later"),
  );
  expect(refusal(22)).toMatchObject({ kind: "failed", unreadable: false });
  expect(refusal(5).kind).toBe("failed");
});

test("a record is tried a few times, one that was set aside once", () => {
  expect(mayTryAgain(record)).toBe(true);
  expect(mayTryAgain({ ...record, tries: maxRecordTries })).toBe(false);
  expect(mayTryAgain({ ...record, wasAside: true })).toBe(false);
});

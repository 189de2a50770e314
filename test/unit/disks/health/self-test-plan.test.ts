/** Which disk tests itself next. */
import { expect, test } from "vitest";
import { nextSelfTest, type TestedDisk } from "#disks/health/self-test-plan.ts";
import { smartOf } from "../../../support/disk-health.ts";

const day = 24 * 3600;
const now = { seconds: 1_795_449_600, recovering: false };
const settings = { shortTestMs: 7 * day * 1000, longTestMs: 30 * day * 1000 };

function disk(name: string, differs: Partial<TestedDisk> = {}): TestedDisk {
  const never = { shortTestAt: undefined, longTestAt: undefined };
  return { name, awake: true, verdict: "ok", smart: smartOf(), ...never, ...differs };
}

function ago(days: number): number {
  return now.seconds - days * day;
}

test("the one that waits for longest comes first, and long tests before short ones", () => {
  const a = disk("sda", { shortTestAt: ago(8), longTestAt: ago(31) });
  const b = disk("sdb", { shortTestAt: ago(80), longTestAt: ago(33) });
  expect(nextSelfTest([a, b], settings, now)).toEqual({ name: "sdb", kind: "long" });
  expect(nextSelfTest([a], settings, now)).toEqual({ name: "sda", kind: "long" });
  const c = disk("sdc", { shortTestAt: ago(9), longTestAt: ago(20) });
  expect(nextSelfTest([c], settings, now)).toEqual({ name: "sdc", kind: "short" });
});

test("a disk that was never tested is", () => {
  expect(nextSelfTest([disk("sda")], settings, now)).toEqual({ name: "sda", kind: "long" });
});

test("a long test spares the short one", () => {
  const recent = disk("sda", { longTestAt: ago(3) });
  expect(nextSelfTest([recent], settings, now)).toBeUndefined();
});

test("a test that somebody else had it do counts, by the disk's own log", () => {
  const entry = { kind: "long", result: "passed", words: "", atHours: 950 } as const;
  const smart = smartOf({ powerOnHours: 1000, selfTests: [entry] });
  expect(nextSelfTest([disk("sda", { smart })], settings, now)).toBeUndefined();
  const aborted = smartOf({ powerOnHours: 1000, selfTests: [{ ...entry, result: "aborted" }] });
  expect(nextSelfTest([disk("sda", { smart: aborted })], settings, now)).toBeDefined();
});

test("nothing is begun while any disk tests itself, or a store path is filled", () => {
  const testing = disk("sdb", { smart: smartOf({ selfTestRemainingPercent: 10 }) });
  expect(nextSelfTest([disk("sda"), testing], settings, now)).toBeUndefined();
  expect(nextSelfTest([disk("sda")], settings, { ...now, recovering: true })).toBeUndefined();
});

test("disks that sleep, failed or tell nothing are left alone", () => {
  const differs = [{ awake: false }, { verdict: "failed" }, { smart: undefined }] as const;
  for (const each of differs) {
    expect(nextSelfTest([disk("sda", each)], settings, now)).toBeUndefined();
  }
});

test("a period of 0 is never", () => {
  const never = { shortTestMs: 0, longTestMs: 0 };
  expect(nextSelfTest([disk("sda")], never, now)).toBeUndefined();
});

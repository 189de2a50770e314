/** When the disk must be asked whether a name is taken. */
import { expect, test } from "vitest";
import { IssuedNames } from "#filestore/worker/issued-names.ts";
import { makeBase } from "#model/file-base.ts";

test("names of a time that was never before are free, each once", () => {
  const names = new IssuedNames(100);
  expect([names.give("a", 101), names.give("b", 101), names.give("a", 101)]).toEqual([
    true,
    true,
    false,
  ]);
  expect([names.give("a", 102), names.give("b", 102)]).toEqual([true, true]);
});

test("names of the time up to the start, or before the newest ones, are asked for", () => {
  const names = new IssuedNames(100);
  expect([names.give("a", 99), names.give("a", 100)]).toEqual([false, false]);
  expect([names.give("a", 105), names.give("a", 104), names.give("a", 105)]).toEqual([
    true,
    false,
    false,
  ]);
});

test("a file of this run has no metadata until this run makes some", () => {
  const source = { kind: "address", address: "10.0.0.1" } as const;
  const made = (address: string, timestamp: number): string =>
    makeBase({
      ...{ source: { kind: "address", address }, timestamp, kind: "normal", tail: "1234567" },
      ...{ size: 1, crc32: 2, randomBits: 3 },
    });
  const names = new IssuedNames(100);
  expect(names.lacksMetadata(made("10.0.0.1", 101), source)).toBe(true);
  expect(names.lacksMetadata(made("10.0.0.1", 100), source)).toBe(false);
  expect(names.lacksMetadata(made("10.0.0.2", 101), source)).toBe(false);
  expect(names.lacksMetadata("no-name-of-a-file", source)).toBe(false);
  const other = { kind: "address", address: "10.0.0.2" } as const;
  expect(names.lacksMetadata(made("10.0.0.2", 101), other)).toBe(true);
  const unnamed = { kind: "address", address: "fd00::1" } as const;
  expect(names.lacksMetadata(made("10.0.0.2", 101), unnamed)).toBe(false);
  names.metadataMade();
  expect(names.lacksMetadata(made("10.0.0.1", 101), source)).toBe(false);
});

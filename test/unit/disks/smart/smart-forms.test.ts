/** Single forms of smartctl's JSON that the vectors do not have. */
import { expect, test } from "vitest";
import { readAtaFacts } from "#disks/smart/ata-facts.ts";
import { readCommonFacts } from "#disks/smart/common-facts.ts";
import { cleanWord, countAt, fieldAt, flagAt, listAt, wordAt } from "#disks/smart/json-fields.ts";
import { readNvmeFacts } from "#disks/smart/nvme-facts.ts";
import { readScsiFacts } from "#disks/smart/scsi-facts.ts";

test("a field is found only where everything above it is a record", () => {
  expect(fieldAt({ a: { b: 1 } }, "a", "b")).toBe(1);
  for (const value of [undefined, null, 1, "a", [], { a: [] }, { a: null }]) {
    expect(fieldAt(value, "a", "b")).toBeUndefined();
  }
  expect(fieldAt({}, "constructor")).toBeUndefined();
});

test("counts, words, flags and lists of another type are not there", () => {
  expect([1, -1, 1.5, "1", Number.NaN].map((n) => countAt({ n }, ["n"]))).toEqual([
    1,
    ...[undefined, undefined, undefined, undefined],
  ]);
  expect(countAt({ n: 256 }, ["n"], 255)).toBeUndefined();
  expect([" a\u0000b ", "", 1].map((w) => wordAt({ w }, ["w"], 9))).toEqual([
    "a b",
    undefined,
    undefined,
  ]);
  expect([true, "true"].map((f) => flagAt({ f }, "f"))).toEqual([true, undefined]);
  expect(listAt({ l: [1, 2, 3] }, ["l"], 2)).toEqual([1, 2]);
  expect(listAt({ l: { length: 9 } }, ["l"], 2)).toEqual([]);
  expect(cleanWord("\ud800x\n", 9)).toBe("\ufffdx");
});

test("a sensor that is not there tells no temperature", () => {
  const read = (current: unknown) => readCommonFacts({ temperature: { current } });
  expect([0, -273, 255, 1.5, "30"].map((each) => read(each).temperatureCelsius)).toEqual(
    new Array(5).fill(undefined),
  );
  expect(read(-5).temperatureCelsius).toBe(-5);
});

test("without judgement, attributes, log or counts there are no facts", () => {
  expect(readAtaFacts({}, undefined)).toBeUndefined();
  expect(readNvmeFacts({}, true)).toBeUndefined();
  expect(readScsiFacts({ temperature: { current: 0 } }, true)).toBeUndefined();
});

test("the count of an attribute is the number that smartctl's text begins with", () => {
  const count = (value: number, string: string) =>
    readAtaFacts({ ata_smart_attributes: { table: [{ id: 5, raw: { value, string } }] } }, true)
      ?.reallocated;
  expect(count(655_360_008, "8 (10000 0)")).toBe(8);
  expect(count(12, "unknown")).toBe(12);
  expect(count(12, "0x000c")).toBe(12);
});

test("a disk that counts its wear another way than to 100 does not tell it", () => {
  const wear = (name: string, value: number) =>
    readAtaFacts({ ata_smart_attributes: { table: [{ id: 177, name, value }] } }, true)
      ?.wearPercent;
  expect(wear("Wear_Leveling_Count", 95)).toBe(5);
  expect(wear("Wear_Leveling_Count", 200)).toBeUndefined();
  expect(wear("Wear_Leveling_Count", 0)).toBeUndefined();
  expect(wear("Power_On_Hours", 95)).toBeUndefined();
});

test("newer versions of smartctl tell the wear themselves", () => {
  const json = { endurance_used: { current_percent: 12 } };
  expect(readAtaFacts(json, true)?.wearPercent).toBe(12);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import type { InventoryEntry } from "#filestore/inventory/inventory-entry.ts";
import type { SearchAnswer } from "#filestore/worker/binlog-search.ts";
import {
  isImmutable,
  isNameOfSlot,
  maxCopiedUnseen,
  type NameDifference,
  planRepair,
  type RepairStep,
} from "#sync/anti-entropy/repair-plan.ts";

const base = "oQoAAmsDh9OIIrfSAAAABdsMogw362.txt";
const name = `M00/00/00/${base}`;
const named: InventoryEntry = { kind: "named", key: base };
const unknown: SearchAnswer = { kind: "unknown" };
const there: SearchAnswer = { kind: "there" };

function stated(sizeBytes: number, modifiedSeconds: number): InventoryEntry {
  return { kind: "stated", key: `${base}-m`, sizeBytes, modifiedSeconds };
}

function deleted(timestamp: number): SearchAnswer {
  return { kind: "deleted", timestamp };
}

function plan(parts: Partial<NameDifference>): RepairStep {
  const nothing = { here: undefined, there: undefined, knownHere: unknown, knownThere: unknown };
  return planRepair({ name, ...nothing, ...parts });
}

test("what nobody deleted is copied to where it is missing, whatever the logs forgot", () => {
  expect(plan({ there: named })).toMatchObject({ step: "copy", to: "here", timestamp: 0x6b0387d3 });
  expect(plan({ here: named, knownHere: there })).toMatchObject({ step: "copy", to: "there" });
  expect(plan({ here: named, knownThere: there })).toMatchObject({ step: "copy", to: "there" });
});

test("what either side deleted goes on the other", () => {
  expect(plan({ there: named, knownHere: deleted(9) })).toEqual({
    step: "delete",
    at: "there",
    timestamp: 9,
  });
  expect(plan({ here: named, knownThere: deleted(9) })).toEqual({
    step: "delete",
    at: "here",
    timestamp: 9,
  });
});

test("metadata of a file that was deleted goes, whatever its own record says", () => {
  const metadata = `${name}-m`;
  const gone = { step: "delete", at: "there", timestamp: 10 };
  const both = { name: metadata, there: stated(1, 10), knownThere: there };
  expect(plan({ ...both, owner: [deleted(9), there] })).toEqual(gone);
  expect(plan({ ...both, owner: [unknown, deleted(9)] })).toEqual(gone);
  expect(plan({ ...both, owner: [there, there] })).toMatchObject({ step: "copy", to: "here" });
  // A slave may have been made anew.
  const slave = "M00/00/00/CgABAWlVuQyAC598AABEvfuAAXI983_s.jpg-m";
  const ofSlave = { ...both, name: slave };
  expect(plan({ ...ofSlave, owner: [deleted(10), there] })).toEqual(gone);
  expect(plan({ ...ofSlave, owner: [deleted(9), there] })).toMatchObject({ step: "copy" });
});

test("metadata that was made anew after its deletion stays", () => {
  const anew = stated(1, 10);
  expect(plan({ there: anew, knownHere: deleted(9) })).toMatchObject({ step: "copy", to: "here" });
  expect(plan({ there: anew, knownHere: deleted(11) })).toMatchObject({
    step: "delete",
    at: "there",
  });
});

test("an appender file stays deleted, however far ahead the clock of its last change was", () => {
  const appender = "M00/00/00/CgABAmlV3JKER1cGAAAAABq9s4k303.txt";
  const ahead = stated(1, 10_000);
  expect(plan({ name: appender, there: ahead, knownHere: deleted(9) })).toEqual({
    step: "delete",
    at: "there",
    timestamp: 9,
  });
  expect(plan({ name: `${appender}-m`, there: ahead, knownHere: deleted(9) })).toMatchObject({
    step: "copy",
  });
});

test("of two versions the later one counts; large ones as long are looked into first", () => {
  expect(plan({ here: stated(5, 10), there: stated(5, 9) })).toEqual({
    step: "copy",
    to: "there",
    timestamp: 10,
  });
  expect(plan({ here: stated(4, 9), there: stated(5, 9) })).toMatchObject({
    step: "copy",
    to: "here",
  });
  const large = maxCopiedUnseen + 1;
  expect(plan({ here: stated(large, 9), there: stated(large, 10) })).toMatchObject({
    step: "compare",
    otherwise: { step: "copy", to: "here" },
  });
  expect(plan({ here: stated(5, 9), there: stated(5, 9) })).toEqual({ step: "nothing" });
});

function mirrored(step: RepairStep): RepairStep {
  const other = { here: "there", there: "here" } as const;
  if (step.step === "copy") return { ...step, to: other[step.to] };
  if (step.step === "delete") return { ...step, at: other[step.at] };
  return step.step === "compare" ? { ...step, otherwise: mirrored(step.otherwise) } : step;
}

test("both sides come to the same", () => {
  const entry = fc.option(
    fc.oneof(
      fc.constant(named),
      fc
        .record({ size: fc.constantFrom(1, 2, maxCopiedUnseen + 1), at: fc.nat(3) })
        .map(({ size, at }) => stated(size, at)),
    ),
    { nil: undefined },
  );
  const known = fc.oneof(
    fc.constantFrom(unknown, there),
    fc.integer({ min: 1, max: 4 }).map(deleted),
  );
  fc.assert(
    fc.property(
      fc.tuple(entry, entry),
      fc.tuple(known, known),
      ([here, over], [knownHere, knownThere]) => {
        const one = planRepair({ name, here, there: over, knownHere, knownThere });
        const other = planRepair({
          name,
          here: over,
          there: here,
          knownHere: knownThere,
          knownThere: knownHere,
        });
        expect(mirrored(other)).toEqual(one);
      },
    ),
  );
});

test("names tell whether they mean one content, and what their slot must look like", () => {
  expect([name, `${name}-m`, name.replace(".txt", "_s.txt")].map(isImmutable)).toEqual([
    true,
    false,
    false,
  ]);
  const slot = { kind: "slot", key: "", fileId: 1, offset: 0, slotSize: 1, sizeBytes: 1 } as const;
  const rest = { crc32: 1, timestamp: 1, content: "file", tail: "362.txt" } as const;
  expect(isNameOfSlot(name, { ...slot, ...rest })).toBe(false);
});

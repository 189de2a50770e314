import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import {
  type SlotOutcome,
  type SlotSource,
  slotOfName,
  storeInSlot,
} from "#filestore/slot-source.ts";
import type { TrunkLocation } from "#model/trunk-location.ts";

const location: TrunkLocation = {
  storePathIndex: 1,
  high: 2,
  low: 3,
  fileId: 4,
  offset: 0,
  size: 512,
};
const wanted = { storePathIndex: 1, sizeBytes: 400 };

function source(given: TrunkLocation | undefined) {
  const outcomes: SlotOutcome[] = [];
  const slots: SlotSource = {
    isReady: true,
    allocate: async () => given,
    confirm: async (_location, outcome) => {
      outcomes.push(outcome);
    },
    free: async () => {},
  };
  return { slots, outcomes };
}

test("a file that was stored keeps its slot", async () => {
  const { slots, outcomes } = source(location);
  const stored = await storeInSlot(slots, wanted, async (slot) => `stored at ${slot?.offset}`);
  expect([stored, outcomes]).toEqual(["stored at 0", ["kept"]]);
});

test("without a slot a file is stored otherwise, and nothing is confirmed", async () => {
  const { slots, outcomes } = source(undefined);
  expect(await storeInSlot(slots, wanted, async (slot) => String(slot))).toBe("undefined");
  expect(outcomes).toEqual([]);
});

test.each([
  ["store-full", "unused"],
  ["flow-broken", "unused"],
  ["file-exists", "occupied"],
  ["store-path-offline", "kept"],
] as const)("an upload that ended with %s leaves its slot %s", async (code, outcome) => {
  const { slots, outcomes } = source(location);
  const failing = storeInSlot(slots, wanted, async () => {
    throw new AppError(code, "as told");
  });
  await expect(failing).rejects.toThrow("as told");
  expect(outcomes).toEqual([outcome]);
});

test("only names of packed files have a slot", () => {
  const packed = "M01/00/00/fwApBWsD4XSIFjnvAAST4CGXGwcAAAAAQAABAAABJQA809.bin";
  expect(slotOfName(packed)).toEqual({
    ...{ storePathIndex: 1, high: 0, low: 0, fileId: 1, offset: 1024, size: 300_032 },
  });
  expect(slotOfName("M00/00/00/fwApBWsD4XWAdWVoAB6EgFYNio0046.bin")).toBeUndefined();
  expect(slotOfName("nonsense")).toBeUndefined();
});

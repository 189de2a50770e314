/** Packed files beside the names that a binlog has for them. */
import { expect, test } from "vitest";
import { present } from "#base/assert.ts";
import { decodeEntry } from "#filestore/binlog/entry.ts";
import { SlotRegister } from "#filestore/scrub/slot-register.ts";
import { makeBase, makeTail } from "#model/file-base.ts";

const facts = {
  source: { kind: "address", address: "10.9.0.2" } as const,
  timestamp: 1_700_000_000,
  size: 700,
  crc32: 0x12345678,
  randomBits: 5,
  tail: makeTail("txt", 123),
};

function nameAt(offset: number): string {
  const trunk = { fileId: 1, offset, size: 1024 };
  return `M00/00/00/${makeBase({ ...facts, kind: "trunk", trunk })}`;
}

function entryAt(offset: number, crc32 = facts.crc32) {
  return {
    kind: "slot" as const,
    key: `#0000000001#${String(offset).padStart(10, "0")}`,
    ...{ fileId: 1, offset, slotSize: 1024, sizeBytes: facts.size, crc32 },
    ...{ timestamp: facts.timestamp, content: "file" as const, tail: facts.tail },
  };
}

const follow = (register: SlotRegister, line: string): void =>
  register.follow(present(decodeEntry(line), line));

test("names without their header are missing; deleted ones, and those that were found, are not", () => {
  const register = new SlotRegister();
  register.add(entryAt(0));
  register.add(entryAt(1024, 1));
  for (const offset of [0, 1024, 2048, 3072]) {
    follow(register, `1700000000 C ${nameAt(offset)}`);
  }
  follow(register, `1700000001 D ${nameAt(3072)}`);
  follow(register, "1700000001 C M00/00/00/short.txt");
  expect([...register.missing()].map(({ offset }) => offset)).toEqual([1024, 2048]);
  expect(register.nameOf(entryAt(2048).key)).toBe(nameAt(2048));
  expect(register.nameOf(entryAt(3072).key)).toBe(undefined);
  expect(register.isWhole).toBe(true);
});

/**
 * Goal: nothing that lies in a trunk binlog or comes from a peer makes its readers throw, hang, or give out a byte twice. Method: random bytes and
 * random sequences of the fragments that lines and parameters consist of, cut at random places, into every reader; then a trunk server's life goes on
 * from what they made of it.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseTrunkLogLine, trunkLogLine } from "#filestore/formats/trunk-log-line.ts";
import { GroupAllocator } from "#filestore/trunk/group-allocator.ts";
import { TrunkLogReplay } from "#filestore/trunk/trunk-log-replay.ts";
import type { TrunkLocation } from "#model/trunk-location.ts";
import { readTrunkParameters } from "#storage/trunk-parameters.ts";

const rules = {
  slotMinBytes: 256,
  slotMaxBytes: 65_536,
  alignmentBytes: 256,
  trunkFileBytes: 4 * 1024 * 1024,
};

function textOf(...fragments: readonly string[]): fc.Arbitrary<string> {
  const pieces = fc.array(fc.constantFrom(...fragments), { maxLength: 60 });
  const bytes = fc
    .uint8Array({ maxLength: 200 })
    .map((some) => Buffer.from(some).toString("latin1"));
  const joined = pieces.map((each) => each.join(""));
  return fc.oneof(joined, joined, bytes);
}

const numbers = ["0", "1", "255", "256", "512", "1024", "4194304", "2147483648", "-1", "1e3"];
const fragments = [
  ...numbers,
  ...["1795395770 A 0 0 0 1 0 4194304\n", "1795395770 D 0 0 0 1 0 512\n", "1 A 0 1 2 3 512 1024\n"],
  ...["0 0 0 2 0 1024\n", " ", " ", "\n", "A", "D", "\0", "\r\n", "x".repeat(300)],
];
const binlog = textOf(...fragments);

test("what is a line is written as it was read", () => {
  fc.assert(
    fc.property(binlog, (text) => {
      const entry = parseTrunkLogLine(text);
      if (entry === undefined) return;
      const line = trunkLogLine(entry.kind, entry.timestamp, entry.location);
      expect(parseTrunkLogLine(line.slice(0, -1))).toEqual(entry);
    }),
  );
});

test("a binlog of any content leaves free slots that do not overlap, and slots from it are given once", () => {
  fc.assert(
    fc.property(binlog, fc.array(fc.nat(200), { maxLength: 10 }), (text, cuts) => {
      const slots = new GroupAllocator(rules, 256);
      let head = 0;
      const replay = new TrunkLogReplay(
        (event) => slots.replay(event),
        (offset) => {
          head = offset;
        },
      );
      const bytes = Buffer.from(text, "latin1");
      let from = 0;
      for (const cut of cuts) {
        replay.add(bytes.subarray(from, from + cut));
        from += cut;
      }
      replay.add(bytes.subarray(from));
      expect(Number.isSafeInteger(head)).toBe(true);
      expectApart([...slots.slots()]);
      const given: TrunkLocation[] = [];
      for (let at = 0; at < 8; at += 1) {
        const one = slots.allocate(at % 2, 300 + at * 256);
        if (one !== undefined) given.push(one.location);
      }
      for (const _events of slots.merge());
      expectApart([...slots.slots()]);
      for (const location of given) expect(slots.confirm(location, true)).toHaveLength(1);
      expectApart([...given, ...slots.slots()]);
    }),
  );
});

test("frees and confirmations of any place never make slots overlap", () => {
  const location = fc.record({
    storePathIndex: fc.nat(1),
    high: fc.constant(0),
    low: fc.constant(0),
    fileId: fc.integer({ min: 1, max: 2 }),
    offset: fc.nat(4096),
    size: fc.integer({ min: 1, max: 4096 }),
  });
  const steps = fc.array(fc.tuple(fc.constantFrom("free", "kept", "unused", "allocate"), location));
  fc.assert(
    fc.property(steps, (list) => {
      const slots = new GroupAllocator(rules, 256);
      for (const [kind, place] of list) {
        if (kind === "free") slots.free(place);
        else if (kind === "allocate") slots.allocate(place.storePathIndex, place.size);
        else slots.confirm(place, kind === "kept");
      }
      expectApart([...slots.slots()]);
    }),
  );
});

test("parameters of any content are rules that can be kept", () => {
  const names = [
    ...["slot_min_size", "slot_max_size", "trunk_alloc_alignment_size", "trunk_file_size"],
    ...[
      "trunk_compress_binlog_time_base",
      "trunk_compress_binlog_interval",
      "use_trunk_file",
      "cairn",
    ],
  ];
  const values = textOf(...numbers, "64MB", "1G", "99999999999999999999", "03:00", "25:61", "yes");
  const lines = fc.array(fc.tuple(fc.constantFrom(...names), values), { maxLength: 12 });
  fc.assert(
    fc.property(lines, (given) => {
      const { rules: read, compression } = readTrunkParameters(given);
      const { slotMinBytes, slotMaxBytes, alignmentBytes, trunkFileBytes } = read;
      expect(slotMinBytes).toBeGreaterThanOrEqual(1);
      expect(slotMaxBytes).toBeGreaterThanOrEqual(slotMinBytes);
      expect(slotMaxBytes).toBeLessThanOrEqual(trunkFileBytes / 2);
      expect(alignmentBytes).toBeLessThanOrEqual(65_536);
      expect(compression.timeBase.hour).toBeLessThan(24);
      const slots = new GroupAllocator(read, 256);
      const one = slots.allocate(0, slotMaxBytes)?.location;
      expect((one?.offset ?? 0) + (one?.size ?? 0)).toBeLessThanOrEqual(trunkFileBytes);
    }),
  );
});

function expectApart(all: readonly TrunkLocation[]): void {
  const files = Map.groupBy(
    all,
    (slot) => `${slot.storePathIndex} ${slot.high} ${slot.low} ${slot.fileId}`,
  );
  for (const slots of files.values()) {
    const sorted = slots.toSorted((one, other) => one.offset - other.offset);
    for (const [at, slot] of sorted.entries()) {
      const before = sorted[at - 1];
      if (before !== undefined)
        expect(before.offset + before.size).toBeLessThanOrEqual(slot.offset);
    }
  }
}

import fc from "fast-check";
import { expect, test } from "vitest";
import { trunkLogLine } from "#filestore/formats/trunk-log-line.ts";
import type { SlotEvent } from "#filestore/trunk/group-allocator.ts";
import { TrunkLogReplay } from "#filestore/trunk/trunk-log-replay.ts";

const slot = { storePathIndex: 0, high: 1, low: 2, fileId: 3, offset: 0, size: 256 };

function offsets(
  pieces: readonly string[],
  replay: (apply: (event: SlotEvent) => void) => TrunkLogReplay,
) {
  const found: number[] = [];
  const reader = replay(({ location }) => found.push(location.offset));
  for (const piece of pieces) reader.add(Buffer.from(piece));
  return { found, invalid: reader.invalid, pending: reader.pending };
}

test("however the bytes come, the lines are the same, and what is none is counted", () => {
  const lines = [0, 256, 512].map((offset) => trunkLogLine("free", 7, { ...slot, offset }));
  const text = `${lines[0]}rubbish\n${lines[1]}${"x".repeat(3000)}\n${lines[2]}7 A 0`;
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 20 }), (cuts) => {
      const at = [0, ...cuts.sort((one, other) => one - other), text.length];
      const pieces = at.slice(1).map((end, index) => text.slice(at[index], end));
      const read = offsets(pieces, (apply) => new TrunkLogReplay(apply));
      expect(read).toEqual({ found: [0, 256, 512], invalid: 2, pending: 5 });
    }),
  );
});

test("a snapshot begins with the position where the binlog goes on", () => {
  let head = -1;
  const text = `1234\n${trunkLogLine("free", 7, slot)}0 1 2 3 256 300\n`;
  const read = offsets(
    [text],
    (apply) =>
      new TrunkLogReplay(apply, (offset) => {
        head = offset;
      }),
  );
  expect([head, read]).toEqual([1234, { found: [0, 256], invalid: 0, pending: 0 }]);
});

test("without such a line the first one counts like the others", () => {
  const read = offsets(
    [trunkLogLine("free", 7, slot)],
    (apply) => new TrunkLogReplay(apply, () => {}),
  );
  expect(read).toEqual({ found: [0], invalid: 0, pending: 0 });
});

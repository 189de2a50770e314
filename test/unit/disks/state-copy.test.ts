import { expect, test } from "vitest";
import { formatStateCopy, parseStateCopy, type StateCopy } from "#disks/state-copy.ts";
import { someNode } from "../../support/passports.ts";

const copy: StateCopy = {
  nodeId: someNode(1).owner.id,
  sequence: 7,
  writtenAt: 1_800_000_000,
  identity: '{"é":1}\n',
  state: Buffer.from("SQLite format 3\0and the rest\n"),
};

test("a copy is read as it was written", () => {
  const read = parseStateCopy(formatStateCopy(copy));
  expect({ ...read, state: Buffer.from(read.state) }).toEqual(copy);
  const empty = { ...copy, identity: "", state: Buffer.alloc(0) };
  expect(parseStateCopy(formatStateCopy(empty)).state.length).toBe(0);
});

test("a copy that is cut, longer, or has one flipped bit is none", () => {
  const bytes = Buffer.from(formatStateCopy(copy));
  for (let length = 0; length < bytes.length; length += 1) {
    expect(() => parseStateCopy(bytes.subarray(0, length)), `${length}`).toThrow(
      "the copy of the node's state",
    );
  }
  expect(() => parseStateCopy(Buffer.concat([bytes, Buffer.from("x")]))).toThrow("is cut");
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 4;
    expect(() => parseStateCopy(changed), `byte ${at}`).toThrow();
  }
});

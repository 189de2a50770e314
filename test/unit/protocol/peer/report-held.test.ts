import { expect, test } from "vitest";
import { narrowAddresses } from "#protocol/codec.ts";
import { maxHeldEntries, reportHeld } from "#protocol/peer/report-held.ts";
import { body, decoded } from "../../../support/wire-bytes.ts";

const head = body(["group1", 16], ["10.0.0.2", 16], { i32: 0x6553f1a0 }, 6);
const entry = body(["10.0.0.3", 16], { i32: 0xfffffff0 | 0 });

test("a report names who tells, its clock, and what it holds of each peer", () => {
  expect(decoded(reportHeld.request, Buffer.concat([head, entry]))).toEqual({
    group: "group1",
    id: "10.0.0.2",
    ownClock: 0x6553f1a0,
    mode: 6,
    entries: [{ id: "10.0.0.3", heldUntil: 0xfffffff0 }],
  });
  expect(decoded(reportHeld.request, head)).toMatchObject({ entries: [] });
});

test("more peers than a group can have, or half an entry, are refused", () => {
  const many = Array.from({ length: maxHeldEntries + 1 }, () => entry);
  expect(() => decoded(reportHeld.request, Buffer.concat([head, ...many]))).toThrow();
  expect(() => decoded(reportHeld.request, Buffer.concat([head, entry.subarray(0, 12)]))).toThrow();
});

test("the reply is that of a beat", () => {
  expect(decoded(reportHeld.reply, body(0), narrowAddresses)).toEqual({
    leader: undefined,
    trunkServer: undefined,
    members: undefined,
  });
});

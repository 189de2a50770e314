import { expect, test } from "vitest";
import { narrowAddresses } from "#protocol/codec.ts";
import { leaseTrunkFiles, maxLeasedFiles } from "#protocol/peer/trunk-lease.ts";
import { body, decoded } from "../../../support/wire-bytes.ts";

test("a question names the group and how many numbers are wanted", () => {
  const request = body(["group1", 16], { i32: 8 });
  expect(decoded(leaseTrunkFiles.request, request)).toEqual({ group: "group1", wanted: 8 });
  expect(() => decoded(leaseTrunkFiles.request, body(["group1", 16], { i32: -1 }))).toThrow(
    "not in the range",
  );
});

test("an answer is one of three ways to pack, with numbers", () => {
  const reply = decoded(leaseTrunkFiles.reply, body(1, { i32: 7 }, { i32: 4 }), narrowAddresses);
  expect(reply).toEqual({ mode: "leased", first: 7, count: 4 });
  const strange = [
    body(3, { i32: 7 }, { i32: 4 }),
    body(1, { i32: 7 }, { i32: maxLeasedFiles + 1 }),
  ];
  for (const bytes of strange) expect(() => decoded(leaseTrunkFiles.reply, bytes)).toThrow();
});

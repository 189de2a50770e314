import { expect, test } from "vitest";
import { readMemberChanges } from "#storage/changelog-lines.ts";

test("deletions and moves of the own group are read in their order", () => {
  const text = [
    "1700000000 group1 10.0.0.2 4 ",
    "1700000001 group2 10.0.0.2 4 ",
    "1700000002 group1 10.0.0.3 3 10.0.0.9",
    "1700000003 group1 100001 4",
    "1700000004 group1 10.0.0.4 3 fd00::4",
    "",
  ].join("\n");
  expect(readMemberChanges(text, "group1")).toEqual([
    { kind: "deleted", id: "10.0.0.2" },
    { kind: "moved", id: "10.0.0.3", to: "10.0.0.9" },
    { kind: "deleted", id: "100001" },
    // Without storage ids an IPv6 address goes by its short code.
    { kind: "moved", id: "10.0.0.4", to: expect.stringMatching(/^.{11}\.$/) },
  ]);
});

test("what makes no sense is passed over", () => {
  const odd = [
    "",
    "group1",
    "1 group1 ü 4",
    "1 group1 a 9",
    "1 group1 a 3",
    "1 group1 a 3 nowhere",
  ];
  expect(readMemberChanges(odd.join("\n"), "group1")).toEqual([]);
});

/** What decides whether a test that needs a program of the system runs. */
import { expect, test } from "vitest";
import { describeMissing, file, program, programPath } from "../support/needs.ts";

test("a program is found on the path and in the folders of daemons", () => {
  expect(programPath("sh")).toMatch(/\/sh$/);
  expect(program("sh", { apt: "dash" }).present).toBe(true);
  expect(programPath("no-such-program-of-ours")).toBeUndefined();
});

test("what is missing is named with the way to get it, and only that", () => {
  const wanted = [
    program("sh", { apt: "dash" }),
    program("no-such-program-of-ours", { apt: "nothing" }),
    file("/no/such/file", "npm run build"),
  ];
  expect(describeMissing(wanted)).toBe(
    "needs no-such-program-of-ours (apt-get install nothing), needs /no/such/file (npm run build)",
  );
  expect(describeMissing(wanted.slice(0, 1))).toBeUndefined();
});

/** Functions of the C library; without a word about the experiment that they come by. */
import { expect, test } from "vitest";
import { linuxFunctions } from "#platform/node/node-ffi.ts";

test("a function of the C library is called, and one that is not there leaves all of them out", () => {
  const warnings: unknown[] = [];
  const note = (warning: unknown): void => void warnings.push(warning);
  process.on("warning", note);
  try {
    const signature = { arguments: [], return: "i32" };
    const found = linuxFunctions<{ getpid(): number }>({ getpid: signature });
    expect(found?.functions.getpid()).toBe(found === undefined ? undefined : process.pid);
    expect(linuxFunctions<{ noSuchThing(): number }>({ noSuchThing: signature })).toBeUndefined();
    expect(warnings).toEqual([]);
  } finally {
    process.off("warning", note);
  }
});

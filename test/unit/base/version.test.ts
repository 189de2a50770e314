/** The version that the program prints is that of its package. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { version } from "#base/version.ts";

test("the program's version is the package's", () => {
  const path = new URL("../../../package.json", import.meta.url);
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ version });
});

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { dataOf } from "#filestore/scrub/data-directory.ts";
import { NodeFiles } from "#platform/node/node-files.ts";

test("a store path and its data directory are both known, and what is neither is refused", () => {
  const folder = mkdtempSync(join(tmpdir(), "cairn-data-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = new NodeFiles();
  expect(() => dataOf(files, folder)).toThrow("is no store path");
  mkdirSync(join(folder, "data", "00", "00"), { recursive: true });
  const data = join(folder, "data");
  for (const each of [folder, `${folder}/`, data, `${data}//`]) {
    expect(dataOf(files, each)).toBe(data);
  }
});

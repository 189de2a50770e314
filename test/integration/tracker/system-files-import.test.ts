import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NodeFiles } from "#platform/node/node-files.ts";
import { readDataDirectory } from "#tracker/system-files-import.ts";

test("the data directory of a C tracker is read, one without is none", () => {
  const vectors = join(import.meta.dirname, "../../vectors/tracker-data");
  const empty = mkdtempSync(join(tmpdir(), "cairn-tracker-"));
  try {
    const imported = readDataDirectory(new NodeFiles(), vectors);
    expect(imported?.saved.storages.map((storage) => storage.id)).toEqual(["100002", "100001"]);
    expect(imported?.saved.changelog.length).toBe(2);
    expect(readDataDirectory(new NodeFiles(), empty)).toBeUndefined();
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
});

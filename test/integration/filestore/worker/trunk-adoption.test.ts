import { expect, test } from "vitest";
import { FileLayout } from "#filestore/worker/file-layout.ts";
import { adoptTrunkBinlog } from "#filestore/worker/trunk-adoption.ts";
import { openEngine, readText } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";
import { Stopped, TroubledFiles } from "../../../support/troubled-files.ts";

const line = "1795395770 A 0 0 0 1 0 4194304\n";
const rolledBack = "1795395770 D 0 0 0 1 0 4194304\n";

function disk(): MemoryFiles {
  const files = new MemoryFiles(
    "/base",
    "/base/data",
    "/base/data/trunk",
    "/p0",
    "/p0/data",
    "/p0/data/.cairn",
  );
  writeFile(files, "/base/data/trunk/binlog", Buffer.from(line));
  const binlog = files.open("/base/data/trunk/binlog", "read");
  files.flush(binlog);
  files.close(binlog);
  files.flushDirectory("/base/data/trunk");
  return files;
}

const layout = new FileLayout("/p0", 0);

test("the trunk binlog of another base path is copied, once", () => {
  const files = disk();
  expect(adoptTrunkBinlog(files, layout, "/base")).toBe(true);
  expect(readText(files, "/p0/data/trunk/binlog")).toBe(line);
  writeFile(files, "/base/data/trunk/binlog.rollback", Buffer.from(rolledBack));
  expect(adoptTrunkBinlog(files, layout, "/base")).toBe(false);
  expect(readText(files, "/base/data/trunk/binlog")).toBe(line);
});

test("what a compression had put aside comes first; without a base path there is nothing", () => {
  const files = disk();
  writeFile(files, "/base/data/trunk/binlog.rollback", Buffer.from(rolledBack));
  expect(adoptTrunkBinlog(files, layout, "")).toBe(false);
  expect(adoptTrunkBinlog(files, layout, "/nowhere")).toBe(false);
  expect(adoptTrunkBinlog(files, layout, "/base")).toBe(true);
  expect(readText(files, "/p0/data/trunk/binlog")).toBe(rolledBack + line);
});

test("an adoption that was interrupted anywhere is made good by the next start", () => {
  for (let atCall = 1; atCall <= 20; atCall += 1) {
    const files = disk();
    const troubled = new TroubledFiles(files);
    troubled.arm({ kind: "stop", atCall });
    try {
      adoptTrunkBinlog(troubled.files, layout, "/base");
    } catch (error) {
      expect(error).toBeInstanceOf(Stopped);
    }
    files.powerCut();
    adoptTrunkBinlog(files, layout, "/base");
    expect(readText(files, "/p0/data/trunk/binlog"), `stopped at call ${atCall}`).toBe(line);
  }
});

test("the first store path alone takes it over, at its first start", () => {
  for (const index of [0, 1]) {
    const files = disk();
    writeFile(files, "/p0/data/.fastdfs_vars", Buffer.from("store_path_mark=x\n"));
    const settings = { index, adoptBasePath: "/base" };
    openEngine({ files, directory: "/p0", settings }).close();
    expect(files.stat("/p0/data/trunk/binlog", true) !== undefined).toBe(index === 0);
  }
});

import { expect, test } from "vitest";
import { TrunkFiles } from "#filestore/worker/trunk-files.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

test("the files lie where C has them, and names lead nowhere else", () => {
  const places = new TrunkFiles("/d/data", "/d/data/.cairn");
  expect([
    places.named("binlog"),
    places.named("snapshot"),
    places.named("10.0.0.1_23000.mark"),
  ]).toEqual([
    "/d/data/trunk/binlog",
    "/d/data/storage_trunk.dat",
    "/d/data/trunk/10.0.0.1_23000.mark",
  ]);
  for (const name of ["", "x", "../a.mark", "a/b.mark", `${"a".repeat(101)}.mark`]) {
    expect(() => places.named(name), name).toThrow("is no file of a trunk binlog");
  }
});

test("only the newest backups stay, and only marks are removed", () => {
  const files = new MemoryFiles("/d", "/d/data", "/d/data/trunk");
  const places = new TrunkFiles("/d/data", "/d/data/.cairn");
  for (const name of ["a.mark", "b.mark", "binlog.tmp", "binlog.20250101000000"]) {
    files.close(files.open(`/d/data/trunk/${name}`, "create"));
  }
  files.close(files.open(places.binlog, "create"));
  places.backUp(files, places.binlog, { maxBackups: 1, nowSeconds: 1_795_395_770 });
  places.removeMarks(files);
  expect(files.list("/d/data/trunk")?.sort()).toEqual(["binlog.20261123010250", "binlog.tmp"]);
});

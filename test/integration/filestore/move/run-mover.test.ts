/** The jobs of the mover's thread beside copying. */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { deletedOf, unfinishedOf } from "#filestore/move/move-messages.ts";
import { MoveStage } from "../../../support/move-stage.ts";

test("a copy gets the path's name, then the files are written in their order, for the owner only", () => {
  using stage = new MoveStage();
  writeFileSync(join(stage.source, "data/file"), "content");
  stage.copy();
  const { folder, target } = stage;
  const passport = join(folder, "b/.cairn-disk/passport.json");
  const old = join(folder, "a/state.copy");
  writeFileSync(old, "");
  const files = [{ path: passport, text: "passport" }];
  const job = { kind: "commit", target, files, removed: [old] } as const;
  expect(stage.run(job).post).toBe("done");
  expect(readFileSync(join(target, "data/file"), "utf8")).toBe("content");
  expect(readFileSync(passport, "utf8")).toBe("passport");
  expect(statSync(passport).mode & 0o777).toBe(0o600);
  expect(existsSync(old)).toBe(false);
  // After a kill in between it is done once more.
  expect(stage.run(job).post).toBe("done");
  expect(existsSync(unfinishedOf(target))).toBe(false);
});

test("what has the name already is where a copy begins, and is never overwritten by a whole one", () => {
  using stage = new MoveStage();
  writeFileSync(join(stage.source, "data/file"), "new");
  mkdirSync(join(stage.target, "data"), { recursive: true });
  writeFileSync(join(stage.target, "data/stale"), "stale");
  stage.copy();
  expect(existsSync(stage.target)).toBe(false);
  expect(existsSync(join(`${stage.target}.moving`, "data/stale"))).toBe(false);
  mkdirSync(stage.target);
  const { target } = stage;
  expect(stage.run({ kind: "commit", target, files: [], removed: [] })).toMatchObject({
    post: "failed",
    message: expect.stringContaining("in the way"),
  });
});

test("a directory is deleted under another name, and what an earlier one left as well", () => {
  using stage = new MoveStage();
  writeFileSync(join(stage.source, "data/file"), "content");
  mkdirSync(deletedOf(stage.source));
  const job = { kind: "delete", directory: stage.source } as const;
  expect(stage.run(job).post).toBe("done");
  expect(existsSync(stage.source)).toBe(false);
  expect(existsSync(`${stage.source}.moved`)).toBe(false);
  expect(stage.run(job).post).toBe("done");
});

test("directories of a new store path are made", () => {
  using stage = new MoveStage();
  const directory = join(stage.folder, "b/store/M07");
  expect(stage.run({ kind: "make", directory }).post).toBe("done");
  expect(stage.run({ kind: "make", directory }).post).toBe("done");
  expect(statSync(directory).isDirectory()).toBe(true);
});

test("while others wait for the disks it takes a small share of the time", () => {
  using stage = new MoveStage();
  for (let file = 0; file < 40; file += 1) {
    writeFileSync(join(stage.source, `data/f${file}`), Buffer.alloc(1024 * 1024));
  }
  const took = (): number => {
    const began = performance.now();
    stage.copy();
    return performance.now() - began;
  };
  const alone = took();
  const words = new Int32Array(stage.words);
  words[1] = 1;
  // All of it again: it is too young to count.
  const beside = took();
  expect(beside).toBeGreaterThan(alone * 2);
});

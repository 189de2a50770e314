/** What all changes have in common: a result or an error, and a name that nobody else changes meanwhile. */
import { expect, test } from "vitest";
import { AssertionError } from "#base/assert.ts";
import { EmptyChange } from "#filestore/worker/changes/staged-change.ts";
import { commit, openEngine, put, stage } from "../../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";

function engineWithAppender() {
  const engine = openEngine({ files: new MemoryFiles("/disk"), directory: "/disk" });
  const name = put(engine, { kind: "appender", extension: "log" }, "abc");
  return { engine, name };
}

test("a file is locked from the begin of a change to its end", () => {
  const { engine, name } = engineWithAppender();
  const starts = [
    () => stage(engine, { kind: "append", name }, { content: "d" }),
    () => stage(engine, { kind: "modify", name, offset: 0 }, { content: "e" }),
    () => engine.prepareTruncate(name, 1),
    () => engine.prepareMetadata(name, "overwrite", Buffer.from("a\x02b")),
    () => engine.prepareRemove(name),
  ];
  for (const start of starts) {
    expect(engine.isLocked(name)).toBe(false);
    const change = start();
    expect([engine.isLocked(name), engine.isLocked(`${name}-m`)]).toEqual([true, true]);
    for (const other of starts) expect(other).toThrow(AssertionError);
    expect(() => engine.regenerate(name)).toThrow(AssertionError);
    commit(engine, change);
  }
  expect(engine.isLocked(name)).toBe(false);
});

test("a change that is refused locks nothing", () => {
  const { engine, name } = engineWithAppender();
  expect(() => engine.startWrite({ kind: "modify", name, offset: 4 }, 1)).toThrow("behind the end");
  expect(() =>
    engine.prepareMetadata("M00/00/00/nowhere-to-be-found", "merge", Buffer.from("a")),
  ).toThrow("there is no file");
  expect(engine.isLocked(name)).toBe(false);
  expect(engine.isLocked("no name")).toBe(false);
});

test("names with and without their store path are one file", () => {
  const { engine, name } = engineWithAppender();
  const change = engine.prepareTruncate(name.slice(4), 1);
  expect(engine.isLocked(name)).toBe(true);
  commit(engine, change);
  expect(engine.facts(name).sizeBytes).toBe(1);
});

test("a change that needs nothing succeeds with nothing", () => {
  const { engine } = engineWithAppender();
  const change = new EmptyChange("00/00/some-file");
  const before = engine.binlogPosition();
  engine.commit([change]);
  expect(change).toMatchObject({ result: "", error: undefined });
  expect(change.amends()).toBe("");
  expect(engine.binlogPosition()).toEqual(before);
});

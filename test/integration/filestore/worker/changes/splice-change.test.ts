/** Appending to and overwriting appender files. */
import { expect, test } from "vitest";
import { SpliceChange } from "#filestore/worker/changes/splice-change.ts";
import { FileError } from "#platform/files.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import {
  commit,
  openEngine,
  put,
  readBack,
  stage,
  viewOf,
  withDirectory,
} from "../../../../support/engine-fixture.ts";
import { ManualClock } from "../../../../support/manual-clock.ts";

const mebibyte = 1024 * 1024;

/** Setting times fails so often. */
class Untimely extends NodeFiles {
  failures = 0;

  override setModified(path: string, seconds: number): void {
    if (this.failures > 0) {
      this.failures -= 1;
      throw new FileError("EIO", "EIO: injected");
    }
    super.setModified(path, seconds);
  }
}

test("what is appended and overwritten is there, with offset and length in its record", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const clock = new ManualClock();
    const engine = openEngine({ files, directory, clock });
    const name = put(engine, { kind: "appender", extension: "log" }, "0123456789");
    clock.advance(60_000);
    put(engine, { kind: "append", name }, "abc");
    put(engine, { kind: "modify", name, offset: 2 }, "XY");
    put(engine, { kind: "modify", name, offset: 13 }, "end");
    expect(readBack(engine, name).toString()).toBe("01XY456789abcend");
    const seconds = Math.floor(clock.nowMs() / 1000);
    expect(viewOf(files, directory).binlog.split("\n").slice(1)).toEqual([
      `${seconds} A ${name} 10 3`,
      `${seconds + 1} M ${name} 2 2`,
      `${seconds + 1} M ${name} 13 3`,
      "",
    ]);
    expect(engine.facts(name).modifiedSeconds).toBe(seconds + 1);
    expect(viewOf(files, directory).staged).toEqual([]);
  });
});

test("nothing shows before the commit, and nothing at all after an abort", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const engine = openEngine({ files, directory });
    const name = put(engine, { kind: "appender", extension: "log" }, "abc");
    const before = viewOf(files, directory);
    const handle = engine.startWrite({ kind: "append", name }, 3);
    handle.write(Buffer.from("def"));
    expect(readBack(engine, name).toString()).toBe("abc");
    handle.abort();
    handle.abort();
    expect(viewOf(files, directory)).toEqual(before);
    expect(engine.isLocked(name)).toBe(false);
  });
});

test("appending nothing does nothing, and writes no record", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const engine = openEngine({ files, directory });
    const name = put(engine, { kind: "appender", extension: "log" }, "abc");
    const before = viewOf(files, directory);
    put(engine, { kind: "append", name }, "");
    put(engine, { kind: "modify", name, offset: 3 }, "");
    expect(viewOf(files, directory)).toEqual(before);
    expect(engine.isLocked(name)).toBe(false);
  });
});

test("a long one is copied in steps after its commit; until then readers see the old size", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const engine = openEngine({ files, directory });
    const name = put(engine, { kind: "appender", extension: "log" }, "abc");
    const content = Buffer.alloc(2 * mebibyte + 5, "0123456789");
    const change = stage(engine, { kind: "append", name }, { content, pieces: 4 });
    expect(change).toBeInstanceOf(SpliceChange);
    engine.commit([change]);
    expect(change.error).toBeUndefined();
    const steps = engine.remainder(change);
    expect(steps?.next().done).toBe(false);
    expect(engine.isLocked(name)).toBe(true);
    expect(engine.facts(name).sizeBytes).toBe(3);
    expect(readBack(engine, name).toString()).toBe("abc");
    if (steps !== undefined) engine.runNow(steps);
    expect(engine.isLocked(name)).toBe(false);
    expect(readBack(engine, name).subarray(3).equals(content)).toBe(true);
    expect(viewOf(files, directory).staged).toEqual([]);
  });
});

test("an engine that is closed before a long one is whole finishes it at its next start", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const engine = openEngine({ files, directory });
    const name = put(engine, { kind: "appender", extension: "log" }, "abc");
    const content = Buffer.alloc(2 * mebibyte, "x");
    const change = stage(engine, { kind: "append", name }, { content });
    engine.commit([change]);
    engine.remainder(change)?.next();
    engine.close();
    const again = openEngine({ files, directory });
    expect(again.openReport).toEqual({ rolledForward: 1, swept: 0, adopted: false });
    expect(again.facts(name).sizeBytes).toBe(3 + content.length);
  });
});

test("an append that finds no room for the copy is refused, and leaves nothing", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const engine = openEngine({ files, directory });
    const name = put(engine, { kind: "appender", extension: "log" }, "abc");
    const before = viewOf(files, directory);
    files.space = () => ({ totalBytes: 1000, freeBytes: 4 });
    const target = { kind: "append", name } as const;
    expect(() => stage(engine, target, { content: "too much" })).toThrow("no room for 8 more");
    expect(viewOf(files, directory)).toEqual(before);
    // Overwriting needs none.
    commit(engine, stage(engine, { kind: "modify", name, offset: 0 }, { content: "ABC" }));
    expect(readBack(engine, name).toString()).toBe("ABC");
  });
});

test("an append that failed half-way leaves the time of before: by a later one it would count as the newest version", () => {
  withDirectory((directory) => {
    const files = new Untimely();
    const clock = new ManualClock();
    const engine = openEngine({ files, directory, clock });
    const name = put(engine, { kind: "appender", extension: "log" }, "abc");
    const before = engine.facts(name);
    clock.advance(60_000);
    const append = () => put(engine, { kind: "append", name }, "def");
    files.failures = 1;
    expect(append).toThrow("cannot append");
    expect(engine.facts(name)).toEqual(before);
    // What the disk does not let us undo the next start carries out.
    files.failures = 2;
    expect(append).toThrow("cannot append");
    engine.close();
    const again = openEngine({ files, directory, clock });
    expect(again.openReport.rolledForward).toBe(1);
    const modifiedSeconds = Math.floor(clock.nowMs() / 1000);
    expect(again.facts(name)).toMatchObject({ sizeBytes: 6, modifiedSeconds });
  });
});

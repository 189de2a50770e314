/** Cutting appender files off, and extending them. */
import { expect, test } from "vitest";
import { FileError } from "#platform/files.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import {
  commit,
  openEngine,
  put,
  readBack,
  viewOf,
  withDirectory,
} from "../../../../support/engine-fixture.ts";
import { ManualClock } from "../../../../support/manual-clock.ts";

test("a file is cut off or extended by zeros, with both sizes in the record", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const clock = new ManualClock();
    const engine = openEngine({ files, directory, clock });
    const name = put(engine, { kind: "appender", extension: "log" }, "0123456789");
    clock.advance(5000);
    commit(engine, engine.prepareTruncate(name, 4));
    expect(readBack(engine, name).toString()).toBe("0123");
    commit(engine, engine.prepareTruncate(name, 6));
    expect(readBack(engine, name).toString()).toBe("0123\0\0");
    commit(engine, engine.prepareTruncate(name, 0));
    expect(readBack(engine, name).length).toBe(0);
    const seconds = Math.floor(clock.nowMs() / 1000);
    expect(viewOf(files, directory).binlog.split("\n").slice(1)).toEqual([
      `${seconds} T ${name} 10 4`,
      `${seconds} T ${name} 4 6`,
      `${seconds + 1} T ${name} 6 0`,
      "",
    ]);
    expect(engine.facts(name).modifiedSeconds).toBe(seconds + 1);
  });
});

test("the size that it has needs nothing, and no size is refused", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const engine = openEngine({ files, directory });
    const name = put(engine, { kind: "appender", extension: "log" }, "0123456789");
    expect(engine.prepareTruncate(name, 10)).toBeUndefined();
    for (const size of [-1, 0.5, 2 ** 60]) {
      expect(() => engine.prepareTruncate(name, size)).toThrow("no size");
    }
    expect(engine.isLocked(name)).toBe(false);
  });
});

test("a size that the file system cannot make is refused, and nothing changed", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const engine = openEngine({ files, directory });
    const name = put(engine, { kind: "appender", extension: "log" }, "0123456789");
    const change = engine.prepareTruncate(name, Number.MAX_SAFE_INTEGER);
    expect(() => commit(engine, change)).toThrow("cannot truncate");
    expect(readBack(engine, name).toString()).toBe("0123456789");
    engine.close();
    const again = openEngine({ files, directory });
    expect(readBack(again, name).toString()).toBe("0123456789");
  });
});

test("a truncation whose time could not be set is given it by the next start", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const clock = new ManualClock();
    const engine = openEngine({ files, directory, clock });
    const name = put(engine, { kind: "appender", extension: "log" }, "0123456789");
    clock.advance(5000);
    const setModified = files.setModified.bind(files);
    files.setModified = () => {
      throw new FileError("EIO", "EIO: injected");
    };
    expect(() => commit(engine, engine.prepareTruncate(name, 4))).toThrow("cannot truncate");
    files.setModified = setModified;
    engine.close();
    const again = openEngine({ files, directory, clock });
    expect(again.openReport.rolledForward).toBe(1);
    const modifiedSeconds = Math.floor(clock.nowMs() / 1000);
    expect(again.facts(name)).toMatchObject({ sizeBytes: 4, modifiedSeconds });
  });
});

/** Making normal files of appender files. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { decodeBase } from "#model/file-id.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import {
  commit,
  openEngine,
  put,
  readBack,
  runSteps,
  viewOf,
  withDirectory,
} from "../../../../support/engine-fixture.ts";
import { ManualClock } from "../../../../support/manual-clock.ts";

test("a regenerated name has size, CRC and time of now; directory and end of the name stay", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const clock = new ManualClock();
    const engine = openEngine({ files, directory, clock });
    const old = put(engine, { kind: "appender", extension: "log" }, "0123456789");
    put(engine, { kind: "append", name: old }, "abc");
    clock.advance(90_000);
    const name = commit(engine, runSteps(engine.regenerate(old)));
    const seconds = Math.floor(clock.nowMs() / 1000);
    expect(name.slice(0, 10)).toBe(old.slice(0, 10));
    expect(name.slice(-7)).toBe(old.slice(-7));
    expect(decodeBase(name.slice(10))).toMatchObject({
      isAppender: false,
      size: 13,
      crc32: crc32("0123456789abc"),
      timestamp: seconds,
    });
    expect(viewOf(files, directory).binlog).toContain(`${seconds} R ${name} ${old}\n`);
    expect(readBack(engine, name).toString()).toBe("0123456789abc");
    expect(() => engine.openRead(old)).toThrow("there is no file");
    expect(engine.isLocked(old) || engine.isLocked(name)).toBe(false);
  });
});

test("the name is locked from the call on, and free again when the work is given up", () => {
  withDirectory((directory) => {
    const engine = openEngine({ files: new NodeFiles(), directory });
    const content = Buffer.alloc(2 * 1024 * 1024 + 1);
    const name = put(engine, { kind: "appender", extension: "log" }, content);
    const steps = engine.regenerate(name);
    expect(engine.isLocked(name)).toBe(true);
    expect(steps.next().done).toBe(false);
    steps.return(undefined as never);
    expect(engine.isLocked(name)).toBe(false);
  });
});

test("normal files and slaves of appender files have no other name to get", () => {
  withDirectory((directory) => {
    const engine = openEngine({ files: new NodeFiles(), directory });
    const normal = put(engine, { kind: "normal", extension: "log" }, "abc");
    const master = put(engine, { kind: "appender", extension: "log" }, "abc");
    const slave = put(engine, { kind: "slave", master, prefix: "_s", extension: "log" }, "abc");
    expect(() => engine.regenerate(normal)).toThrow("is not an appender file");
    expect(() => engine.regenerate(slave)).toThrow("is a slave");
  });
});

/** New files, slaves and metadata, as they lie on a real disk. */

import { rmSync, statSync } from "node:fs";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import type { PlaceChange } from "#filestore/worker/changes/place-change.ts";
import { decodeBase } from "#model/file-id.ts";
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

const text = (content: string): Buffer => Buffer.from(content, "latin1");

test("a new file's name says what it is, and it lies where the name says", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const clock = new ManualClock();
    const engine = openEngine({ files, directory, clock });
    const content = Buffer.from("the content of a file");
    const name = put(engine, { kind: "normal", extension: "jpeg" }, content);
    expect(name).toMatch(/^M00\/00\/00\/[\w-]{27}\d\d\.jpeg$/);
    const base = name.slice(10);
    const timestamp = Math.floor(clock.nowMs() / 1000);
    expect(decodeBase(base)).toMatchObject({
      source: { kind: "address", address: "10.9.0.2" },
      timestamp,
      size: content.length,
      crc32: crc32(content),
      isAppender: false,
      extension: "jpeg",
    });
    expect(viewOf(files, directory)).toEqual({
      files: { [name.slice(4)]: content.toString() },
      binlog: `${timestamp} C ${name}\n`,
      staged: [],
    });
    const stat = statSync(`${directory}/data/${name.slice(4)}`);
    expect(stat.mode & 0o777).toBe(0o644);
    expect(readBack(engine, name)).toEqual(content);
  });
});

test("the file's time is the one in its name, whatever pieces it came in", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const clock = new ManualClock();
    clock.advance(7);
    const engine = openEngine({ files, directory, clock });
    for (const pieces of [1, 3]) {
      const target = { kind: "normal", extension: "" } as const;
      const name = commit(engine, stage(engine, target, { content: "0123456789", pieces }));
      expect(engine.facts(name).modifiedSeconds).toBe(decodeBase(name.slice(10))?.timestamp);
      expect(readBack(engine, name).toString()).toBe("0123456789");
    }
  });
});

test("an appender file's name has no size", () => {
  withDirectory((directory) => {
    const engine = openEngine({ files: new NodeFiles(), directory });
    const name = put(engine, { kind: "appender", extension: "log" }, "abc");
    expect(decodeBase(name.slice(10))).toMatchObject({
      isAppender: true,
      size: undefined,
      crc32: crc32("abc"),
    });
  });
});

test("an estimated length is only that", () => {
  withDirectory((directory) => {
    const engine = openEngine({ files: new NodeFiles(), directory });
    for (const announced of [0, 3, 100]) {
      const handle = engine.startWrite({ kind: "normal", extension: "txt" }, announced);
      for (const piece of ["abc", "", "defg"]) handle.write(text(piece));
      const change = handle.finish();
      const name = commit(engine, change);
      expect(readBack(engine, name).toString()).toBe("abcdefg");
      expect(decodeBase(name.slice(10))).toMatchObject({ size: 7, crc32: crc32("abcdefg") });
    }
    expect(viewOf(new NodeFiles(), directory).staged).toEqual([]);
  });
});

test("a slave lies beside its master, under a name that both make", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const engine = openEngine({ files, directory });
    const master = put(engine, { kind: "normal", extension: "bin" }, "master");
    const target = { kind: "slave", master, prefix: "_150x150", extension: "jpg" } as const;
    const slave = put(engine, target, "slave");
    expect(slave).toBe(`${master.slice(0, -4)}_150x150.jpg`);
    expect(viewOf(files, directory).binlog).toContain(` C ${slave}\n`);
    expect(engine.facts(slave)).toMatchObject({ sizeBytes: 5, crc32: undefined });
    const slaveOfSlave = put(engine, { ...target, master: slave, prefix: "_x" }, "again");
    expect(readBack(engine, slaveOfSlave).toString()).toBe("again");
  });
});

test("of two uploads of one slave the first that is whole wins", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const engine = openEngine({ files, directory });
    const master = put(engine, { kind: "normal", extension: "bin" }, "master");
    const target = { kind: "slave", master, prefix: "_s", extension: "" } as const;
    const slow = engine.startWrite(target, 4);
    const pending = stage(engine, target, { content: "fast" });
    slow.write(text("slow"));
    expect(() => slow.finish()).toThrow("is there already");
    slow.abort();
    commit(engine, pending);
    expect(() => engine.startWrite(target, 4)).toThrow("is there already");
    expect(readBack(engine, `${master.slice(0, -4)}_s`).toString()).toBe("fast");
    expect(viewOf(files, directory).staged).toEqual([]);
  });
});

test("metadata is sorted, merged, replaced and removed, each with its record", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const engine = openEngine({ files, directory });
    const name = put(engine, { kind: "normal", extension: "txt" }, "x");
    const stored = (): string => Buffer.from(engine.readMetadata(name)).toString("latin1");
    const set = (mode: "overwrite" | "merge", records: string): string[] => {
      const before = viewOf(files, directory).binlog.length;
      commit(engine, engine.prepareMetadata(name, mode, text(records)));
      const added = viewOf(files, directory).binlog.slice(before);
      return added.split("\n").map((line) => line.split(" ").slice(1).join(" "));
    };
    expect(() => engine.readMetadata(name)).toThrow("there is no file");
    expect(set("overwrite", "b\x022\x01a\x021")).toEqual([`C ${name}-m`, ""]);
    expect(stored()).toBe("a\x021\x01b\x022");
    expect(set("merge", "c\x023\x01a\x02new")).toEqual([`U ${name}-m`, ""]);
    expect(stored()).toBe("a\x02new\x01b\x022\x01c\x023");
    expect(set("merge", "")).toEqual([""]);
    expect(set("overwrite", "z\x021")).toEqual([`U ${name}-m`, ""]);
    expect(stored()).toBe("z\x021");
    expect(set("overwrite", "")).toEqual([`D ${name}-m`, ""]);
    expect(set("overwrite", "")).toEqual([""]);
    expect(() => engine.readMetadata(name)).toThrow("there is no file");
    expect(set("merge", "new\x02one")).toEqual([`C ${name}-m`, ""]);
  });
});

test("a directory that somebody removed is made again", () => {
  withDirectory((directory) => {
    const engine = openEngine({ files: new NodeFiles(), directory });
    const change: PlaceChange | unknown = stage(
      engine,
      { kind: "normal", extension: "txt" },
      { content: "still stored" },
    );
    rmSync(`${directory}/data/00`, { recursive: true });
    const name = commit(engine, change as PlaceChange);
    expect(readBack(engine, name).toString()).toBe("still stored");
  });
});

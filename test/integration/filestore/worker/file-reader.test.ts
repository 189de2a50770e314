/** Reading by logical names: ordinary files, links that C made, and what is no file. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { FileError } from "#platform/files.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import {
  openEngine,
  put,
  readBack,
  runSteps,
  withDirectory,
} from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

/** The code that `action` is refused with. */
function refusal(action: () => unknown): string {
  try {
    action();
    return "done";
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

test("any range is read, up to the end that the file had when it was opened", () => {
  withDirectory((directory) => {
    const engine = openEngine({ files: new NodeFiles(), directory });
    const name = put(engine, { kind: "appender", extension: "log" }, "0123456789");
    const handle = engine.openRead(name);
    put(engine, { kind: "append", name }, "abc");
    const target = Buffer.alloc(6);
    expect(handle.read(target, 2)).toBe(6);
    expect(target.toString()).toBe("234567");
    expect(handle.read(target, 7)).toBe(3);
    expect(handle.read(target, 10)).toBe(0);
    expect(handle.read(target, 50)).toBe(0);
    handle.close();
    handle.close();
    expect(handle.read(target, 0)).toBe(0);
    expect(engine.facts(name).sizeBytes).toBe(13);
  });
});

test("a file that is deleted can be read on by those who have it open", () => {
  withDirectory((directory) => {
    const engine = openEngine({ files: new NodeFiles(), directory });
    const name = put(engine, { kind: "normal", extension: "txt" }, "still here");
    const handle = engine.openRead(name);
    engine.commit([engine.prepareRemove(name)]);
    const target = Buffer.alloc(10);
    handle.read(target, 0);
    expect(target.toString()).toBe("still here");
    handle.close();
  });
});

test("names that are none, of other store paths, of nothing, and of what is no file", () => {
  withDirectory((directory) => {
    const engine = openEngine({ files: new NodeFiles(), directory });
    const name = put(engine, { kind: "normal", extension: "txt" }, "x");
    const base = name.slice(10);
    mkdirSync(`${directory}/data/00/00/a-directory`);
    symlinkSync("nowhere", `${directory}/data/00/00/dangling-link`);
    symlinkSync("looping-link", `${directory}/data/00/00/looping-link`);
    writeFileSync(`${directory}/secret`, "secret");
    const codes: readonly (readonly [string, string])[] = [
      ["", "file-invalid"],
      ["M00", "file-invalid"],
      [`M01/00/00/${base}`, "file-invalid"],
      [`M00/00/${base}`, "file-invalid"],
      [`M00/0a/00/${base}`, "file-invalid"],
      ["M00/00/00/../../../secret", "file-invalid"],
      ["M00/00/00/..", "file-invalid"],
      [`M00/00/00/${base}\0`, "file-invalid"],
      [`M00/00/00/${"x".repeat(200)}`, "file-invalid"],
      [`M00/00/01/${base}`, "file-missing"],
      ["M00/00/00/dangling-link", "file-missing"],
      ["M00/00/00/looping-link", "file-missing"],
      [`M00/00/00/${base}-m`, "file-missing"],
      ["M00/00/00/a-directory", "file-irregular"],
      [name.slice(4), "done"],
    ];
    for (const [wanted, code] of codes) {
      expect([wanted, refusal(() => engine.openRead(wanted))]).toEqual([wanted, code]);
      expect([wanted, refusal(() => engine.facts(wanted))]).toEqual([wanted, code]);
      expect([wanted, refusal(() => runSteps(engine.crc(wanted)))]).toEqual([wanted, code]);
    }
  });
});

test("a whole file is read at once where it is as large as its name says, and nothing else is", () => {
  withDirectory((directory) => {
    const engine = openEngine({ files: new NodeFiles(), directory });
    const target = Buffer.alloc(64);
    const whole = (name: string, size: number): string =>
      engine.readWhole(name, size, target) ? target.toString("latin1", 0, size) : "";
    const name = put(engine, { kind: "normal", extension: "txt" }, "as large");
    const path = `${directory}/data/${name.slice(4)}`;
    expect(whole(name, 8)).toBe("as large");
    expect(whole(name.slice(4), 8)).toBe("as large");
    const link = "M00/00/00/CgkAAmVT8QCAAAAAAAAACgAAAAA123.txt";
    symlinkSync(path, `${directory}/data/${link.slice(4)}`);
    expect(whole(link, 8)).toBe("as large");
    expect(engine.readWhole(name, 8, target.subarray(0, 8))).toBe(false);
    for (const content of ["longer than it was", "short", ""]) {
      writeFileSync(path, content);
      expect(whole(name, 8)).toBe("");
    }
    const directoryName = name.replace(/.{7}$/, "111.txt");
    mkdirSync(`${directory}/data/${directoryName.slice(4)}`);
    expect(whole(directoryName, 8)).toBe("");
    const slave = put(
      engine,
      { kind: "slave", master: name, prefix: "-slave1", extension: "txt" },
      "a slave",
    );
    expect(whole(slave, 7)).toBe("");
    rmSync(path);
    expect(refusal(() => whole(name, 8))).toBe("file-missing");
    expect(refusal(() => whole("M01/00/00/x", 8))).toBe("file-invalid");
  });
});

test("a whole file whose disk fails is left to those who can say so", () => {
  const files = new MemoryFiles("/disk");
  const engine = openEngine({ files, directory: "/disk" });
  const name = put(engine, { kind: "normal", extension: "txt" }, "content");
  const read = files.read.bind(files);
  files.read = () => {
    throw new FileError("EIO", "no");
  };
  expect(engine.readWhole(name, 7, Buffer.alloc(8))).toBe(false);
  files.read = read;
  expect(engine.readWhole(name, 7, Buffer.alloc(8))).toBe(true);
});

test("links of C are followed: size of what they mean, time of their own, CRC of what they mean", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const engine = openEngine({ files, directory });
    const name = put(engine, { kind: "normal", extension: "txt" }, "the source");
    const path = `${directory}/data/${name.slice(4)}`;
    files.setModified(path, 1_600_000_000);
    const link = "M00/00/00/CgkAAmVT8QCAAAAAAAAACgAAAAA123.txt";
    symlinkSync(path, `${directory}/data/${link.slice(4)}`);
    expect(readBack(engine, link).toString()).toBe("the source");
    const facts = engine.facts(link);
    expect(facts).toMatchObject({ sizeBytes: 10, crc32: crc32("the source") });
    expect(facts.modifiedSeconds).toBeGreaterThan(1_700_000_000);
    expect(runSteps(engine.crc(link))).toBe(crc32("the source"));
  });
});

test("the CRC is in the name of normal files alone, and computed for all", () => {
  withDirectory((directory) => {
    const engine = openEngine({ files: new NodeFiles(), directory });
    const content = Buffer.alloc(2_500_000, "0123456789");
    const normal = put(engine, { kind: "normal", extension: "bin" }, content);
    const appender = put(engine, { kind: "appender", extension: "bin" }, "abc");
    put(engine, { kind: "append", name: appender }, "def");
    expect(engine.facts(normal).crc32).toBe(crc32(content));
    expect(engine.facts(appender).crc32).toBeUndefined();
    expect(runSteps(engine.crc(appender))).toBe(crc32("abcdef"));
    const steps = engine.crc(normal);
    let count = 0;
    for (; steps.next().done !== true; count += 1);
    expect(count).toBe(3);
  });
});

test("what the disk refuses is told with its errno", () => {
  const files = new MemoryFiles("/disk");
  const engine = openEngine({ files, directory: "/disk" });
  const name = put(engine, { kind: "normal", extension: "txt" }, "abc");
  const handle = engine.openRead(name);
  files.read = () => {
    throw new FileError("EIO", "EIO: rotten");
  };
  try {
    handle.read(Buffer.alloc(3), 0);
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ code: "disk-failed", details: { errno: "EIO" } });
  }
  handle.close();
  files.open = () => {
    throw new FileError("EMFILE", "EMFILE: too many");
  };
  expect(refusal(() => engine.openRead(name))).toBe("disk-failed");
});

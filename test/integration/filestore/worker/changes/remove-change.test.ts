/** Deleting files, and what belongs to them. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { NodeFiles } from "#platform/node/node-files.ts";
import {
  commit,
  openEngine,
  put,
  viewOf,
  withDirectory,
} from "../../../../support/engine-fixture.ts";

/** Operations and names of a binlog. */
function records(binlog: string): string[] {
  return binlog.split("\n").map((line) => line.split(" ").slice(1).join(" "));
}

test("a file goes with its metadata, a record each; slaves stay", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const engine = openEngine({ files, directory });
    const name = put(engine, { kind: "normal", extension: "txt" }, "x");
    const slave = put(engine, { kind: "slave", master: name, prefix: "_s", extension: "" }, "y");
    commit(engine, engine.prepareMetadata(name, "overwrite", Buffer.from("a\x02b")));
    commit(engine, engine.prepareRemove(name));
    const view = viewOf(files, directory);
    expect(Object.keys(view.files)).toEqual([slave.slice(4)]);
    expect(records(view.binlog).slice(-3)).toEqual([`D ${name}`, `D ${name}-m`, ""]);
    expect(() => engine.prepareRemove(name)).toThrow("there is no file");
    commit(engine, engine.prepareRemove(slave));
    expect(viewOf(files, directory).files).toEqual({});
  });
});

test("metadata can be deleted by its own name, as C allows it", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const engine = openEngine({ files, directory });
    const name = put(engine, { kind: "normal", extension: "txt" }, "x");
    commit(engine, engine.prepareMetadata(name, "overwrite", Buffer.from("a\x02b")));
    commit(engine, engine.prepareRemove(`${name}-m`));
    expect(records(viewOf(files, directory).binlog).slice(-2)).toEqual([`D ${name}-m`, ""]);
    expect(() => engine.readMetadata(name)).toThrow("there is no file");
  });
});

test("a link that C made goes alone; a slave that is a link takes its file along", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const engine = openEngine({ files, directory });
    const name = put(engine, { kind: "normal", extension: "txt" }, "x");
    const path = `${directory}/data/${name.slice(4)}`;
    const linkBase = "CgkAAmVT8QCAAAAAAAAAAAAAAAA123.txt";
    symlinkSync(path, `${directory}/data/00/00/${linkBase}`);
    commit(engine, engine.prepareRemove(`M00/00/00/${linkBase}`));
    expect(Object.keys(viewOf(files, directory).files)).toEqual([name.slice(4)]);
    const slave = `${name.slice(0, -4)}_slave.txt`;
    symlinkSync(path, `${directory}/data/${slave.slice(4)}`);
    commit(engine, engine.prepareRemove(slave));
    const view = viewOf(files, directory);
    expect(view.files).toEqual({});
    expect(records(view.binlog).slice(-3)).toEqual([`D ${slave}`, `D ${name}`, ""]);
  });
});

test("a slave that is a link out of this store path takes nothing along", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const engine = openEngine({ files, directory });
    const name = put(engine, { kind: "normal", extension: "txt" }, "x");
    writeFileSync(`${directory}/elsewhere`, "kept");
    for (const target of [`${directory}/elsewhere`, `${directory}/data/../elsewhere`, "dangling"]) {
      const slave = `${name.slice(0, -4)}_slave.txt`;
      symlinkSync(target, `${directory}/data/${slave.slice(4)}`);
      commit(engine, engine.prepareRemove(slave));
    }
    expect(files.stat(`${directory}/elsewhere`, false)?.kind).toBe("file");
    expect(Object.keys(viewOf(files, directory).files)).toEqual([name.slice(4)]);
  });
});

test("a directory is no file to delete", () => {
  withDirectory((directory) => {
    const engine = openEngine({ files: new NodeFiles(), directory });
    mkdirSync(`${directory}/data/00/00/CgkAAmVT8QCAAAAAAAAAAAAAAAA123.txt`, { recursive: true });
    const name = "M00/00/00/CgkAAmVT8QCAAAAAAAAAAAAAAAA123.txt";
    expect(() => engine.prepareRemove(name)).toThrow("is not a regular file");
  });
});

/**
 * Goal: every file of a disk that another node, or FastDFS, has left is in the own group afterwards, as what it was, once, also where the
 * import was interrupted anywhere; what is damaged is named; the disk is not changed. Method: what FastDFS 6.16.1 left on its disks, a store
 * in memory as the group, and an import that ends at each of its steps in turn.
 */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { foreignFiles, slotOfKey } from "#filestore/import/foreign-files.ts";
import { parseLine, readList } from "#filestore/import/import-list.ts";
import { type ImportTarget, importStorePath } from "#filestore/import/import-run.ts";
import { flowOfSource } from "#net/byte-flow.ts";
import { FileError, type Files } from "#platform/files.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFileStore } from "../../../support/memory-file-store.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import {
  everythingIn,
  type StorePathVector,
  unpackStorePath,
  writeFile,
} from "../../../support/store-path-vectors.ts";

const old = { group: "group1", newGroup: "group7", storePath: "M01" };

const always = ["metadata", "normal", "slave"];

class Stage {
  readonly files = new MemoryFiles("/old");
  readonly clock = new ManualClock();
  readonly store = new MemoryFileStore({ clock: this.clock });
  /** As the import sees them. */
  seen: Files = this.files as Files;
  list = "";
  /** The import ends with an error before, or after, that many steps of the store. */
  stopsAfter = Number.POSITIVE_INFINITY;
  isDone = false;
  steps = 0;

  constructor(vector: StorePathVector) {
    unpackStorePath(vector, this.files, "/old");
  }

  get created(): readonly string[] {
    return [...this.store.files.keys()];
  }

  async run(): Promise<{ files: number; left: number; leftNames: string[] }> {
    const soFar = readList(this.list.split("\n"), old, slotOfKey);
    const progress = { files: soFar.files, bytes: 0, left: soFar.leftCount, leftNames: [] };
    await importStorePath({
      ...{
        root: "/old/path1",
        directory: "/old/path1",
        index: 1,
        files: this.seen,
        clock: this.clock,
        old,
      },
      ...{ soFar, progress, candidates: soFar.begun.size > 0 ? this.created : [] },
      target: this.#target(),
      note: (text) => {
        this.list += text;
      },
      signal: new AbortController().signal,
    });
    return progress;
  }

  #target(): ImportTarget {
    const { store } = this;
    const step = async <T>(act: () => Promise<T>): Promise<T> => {
      this.steps += 1;
      if (this.steps > this.stopsAfter && !this.isDone) throw new Error("killed before");
      const result = await act();
      // It was stored, and nobody was told.
      if (this.steps > this.stopsAfter) throw new Error("killed behind");
      return result;
    };
    return {
      store: (kind, extension, content) =>
        step(() =>
          store
            .upload({ kind, extension, storePathIndex: undefined }, flowOfSource(content))
            .finally(() => content.close()),
        ),
      storeSlave: (slave, content) =>
        step(() =>
          store
            .uploadSlave(slave, flowOfSource(content))
            .catch(async (error: unknown) => {
              const { slaveName } = await import("#model/file-base.ts");
              const name = slaveName(slave.master, slave.prefix, slave.extension);
              if (store.files.has(name)) return name;
              throw error;
            })
            .finally(() => content.close()),
        ),
      setMetadata: (name, text) => step(() => store.writeMetadata(name, "overwrite", text)),
      facts: (name) => store.facts(name, { computeCrc: true }),
      remove: (name) => store.remove(name),
    };
  }

  /** "old id new id". */
  get pairs(): readonly (readonly [string, string])[] {
    return this.list.split("\n").flatMap((line) => {
      const parsed = parseLine(line, old);
      return parsed?.kind === "file" ? [[parsed.key, parsed.name] as const] : [];
    });
  }
}

function toldOf(files: MemoryFiles): Map<string, { kind: string; crc: number | undefined }> {
  const found = new Map<string, { kind: string; crc: number | undefined }>();
  for (const step of foreignFiles({ directory: "/old/path1", index: 1, files: files as Files })) {
    if (step.kind !== "file") continue;
    const { file } = step;
    const content = Buffer.alloc(file.content.sizeBytes);
    const descriptor = files.open(file.content.path, "read");
    files.read(descriptor, content, file.content.offset);
    files.close(descriptor);
    found.set(file.key, { kind: file.kind, crc: crc32(content) });
  }
  return found;
}

for (const vector of ["plain", "trunk"] as const) {
  test(`all files of a disk of FastDFS (${vector}) are taken over as what they are`, async () => {
    const stage = new Stage(vector);
    const before = everythingIn(stage.files, "/old");
    const told = toldOf(stage.files);
    expect(told.size).toBeGreaterThan(3);
    const { files, leftNames } = await stage.run();
    expect(leftNames).toEqual([]);
    expect(files).toBe(told.size);
    const kinds = new Set<string>();
    for (const [key, name] of stage.pairs) {
      const { kind, crc } = told.get(key) ?? { kind: "", crc: 0 };
      kinds.add(kind);
      const is =
        stage.store.files.get(name)?.content ?? stage.store.metadata.get(name.slice(0, -2));
      expect([key, is && crc32(is)]).toEqual([key, crc]);
    }
    const wanted = vector === "plain" ? ["appender", ...always] : always;
    expect([...kinds].sort()).toEqual(wanted);
    expect(stage.pairs.length).toBe(told.size);
    expect(everythingIn(stage.files, "/old")).toEqual(before);
    // Once more: nothing is left to be done.
    const count = stage.store.files.size;
    await stage.run();
    expect(stage.store.files.size).toBe(count);
  });

  test(`an import (${vector}) that was killed anywhere goes on, and stores nothing twice`, async () => {
    const whole = new Stage(vector);
    await whole.run();
    for (let at = 0; at < whole.steps; at += 1) {
      for (const isDone of [false, true]) {
        const stage = new Stage(vector);
        stage.stopsAfter = at;
        stage.isDone = isDone;
        await expect(stage.run()).rejects.toThrow("killed");
        // The last line may be cut off.
        stage.list = stage.list.slice(0, stage.list.length - (at % 2));
        if (!stage.list.endsWith("\n")) stage.list += "\n";
        stage.stopsAfter = Number.POSITIVE_INFINITY;
        await stage.run();
        const names = stage.pairs.map(([, name]) => name);
        expect([at, isDone, new Set(names).size]).toEqual([at, isDone, whole.pairs.length]);
        expect(stage.store.files.size).toBe(whole.store.files.size);
      }
    }
  });
}

test("what is damaged is named and left out, with what belongs to it", async () => {
  const stage = new Stage("plain");
  const told = [...toldOf(stage.files)].find(
    ([key, { kind }]) => kind === "normal" && key.includes("601"),
  );
  const [key = ""] = told ?? [];
  const path = `/old/path1/data/${key}`;
  const bytes = Buffer.from(everythingIn(stage.files, "/old")[path.slice(5)] ?? "", "latin1");
  expect(bytes.length).toBeGreaterThan(0);
  bytes[0] = (bytes[0] ?? 0) ^ 4;
  writeFile(stage.files, path, bytes);
  const { leftNames, files, left } = await stage.run();
  expect(leftNames[0]).toContain(`${key}: its content is not what its name says`);
  expect(stage.list).toContain(`# left group1/M01/${key} its content is not`);
  expect(files + left).toBe(toldOf(stage.files).size);
  expect(stage.pairs.some(([each]) => each === key)).toBe(false);
});

test("packed files have the names that the binlog of the disk has, and none where there is none", async () => {
  const named = "00/00/fwBNAmsDxpmIPW_4AAAAEcH7iQQAAAAAgAABAAAAAEA420.txt";
  const without = new Stage("trunk");
  await without.run();
  expect(without.pairs.some(([key]) => key === named)).toBe(false);
  expect(without.pairs.some(([key]) => /^00\/00\/000002@\d+$/.test(key))).toBe(true);
  const stage = new Stage("trunk");
  stage.files.rename("/old/base/data/sync", "/old/path1/data/sync");
  await stage.run();
  const pairs = new Map(stage.pairs);
  const master = pairs.get(named) ?? "";
  expect(pairs.get(`${named.replace(".txt", "")}_big.txt`)).toBe(
    `${master.replace(".txt", "")}_big.txt`,
  );
  expect(pairs.get(`${named}-m`)).toBe(`${master}-m`);
});

function keyOf(stage: Stage, kind: string): string {
  const [key = ""] = [...toldOf(stage.files)].find(([, each]) => each.kind === kind) ?? [];
  return key;
}

test("no link leads out of the disk: neither a file, nor a directory, nor the binlog", async () => {
  const stage = new Stage("plain");
  const { files } = stage;
  const key = keyOf(stage, "appender");
  const path = `/old/path1/data/${key}`;
  const count = toldOf(files).size;
  files.makeDirectory("/old/private");
  const base = key.slice(key.lastIndexOf("/") + 1);
  for (const name of ["key", base]) writeFile(files, `/old/private/${name}`, "the key of the node");
  files.remove(path);
  files.makeLink(path, "/old/private/key");
  files.makeLink("/old/path1/data/00/7E", "/old/private");
  files.makeLink("/old/path1/data/7E", "/old/private");
  files.makeLink("/old/path1/data/sync", "/old/private");
  const { left, leftNames } = await stage.run();
  expect(leftNames.join()).toContain(`${key}: it is no file, or a link`);
  expect([left, stage.store.files.size + stage.store.metadata.size]).toEqual([3, count - 1]);
  const stored = [...stage.store.files.values()].map(({ content }) => content.toString());
  expect(stored.filter((text) => text.includes("key of the node"))).toEqual([]);
});

test("what a link of FastDFS leads to on the server that made it is found on the disk", async () => {
  const stage = new Stage("plain");
  const [key = ""] = [...toldOf(stage.files).keys()].filter((each) => each.endsWith("567.txt"));
  const linked = key.replace("567.txt", "742.txt");
  stage.files.makeLink(`/old/path1/data/${linked}`, `/home/yuqing/fastdfs/data/${key}`);
  expect((await stage.run()).leftNames).toEqual([]);
  const names = new Map(stage.pairs);
  const [one, other] = [key, linked].map((each) => stage.store.files.get(names.get(each) ?? ""));
  expect(other?.content.equals(one?.content ?? Buffer.of())).toBe(true);
});

for (const vector of ["plain", "trunk"] as const) {
  test(`what a disk (${vector}) did not give once, since it was pulled, is had from it later, and once`, async () => {
    const whole = new Stage(vector);
    await whole.run();
    for (let gives = 0; gives < 40; gives += 1) {
      const stage = new Stage(vector);
      let calls = 0;
      const pulled = new Proxy(stage.files as Files, {
        get:
          (target, name: keyof Files) =>
          (...given: unknown[]) => {
            if (["open", "read", "list", "stat"].includes(name)) calls += 1;
            const isGone = calls > gives && name !== "close";
            if (isGone) throw new FileError("EIO", "the disk has gone");
            return (target[name] as (...values: unknown[]) => unknown).apply(target, given);
          },
      });
      stage.seen = pulled;
      await stage.run().catch((error: unknown) => expect(error).toBeInstanceOf(FileError));
      stage.seen = stage.files as Files;
      await stage.run();
      expect([gives, stage.pairs.length]).toEqual([gives, whole.pairs.length]);
      expect(stage.store.files.size).toBe(whole.store.files.size);
      expect(stage.files.openFiles).toBe(0);
    }
  });
}

test("metadata that is too large to be any is left out, whatever its size says", async () => {
  const stage = new Stage("plain");
  const path = `/old/path1/data/${keyOf(stage, "metadata")}`;
  const stat: Files["stat"] = (asked, follow) => {
    const found = stage.files.stat(asked, follow);
    return found && { ...found, sizeBytes: asked === path ? 2 ** 52 : found.sizeBytes };
  };
  stage.seen = new Proxy(stage.files as Files, {
    get: (target, name: keyof Files) => (name === "stat" ? stat : target[name].bind(target)),
  });
  expect((await stage.run()).leftNames.join()).toContain("it is larger than metadata can be");
});

test("a name that would end a line of the list is left out", async () => {
  const stage = new Stage("plain");
  const key = keyOf(stage, "slave");
  const forged = `${key.slice(6)}\ngroup1`;
  writeFile(stage.files, `/old/path1/data/${key.slice(0, 6)}${forged}`, "x");
  const { left } = await stage.run();
  expect(left).toBe(1);
  expect(stage.list).not.toMatch(/^group1 /m);
  expect(stage.list).toContain("%0Agroup1 its name has characters");
});

import { linkSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { allDirectories, contentIndexFilename } from "#filestore/dedup/content-index.ts";
import { contentOf, walkContents } from "#filestore/dedup/content-walk.ts";
import { makeBase } from "#model/file-base.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { type ContentStage, contentFor, contentStage } from "../../../support/content-stage.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

function found(stage: ContentStage, texts: readonly string[]): (string | undefined)[] {
  const { index, settle } = stage.open();
  settle();
  const names = texts.map((text) => index.find(contentFor(text).hash)?.name);
  index.close();
  return names;
}

const none = (): boolean => false;
const nameOf = ({ name }: { readonly name: string }): string => name.slice("M00/".length);

test("an index without memory finds every file again, and links to it", () => {
  using stage = contentStage();
  const one = stage.store("one");
  const two = stage.store("two", { low: 0xfe });
  const long = "long ".repeat(500_000);
  const three = stage.store(long, { low: 0xff });
  expect(found(stage, ["one", "two", long])).toEqual([nameOf(one), nameOf(two), nameOf(three)]);
  for (const companion of ["", "-wal", "-shm"]) {
    rmSync(`${stage.layout.own}/${contentIndexFilename}${companion}`, { force: true });
  }
  const { links, settle } = stage.open();
  settle();
  expect(links.link(contentFor("two"), `${stage.layout.tmp}/other`)).toBe(nameOf(two));
  links.close();
});

test("what is not as its name says is passed over", () => {
  using stage = contentStage();
  writeFileSync(stage.store("another content").path, "changed content");
  const short = stage.store("cut off");
  truncateSync(short.path, 3);
  const kept = stage.store("a target");
  const link = stage.store("symbolic");
  rmSync(link.path);
  symlinkSync(kept.path, link.path);
  const folder = stage.store("folder");
  rmSync(folder.path);
  mkdirSync(folder.path);
  stage.store("");
  writeFileSync(`${kept.path}-m`, "metadata");
  const texts = [
    "another content",
    "changed content",
    "cut off",
    "cut",
    "symbolic",
    "",
    "metadata",
  ];
  expect(found(stage, [...texts, "a target"])).toEqual([
    ...texts.map(() => undefined),
    nameOf(kept),
  ]);
});

test("only normal files with content are of the kind that may share it", () => {
  const base = (kind: "normal" | "appender", size: number): string =>
    makeBase({
      source: { kind: "address", address: "10.9.0.2" },
      timestamp: 1_700_000_000,
      crc32: 7,
      randomBits: 5,
      tail: "123.txt",
      size,
      kind,
    });
  expect(contentOf(base("normal", 3))).toMatchObject({ size: 3, crc32: 7 });
  expect(contentOf(base("normal", 5 * 2 ** 32))).toMatchObject({ size: 5 * 2 ** 32 });
  const none = [
    base("normal", 0),
    base("appender", 3),
    `${base("normal", 3).slice(0, -4)}-s.txt`,
    "x",
  ];
  expect(none.map(contentOf)).toEqual(none.map(() => undefined));
});

test("a walk that was interrupted goes on in the directory where it was", () => {
  using stage = contentStage();
  const places = Array.from({ length: 5 }, (_, low) => stage.store(`content ${low}`, { low }));
  const first = stage.open();
  const walk = walkContents({
    files: new NodeFiles(),
    layout: stage.layout,
    index: first.index,
    has: none,
  });
  while (first.index.nextDirectory < 3) walk.next();
  first.index.close();
  rmSync(places[0]?.path ?? "");
  const second = stage.open();
  expect(second.index.nextDirectory).toBe(3);
  second.settle();
  expect(second.index.nextDirectory).toBe(allDirectories);
  const names = places.map((_, low) => second.index.find(contentFor(`content ${low}`).hash)?.name);
  expect(names).toEqual(places.map(nameOf));
  second.index.close();
});

test("an entry whose file is gone is replaced by what the walk finds", () => {
  using stage = contentStage();
  const gone = stage.store("the content");
  const kept = stage.store("the content");
  const { index, links, settle } = stage.open();
  links.note(contentFor("the content"), gone, undefined);
  rmSync(gone.path);
  settle();
  expect(index.find(contentFor("the content").hash)?.name).toBe(nameOf(kept));
  links.close();
});

test("a file with many names is read once", () => {
  using stage = contentStage();
  const first = stage.store("shared");
  for (let count = 0; count < 50; count += 1) {
    const other = stage.store("shared");
    rmSync(other.path);
    linkSync(first.path, other.path);
  }
  const troubled = new TroubledFiles(new NodeFiles());
  const { index, settle } = stage.open({ files: troubled.files });
  troubled.arm({ kind: "none" });
  settle();
  expect(troubled.trace.filter((call) => call === "read")).toEqual(["read"]);
  expect(index.find(contentFor("shared").hash)).toBeDefined();
  index.close();
});

test("files that cannot be read end no walk", () => {
  using stage = contentStage();
  for (let count = 0; count < 4; count += 1) stage.store(`content ${count}`);
  const troubled = new TroubledFiles(new NodeFiles());
  const { index, settle } = stage.open({ files: troubled.files });
  troubled.arm({ kind: "fail", atCall: 2, code: "EIO" });
  settle();
  const hits = [0, 1, 2, 3].filter((count) => index.find(contentFor(`content ${count}`).hash));
  expect(hits).toHaveLength(3);
  index.close();
});

test("a step reads at most 1 MiB", () => {
  using stage = contentStage();
  stage.store("x".repeat(3_500_000));
  let most = 0;
  let now = 0;
  const files = new NodeFiles();
  const read = files.read.bind(files);
  files.read = (descriptor, target, position) => {
    now += target.length;
    return read(descriptor, target, position);
  };
  const { index } = stage.open();
  for (const _ of walkContents({ files, layout: stage.layout, index, has: none })) {
    most = Math.max(most, now);
    now = 0;
  }
  expect(most).toBe(1024 * 1024);
  index.close();
});

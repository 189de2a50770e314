import { readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { formatNew } from "#filestore/formats/staged-name.ts";
import { FileError } from "#platform/files.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import {
  type ContentStage,
  contentFor,
  contentStage,
  failingDatabases,
  type Trouble,
} from "../../../support/content-stage.ts";

const content = contentFor("the content");

function target(stage: ContentStage): string {
  return `${stage.layout.tmp}/target`;
}

test("content that is here gets a further name, and the newest name is the one to ask for", () => {
  using stage = contentStage();
  const { links } = stage.open();
  expect(links.has(content)).toBe(false);
  expect(links.link(content, target(stage))).toBeUndefined();
  const first = stage.store("the content");
  links.note(content, first, undefined);
  expect(links.has(content)).toBe(true);
  const second = stage.store("the content");
  rmSync(second.path);
  const holder = links.link(content, second.path);
  expect(holder).toBe(first.name.slice(4));
  expect(statSync(second.path).ino).toBe(statSync(first.path).ino);
  links.note(content, second, holder);
  // Whichever of the last two goes, the content is still found.
  rmSync(first.path);
  expect(links.link(content, target(stage))).toBe(second.name.slice(4));
  renameSync(target(stage), first.path);
  rmSync(second.path);
  expect(links.link(content, target(stage))).toBe(first.name.slice(4));
  links.close();
});

test("content whose commit is under way is found among the staged files", () => {
  using stage = contentStage();
  const { links } = stage.open();
  const place = stage.store("the content");
  renameSync(place.path, `${stage.layout.tmp}/${formatNew(place)}`);
  links.note(content, place, undefined);
  expect(links.has(content)).toBe(false);
  stage.locks.add(place.name.slice(4));
  expect(links.link(content, target(stage))).toBeDefined();
  expect(readFileSync(target(stage), "utf8")).toBe("the content");
  links.close();
});

test("a file that is gone, cut off or named otherwise is not what is asked for", () => {
  using stage = contentStage();
  const { links } = stage.open();
  const cut = stage.store("the content");
  truncateSync(cut.path, 4);
  const gone = stage.store("the content");
  rmSync(gone.path);
  const other = stage.store("another content");
  for (const place of [cut, gone, other]) {
    links.note(content, place, undefined);
    expect(links.has(content)).toBe(false);
  }
  links.note(content, stage.layout.place("M00/00/00/not-a-name"), undefined);
  expect(links.has(content)).toBe(false);
  links.close();
});

test("after a power cut a file is read before it is linked to", () => {
  using stage = contentStage();
  const lost = stage.store("the content");
  const kept = stage.store("another content");
  const large = stage.store("x".repeat(1024 * 1024 + 1));
  const first = stage.open();
  first.links.note(content, lost, undefined);
  first.links.note(contentFor("another content"), kept, undefined);
  first.links.note(contentFor(readFileSync(large.path)), large, undefined);
  first.links.close();
  // The name and the size came through, the content did not.
  writeFileSync(lost.path, Buffer.alloc(11));
  const { links } = stage.open();
  expect(links.has(content)).toBe(false);
  expect(links.has(contentFor("another content"))).toBe(true);
  // Reading it would take too long for the upload that waits.
  expect(links.has(contentFor(readFileSync(large.path)))).toBe(false);
  links.close();
});

test.each([
  "EMLINK",
  "EPERM",
  "EOPNOTSUPP",
  "EXDEV",
  "EACCES",
  "ENOSPC",
])("where a further name is refused with %s the content is stored again, and that is said once", (code) => {
  using stage = contentStage();
  const files = new NodeFiles();
  files.makeHardLink = () => {
    throw new FileError(code, `${code}: refused`);
  };
  const { links } = stage.open({ files });
  links.note(content, stage.store("the content"), undefined);
  for (let count = 0; count < 3; count += 1) {
    expect(links.link(content, target(stage))).toBeUndefined();
  }
  const said = stage.records.filter(({ event }) => event === "content-stored-again");
  expect(said.map(({ data }) => data)).toEqual([{ why: `${code}: refused` }]);
  links.close();
});

test("a walk begins again when the index has to", () => {
  using stage = contentStage();
  const place = stage.store("the content");
  const trouble: Trouble = { code: "SQLITE_CORRUPT", times: 0 };
  const { index, links, settle } = stage.open({ databases: failingDatabases(trouble) });
  settle();
  trouble.times = 1;
  index.note(contentFor("x").hash, { name: "00/00/x", former: "" }, 1_700_000_000);
  index.write();
  expect(links.has(content)).toBe(false);
  settle();
  expect(links.link(content, target(stage))).toBe(place.name.slice(4));
  links.close();
});

test("the walk rests between its steps in proportion to their length", () => {
  using stage = contentStage();
  const { links } = stage.open();
  stage.store("the content");
  const after = links.step() ?? 0;
  expect(after).toBe(2);
  // Called too early it does nothing.
  expect(links.step()).toBe(2);
  stage.clock.advance(2);
  expect(links.step()).toBe(2);
  links.close();
});

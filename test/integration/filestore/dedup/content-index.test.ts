import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { allDirectories, contentIndexFilename } from "#filestore/dedup/content-index.ts";
import { ContentTable } from "#filestore/dedup/content-table.ts";
import { indexBatchRows, maxNewIndexes } from "#filestore/dedup/limits.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import {
  type ContentStage,
  contentFor,
  contentStage,
  failingDatabases,
  type Trouble,
} from "../../../support/content-stage.ts";

const { hash } = contentFor("some content");
const seconds = 1_700_000_000;

function pathOf(stage: ContentStage): string {
  return `${stage.layout.own}/${contentIndexFilename}`;
}

function events(stage: ContentStage): string[] {
  return stage.records.filter(({ level }) => level !== "notice").map(({ event }) => event);
}

test("what was noted is found at once, and by the next run", () => {
  using stage = contentStage();
  const first = stage.open().index;
  expect(first.find(hash)).toBeUndefined();
  first.note(hash, { name: "00/00/one", former: "" }, seconds);
  first.note(hash, { name: "00/00/two", former: "00/00/one" }, seconds);
  const found = { name: "00/00/two", former: "00/00/one", run: first.run };
  expect(first.find(hash)).toMatchObject(found);
  first.close();
  const second = stage.open().index;
  expect(second.find(hash)).toMatchObject(found);
  expect(second.run).toBe(first.run + 1);
  second.close();
  expect(events(stage)).toEqual([]);
});

test("notes are written together: when there are enough, or after a second", () => {
  using stage = contentStage();
  const { index, settle } = stage.open();
  settle();
  expect(index.dueMs).toBeUndefined();
  index.note(hash, { name: "00/00/one", former: "" }, seconds);
  expect(index.dueMs).toBe(1000);
  stage.clock.advance(400);
  expect(index.dueMs).toBe(600);
  for (let count = 0; count < indexBatchRows; count += 1) {
    const each = contentFor(String(count)).hash;
    index.note(each, { name: `00/00/${count}`, former: "" }, seconds);
  }
  expect(index.dueMs).toBe(0);
  index.write();
  expect(index.dueMs).toBeUndefined();
  index.close();
  const table = ContentTable.open(nodeDatabases().open(pathOf(stage)));
  expect(table.count()).toBe(indexBatchRows + 1);
  table.close();
});

test("only what a run noted in its last minutes is doubtful, and only to later runs", () => {
  using stage = contentStage();
  const first = stage.open().index;
  const early = contentFor("early").hash;
  first.note(early, { name: "00/00/early", former: "" }, seconds);
  first.note(hash, { name: "00/00/late", former: "" }, seconds + 3600);
  const isUnsettled = (index: typeof first, key: Uint8Array, time: number): boolean => {
    const found = index.find(key);
    return found !== undefined && index.isUnsettled(found, time);
  };
  expect(isUnsettled(first, hash, seconds + 3600)).toBe(false);
  // An orderly end is none where the power goes right after it.
  first.close();
  for (let run = 0; run < 2; run += 1) {
    const { index } = stage.open();
    expect(isUnsettled(index, hash, seconds + 3600)).toBe(true);
    expect(isUnsettled(index, early, seconds)).toBe(false);
    expect(index.isUnsettled({ name: "x", former: "", run: 777 }, seconds)).toBe(true);
    index.note(contentFor("much later").hash, { name: "x", former: "" }, seconds + 99_999);
    index.close();
  }
});

test("after a failed flush nothing of what was noted is found, written or not", () => {
  using stage = contentStage();
  const { index } = stage.open();
  const [written, waiting, later] = ["written", "waiting", "later"].map((text) => {
    return contentFor(text).hash;
  });
  if (written === undefined || waiting === undefined || later === undefined) throw new Error();
  index.note(written, { name: "00/00/one", former: "" }, seconds);
  index.write();
  index.note(waiting, { name: "00/00/two", former: "" }, seconds);
  index.distrust();
  index.note(later, { name: "00/00/three", former: "" }, seconds);
  index.write();
  const names = [written, waiting, later].map((each) => index.find(each)?.name);
  expect(names).toEqual([undefined, undefined, "00/00/three"]);
  index.close();
});

const damages: readonly (readonly [string, (path: string) => void])[] = [
  ["is no database", (path) => writeFileSync(path, "not a database at all ".repeat(500))],
  ["is empty", (path) => writeFileSync(path, "")],
  ["is cut off", (path) => writeFileSync(path, readFileSync(path).subarray(0, 5000))],
  [
    "has a page overwritten",
    (path) => {
      const bytes = readFileSync(path);
      for (let at = 4096; at < bytes.length; at += 4096) bytes.fill(0x5a, at, at + 4000);
      writeFileSync(path, bytes);
    },
  ],
  ["is lost", (path) => rmSync(path)],
];

test.each(damages)("an index that %s is begun anew, and serves", (_, damage) => {
  using stage = contentStage();
  const first = stage.open();
  first.settle();
  for (let count = 0; count < 2000; count += 1) {
    first.index.note(contentFor(String(count)).hash, { name: `n${count}`, former: "" }, seconds);
  }
  first.index.close();
  for (const companion of ["-wal", "-shm"]) rmSync(pathOf(stage) + companion, { force: true });
  damage(pathOf(stage));
  const { index } = stage.open();
  // Some damage shows at the opening, some when the page is looked at.
  for (let count = 0; count < 2000; count += 1) index.find(contentFor(String(count)).hash);
  index.note(hash, { name: "00/00/new", former: "" }, seconds);
  index.write();
  expect(index.find(hash)?.name).toBe("00/00/new");
  expect(index.nextDirectory).toBe(0);
  index.close();
  expect(stage.open().index.find(hash)?.name).toBe("00/00/new");
});

test("an index that a newer release extended is used; one that means something else is begun anew", () => {
  using stage = contentStage();
  const first = stage.open().index;
  first.note(hash, { name: "00/00/one", former: "" }, seconds);
  first.walkedTo(0, allDirectories);
  first.close();
  const extended = nodeDatabases().open(pathOf(stage));
  extended.execute("ALTER TABLE content ADD COLUMN colour TEXT");
  extended.version = 7;
  extended.close();
  const second = stage.open().index;
  expect(second.find(hash)?.name).toBe("00/00/one");
  expect(second.nextDirectory).toBe(allDirectories);
  second.close();
  const other = nodeDatabases().open(pathOf(stage));
  other.execute("DROP TABLE content; CREATE TABLE content (something TEXT)");
  other.close();
  const third = stage.open().index;
  expect(third.find(hash)).toBeUndefined();
  expect(third.nextDirectory).toBe(0);
  expect(events(stage)).toEqual(["content-index-damaged"]);
  third.close();
});

test("a full disk costs the rows that were to be written, and not the index", () => {
  using stage = contentStage();
  const trouble: Trouble = { code: "SQLITE_FULL", times: 0 };
  const { index } = stage.open({ databases: failingDatabases(trouble) });
  index.note(hash, { name: "00/00/one", former: "" }, seconds);
  index.write();
  trouble.times = 1;
  index.note(contentFor("other").hash, { name: "00/00/two", former: "" }, seconds);
  index.write();
  expect(index.find(hash)?.name).toBe("00/00/one");
  expect(index.find(contentFor("other").hash)).toBeUndefined();
  expect(events(stage)).toEqual(["content-index-refused"]);
  index.close();
});

test("a database that cannot be opened leaves an index without memory, and its file as it is", () => {
  using stage = contentStage();
  const { index } = stage.open({
    databases: failingDatabases({ code: "SQLITE_CANTOPEN", times: 1 }),
  });
  expect(existsSync(pathOf(stage))).toBe(false);
  index.note(hash, { name: "00/00/one", former: "" }, seconds);
  expect(index.find(hash)?.name).toBe("00/00/one");
  index.write();
  expect(index.find(hash)).toBeUndefined();
  expect(index.nextDirectory).toBe(allDirectories);
  index.close();
  expect(events(stage)).toEqual(["content-index-unusable"]);
});

test("an index that is damaged again and again is given up", () => {
  using stage = contentStage();
  const trouble: Trouble = { code: "SQLITE_CORRUPT", times: 0 };
  const { index } = stage.open({ databases: failingDatabases(trouble) });
  for (let round = 0; round <= maxNewIndexes; round += 1) {
    expect(events(stage)).toEqual(Array.from({ length: round }, () => "content-index-damaged"));
    index.note(hash, { name: "00/00/one", former: "" }, seconds);
    trouble.times = 1;
    index.write();
    expect(index.find(hash)).toBeUndefined();
  }
  expect(events(stage).at(-1)).toBe("content-index-unusable");
  index.note(hash, { name: "00/00/one", former: "" }, seconds);
  expect(index.find(hash)?.name).toBe("00/00/one");
  index.write();
  index.close();
});

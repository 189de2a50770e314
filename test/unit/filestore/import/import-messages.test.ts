import { expect, test } from "vitest";
import {
  parseCandidates,
  parseImportJob,
  parseImportNews,
} from "#filestore/import/import-messages.ts";

test("lines are what they are to be, or refused", () => {
  const news = { kind: "progress", files: 1, bytes: 2, left: 0, leftNames: [] };
  expect(parseImportNews(JSON.stringify({ ...news, more: 1 }))).toEqual(news);
  for (const wrong of ["", "{}", JSON.stringify({ ...news, kind: "else" })]) {
    expect(() => parseImportNews(wrong)).toThrow();
  }
  expect(parseCandidates('{"names":["a"]}')).toEqual(["a"]);
  const job = { directory: "/d", root: "/d", index: 0, group: "a", newGroup: "b", list: "/l" };
  const storage = { address: "127.0.0.1", port: 1 };
  expect(parseImportJob(JSON.stringify({ ...job, storage }))).toEqual({ ...job, storage });
  expect(() => parseImportJob(JSON.stringify({ ...job, index: 256, storage }))).toThrow();
});

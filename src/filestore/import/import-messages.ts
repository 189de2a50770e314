/** What the daemon and the child that imports tell each other, a line of JSON each. The child may be reading a bad disk: it is believed nothing but numbers and words. */
import {
  choice,
  list,
  optional,
  readShape,
  record,
  type ShapeValue,
  text,
  wholeNumber,
} from "#base/schema.ts";
import { maxCandidates, maxLeftTold } from "#filestore/import/import-limits.ts";

const path = text({ maxLength: 4096 });
const word = text({ maxLength: 300 });
const sentence = text({ maxLength: 1000 });

/** The first line to the child. */
const jobShape = record({
  /** A store path, or its directory `data`. */
  directory: path,
  /** No link below it is followed: where the disk is mounted, or `directory`. */
  root: path,
  index: wholeNumber({ max: 255 }),
  /** That the files had. */
  group: word,
  newGroup: word,
  list: path,
  storage: record({ address: word, port: wholeNumber({ max: 65_535 }) }),
});
export type ImportJob = ShapeValue<typeof jobShape>;

/** The answer to `interrupted`. */
const candidatesShape = record({ names: list(word, { max: maxCandidates }) });

const childShape = record({
  kind: choice("interrupted", "progress", "done", "failed"),
  /** `interrupted`: Unix seconds since when files may have been stored that the list does not have. */
  since: optional(wholeNumber()),
  files: wholeNumber(),
  bytes: wholeNumber(),
  left: wholeNumber(),
  leftNames: list(sentence, { max: maxLeftTold }),
  /** `failed`: why. */
  why: optional(sentence),
});
export type ImportNews = ShapeValue<typeof childShape>;

/** Of a line, in bytes. */
export const maxImportLineBytes = 2 * 1024 * 1024;

export const parseImportJob = (line: string): ImportJob =>
  readShape(jobShape, JSON.parse(line), { what: "the import", surplus: "drop" });
export const parseCandidates = (line: string): readonly string[] =>
  readShape(candidatesShape, JSON.parse(line), { what: "the names", surplus: "drop" }).names;
export const parseImportNews = (line: string): ImportNews =>
  readShape(childShape, JSON.parse(line), { what: "the news", surplus: "drop" });

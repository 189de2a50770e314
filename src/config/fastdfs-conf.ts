/**
 * Reader of FastDFS's configuration files (protocol §11.1): one `key = value` a line without trailing comments, sections,
 * repeated keys, `#include`. What the reader cannot follow it reports. Pure: included texts come through a callback.
 */
import { posix } from "node:path";
import type { ConfigProblem } from "#config/errors.ts";

export interface FastdfsItem {
  /** Empty for global keys. */
  readonly section: string;
  readonly key: string;
  /** May be empty. */
  readonly value: string;
  readonly file: string;
  readonly line: number;
}

export interface FastdfsConf {
  /** In the order of the text. Of a key that is meant to stand once, FastDFS takes the last. */
  readonly items: readonly FastdfsItem[];
  readonly problems: readonly ConfigProblem[];
}

/** The text of an included file by its absolute path, or undefined when there is none. */
export type IncludeResolver = (path: string) => string | undefined;

export const maxIncludeDepth = 8;
export const maxIncludes = 64;
export const maxConfLength = 1_048_576;
const maxKeyLength = 63;
const maxValueLength = 255;

/** Reads `text`, which comes from the file `path`; relative includes start from its directory. */
export function readFastdfsConf(
  file: { readonly path: string; readonly text: string },
  include: IncludeResolver = () => undefined,
): FastdfsConf {
  const reader = new ConfReader(include);
  reader.read(file.path, file.text, []);
  return reader;
}

class ConfReader implements FastdfsConf {
  readonly items: FastdfsItem[] = [];
  readonly problems: ConfigProblem[] = [];
  readonly #include: IncludeResolver;
  #includes = 0;
  #section = "";

  constructor(include: IncludeResolver) {
    this.#include = include;
  }

  /** `above` are the files that include this one. */
  read(file: string, text: string, above: readonly string[]): void {
    if (text.length > maxConfLength) {
      this.#report(
        { file, line: 1 },
        "",
        `longer than ${maxConfLength} characters; it was not read`,
      );
      return;
    }
    for (const [index, written] of text
      .replace(/^\uFEFF/, "")
      .split("\n")
      .entries()) {
      const place = { file, line: index + 1 };
      const line = written.trim();
      if (/^#include\s/i.test(line)) this.#readInclude(line, place, above);
      else if (line.startsWith("#@")) {
        const message =
          "a preprocessor line was ignored; the lines around it were read as they stand";
        this.#report(place, line.split(/\s/, 1)[0] ?? "", message);
      } else if (/^\[.*\]$/.test(line)) this.#section = line.slice(1, -1).trim();
      else if (!line.startsWith("#") && line.includes("=")) this.#readItem(line, place);
    }
  }

  #readItem(line: string, place: { file: string; line: number }): void {
    const equals = line.indexOf("=");
    const key = line.slice(0, equals).trim();
    const value = line.slice(equals + 1).trim();
    if (key === "") this.#report(place, "", "a value without a key was ignored");
    else if (key.length > maxKeyLength)
      this.#report(place, key.slice(0, 20), `a key has at most ${maxKeyLength} characters`);
    else if (value.length > maxValueLength)
      this.#report(place, key, `a value has at most ${maxValueLength} characters`);
    else this.items.push({ section: this.#section, key, value, ...place });
  }

  #readInclude(
    line: string,
    place: { file: string; line: number },
    above: readonly string[],
  ): void {
    const name = line
      .slice("#include".length)
      .trim()
      .replace(/^file:\/\//, "");
    const files = [...above, place.file];
    if (/^https?:\/\//.test(name)) {
      this.#report(
        place,
        "#include",
        `${name} was not fetched; save it as a file and include that`,
      );
      return;
    }
    const path = posix.isAbsolute(name)
      ? posix.normalize(name)
      : posix.join(posix.dirname(place.file), name);
    this.#includes += 1;
    if (files.length > maxIncludeDepth || files.includes(path)) {
      this.#report(
        place,
        "#include",
        `${path} was not read: files include each other, or more than ${maxIncludeDepth} deep`,
      );
    } else if (this.#includes > maxIncludes) {
      this.#report(place, "#include", `${path} was not read: more than ${maxIncludes} includes`);
    } else {
      const text = this.#include(path);
      // An included file begins with global keys, and so does what follows the include.
      this.#section = "";
      if (text === undefined) this.#report(place, "#include", `${path} cannot be read`);
      else this.read(path, text, files);
      this.#section = "";
    }
  }

  #report(place: { file: string; line: number }, key: string, message: string): void {
    this.problems.push({ source: place.file, line: place.line, key, message });
  }
}

/** FastDFS's rule: these words are true, everything else is false. */
export function isFastdfsTrue(value: string): boolean {
  return ["true", "yes", "on", "1"].includes(value.toLowerCase());
}

/** Words that somebody who means false would write; others are probably mistakes. */
export function isFastdfsFalse(value: string): boolean {
  return ["false", "no", "off", "0", ""].includes(value.toLowerCase());
}

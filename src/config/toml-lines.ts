/**
 * In which line of a TOML text each key, table and array element stands, for messages: the parser gives places only for
 * syntax errors. Reads keys and skips values; never throws. Where the text is no TOML, it knows the lines before that
 * place. Pure.
 */
import { parseTomlValue } from "#config/value-types.ts";

/** A way through tables and arrays: names, and positions from 0. */
export type TomlPath = readonly (string | number)[];

/** Deeper values have no lines of their own; settings are three deep. */
const maxDepth = 32;

export class TomlLines {
  readonly #lineByPath: ReadonlyMap<string, number>;

  constructor(text: string) {
    const scanner = new Scanner(text);
    scanner.scan();
    this.#lineByPath = scanner.lineByPath;
  }

  /** The line, from 1, where `path` or the closest thing around it stands; undefined when none of it is in the text. */
  lineOf(path: TomlPath): number | undefined {
    for (let length = path.length; length > 0; length -= 1) {
      const line = this.#lineByPath.get(pathKey(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return undefined;
  }
}

function pathKey(path: TomlPath): string {
  return JSON.stringify(path);
}

class Scanner {
  readonly lineByPath = new Map<string, number>();
  readonly #text: string;
  /** How many tables each array of tables has so far. */
  readonly #tableCounts = new Map<string, number>();
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text.replace(/^\uFEFF/, "");
  }

  /** Goes through the text until its end or until it stops being TOML. */
  scan(): void {
    let table: TomlPath = [];
    for (;;) {
      this.#skipBlank(true);
      if (this.#at >= this.#text.length) return;
      if (this.#text[this.#at] === "[") {
        const header = this.#readHeader();
        if (header === undefined) return;
        table = header;
      } else if (!this.#readPair(table, 0)) return;
    }
  }

  /** `[a.b]` or `[[a.b]]`; the path of the table that begins. */
  #readHeader(): TomlPath | undefined {
    const line = this.#line;
    const isArray = this.#text.startsWith("[[", this.#at);
    this.#at += isArray ? 2 : 1;
    const names = this.#readKey();
    if (names === undefined || !this.#text.startsWith(isArray ? "]]" : "]", this.#at))
      return undefined;
    this.#at += isArray ? 2 : 1;
    const path: (string | number)[] = [];
    for (const [at, name] of names.entries()) {
      path.push(name);
      this.#note(path, line);
      const key = pathKey(path);
      const count = this.#tableCounts.get(key);
      if (isArray && at === names.length - 1) {
        this.#tableCounts.set(key, (count ?? 0) + 1);
        path.push(count ?? 0);
      } else if (count !== undefined) path.push(count - 1);
    }
    this.#note(path, line);
    return path;
  }

  /** `key = value`; false when it is malformed. */
  #readPair(table: TomlPath, depth: number): boolean {
    const line = this.#line;
    const names = this.#readKey();
    if (names === undefined || this.#text[this.#at] !== "=") return false;
    this.#at += 1;
    const path = [...table];
    for (const name of names) {
      path.push(name);
      this.#note(path, line);
    }
    return this.#skipValue(path, depth);
  }

  #skipValue(path: TomlPath, depth: number): boolean {
    this.#skipBlank(false);
    const first = this.#text[this.#at];
    if (depth >= maxDepth) return false;
    if (first === "[") return this.#skipArray(path, depth);
    if (first === "{") return this.#skipInlineTable(path, depth);
    if (first === '"' || first === "'") return this.#skipString(first);
    const scalar = /[^,\]}#\n]+/y;
    scalar.lastIndex = this.#at;
    const match = scalar.exec(this.#text);
    if (match === null) return false;
    this.#at += match[0].length;
    return true;
  }

  #skipArray(path: TomlPath, depth: number): boolean {
    this.#at += 1;
    for (let index = 0; ; index += 1) {
      this.#skipBlank(true);
      if (this.#take("]")) return true;
      const element = [...path, index];
      this.#note(element, this.#line);
      if (!this.#skipValue(element, depth + 1)) return false;
      this.#skipBlank(true);
      if (!this.#take(",")) return this.#take("]");
    }
  }

  #skipInlineTable(path: TomlPath, depth: number): boolean {
    this.#at += 1;
    for (;;) {
      this.#skipBlank(true);
      if (this.#take("}")) return true;
      if (!this.#readPair(path, depth + 1)) return false;
      this.#skipBlank(true);
      if (!this.#take(",")) return this.#take("}");
    }
  }

  #skipString(quote: '"' | "'"): boolean {
    const isLong = this.#text.startsWith(quote.repeat(3), this.#at);
    return isLong ? this.#skipLongString(quote) : this.#readShortString(quote) !== undefined;
  }

  #skipLongString(quote: '"' | "'"): boolean {
    this.#at += 3;
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at];
      if (this.#text.startsWith(quote.repeat(3), this.#at)) {
        this.#at += 3;
        // Up to two quotation marks may stand right before the closing three.
        while (this.#text[this.#at] === quote) this.#at += 1;
        return true;
      }
      if (character === "\\" && quote === '"' && this.#text[this.#at + 1] !== "\n") this.#at += 1;
      if (character === "\n") this.#line += 1;
      this.#at += 1;
    }
    return false;
  }

  /** The raw text of a string on one line, with its quotation marks. */
  #readShortString(quote: '"' | "'"): string | undefined {
    const string = quote === '"' ? /"(?:[^"\\\n]|\\[^\n])*"/y : /'[^'\n]*'/y;
    string.lastIndex = this.#at;
    const raw = string.exec(this.#text)?.[0];
    if (raw !== undefined) this.#at += raw.length;
    return raw;
  }

  /** The names of a dotted key, after which the next character is no blank; undefined when there is no key. */
  #readKey(): readonly string[] | undefined {
    const names: string[] = [];
    do {
      this.#skipBlank(false);
      const name = this.#readName();
      if (name === undefined) return undefined;
      names.push(name);
      this.#skipBlank(false);
    } while (this.#take("."));
    return names;
  }

  #readName(): string | undefined {
    const quote = this.#text[this.#at];
    if (quote === '"' || quote === "'") {
      const raw = this.#readShortString(quote);
      if (raw === undefined || !raw.includes("\\")) return raw?.slice(1, -1);
      const name = parseTomlValue(raw);
      return typeof name === "string" ? name : undefined;
    }
    const bare = /[A-Za-z0-9_-]+/y;
    bare.lastIndex = this.#at;
    const name = bare.exec(this.#text)?.[0];
    this.#at += name?.length ?? 0;
    return name;
  }

  /** Skips blanks and, where `lines` is set, line ends and comments. */
  #skipBlank(lines: boolean): void {
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at];
      if (character === "\n" && lines) this.#line += 1;
      else if (character === "#" && lines) {
        const end = this.#text.indexOf("\n", this.#at);
        this.#at = end === -1 ? this.#text.length : end;
        continue;
      } else if (character !== " " && character !== "\t" && character !== "\r") return;
      this.#at += 1;
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  /** The first place counts: a table may be opened by a dotted key before its own header. */
  #note(path: TomlPath, line: number): void {
    const key = pathKey(path);
    if (!this.lineByPath.has(key)) this.lineByPath.set(key, line);
  }
}

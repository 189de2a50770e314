/**
 * Reads values of one source against the schema, and keeps what it finds wrong with the place where it stands. Pure.
 */
import { posix } from "node:path";
import type { ConfigProblem, Reading } from "#config/errors.ts";
import { suggestKey } from "#config/nearest-key.ts";
import type { SchemaKey } from "#config/schema.ts";
import { type Entries, propertyName, type Setting, type TableList } from "#config/setting.ts";
import type { TomlPath } from "#config/toml-lines.ts";
import { describeValue, parseTomlValue } from "#config/value-types.ts";

/** Where a value comes from. */
export interface Origin {
  /** `built-in`, a file name, `environment CAIRN_…` or `command line`. */
  readonly source: string;
  readonly line: number | undefined;
}

export interface Assignment {
  readonly key: string;
  /** Checked, with absolute paths. */
  readonly value: unknown;
  readonly origin: Origin;
}

/** Where in a source a value stands. */
export interface Place {
  readonly source: string;
  lineOf(path: TomlPath): number | undefined;
}

/** The value that stands in the schema, with absolute paths. Fails only for settings that have to be given. */
export function readDefault(setting: Setting, directory: string): Reading<unknown> {
  return setting.default === undefined
    ? { problem: `missing; give ${setting.type.allowed}` }
    : readValue(setting, setting.default, directory);
}

function readValue(setting: Setting, raw: unknown, directory: string): Reading<unknown> {
  const reading = setting.type.read(raw);
  if ("problem" in reading || setting.type.name !== "path" || reading.value === "") return reading;
  return { value: posix.resolve(directory, String(reading.value)) };
}

/** Collects the values of one source, or of one variable of it. */
export class ValueReader {
  readonly assignments: Assignment[] = [];
  readonly problems: ConfigProblem[] = [];
  readonly #place: Place;
  readonly #directory: string;

  /** `directory` is what relative paths start from. */
  constructor(place: Place, directory: string) {
    this.#place = place;
    this.#directory = directory;
  }

  /** Reads the keys of a parsed TOML table, whose place is `path`. */
  readTable(entries: Entries, values: object, path: readonly string[]): void {
    for (const [name, raw] of Object.entries(values)) {
      const ownPath = [...path, name];
      const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
      if (entry === undefined) this.reportUnknown(ownPath);
      else if (entry.kind !== "table") this.#assign(ownPath.join("."), entry, raw);
      else if (isTable(raw)) this.readTable(entry.entries, raw, ownPath);
      else
        this.report(
          ownPath,
          `${describeValue(raw)} is not allowed; it is a table: [${ownPath.join(".")}]`,
        );
    }
  }

  /** Reads the value of `key` from plain text; secrets are refused. */
  readText(key: SchemaKey, text: string): void {
    const { entry } = key;
    if (entry.kind === "table-list") {
      const array = parseTomlValue(text);
      // Else a slip in the list would be taken for a strange name.
      if (!Array.isArray(array) && text.trimStart().startsWith("[")) {
        const example = `[{${entry.textEntry}="…"}]`;
        this.report(
          [key.key],
          `${describeValue(text)} is no list; write ${example}, or values with commas between them`,
        );
        return;
      }
      const tables = Array.isArray(array)
        ? array
        : text.split(",").map((each) => ({ [entry.textEntry]: each.trim() }));
      this.#assign(key.key, entry, tables);
    } else if (entry.secret) {
      const message = `others can read it there; name a file in ${key.key}_file, or write it into the settings file`;
      this.report([key.key], message);
    } else this.#assign(key.key, entry, entry.type.fromText(text));
  }

  #assign(key: string, entry: Setting | TableList, raw: unknown): void {
    const path = key.split(".");
    const origin = { source: this.#place.source, line: this.#place.lineOf(path) };
    if (entry.kind === "table-list") {
      const value = this.#readTables(entry, raw, path);
      if (value !== undefined) this.assignments.push({ key, value, origin });
      return;
    }
    const reading = readValue(entry, raw, this.#directory);
    if ("value" in reading) this.assignments.push({ key, value: reading.value, origin });
    else {
      const wrong = reading.at === undefined || !Array.isArray(raw) ? path : [...path, reading.at];
      this.report(wrong, hidden(entry, reading.problem));
    }
  }

  /** The tables of a list, or undefined when something is wrong with one of them. */
  #readTables(list: TableList, raw: unknown, path: TomlPath): readonly unknown[] | undefined {
    if (!Array.isArray(raw) || raw.length > list.max) {
      const what = Array.isArray(raw) ? `${raw.length} tables` : describeValue(raw);
      this.report(
        path,
        `${what} is not allowed; it is a list of at most ${list.max} tables: [[${path.join(".")}]]`,
      );
      return undefined;
    }
    const before = this.problems.length;
    const values = raw.map((each: unknown, at) => this.#readListed(list, each, [...path, at]));
    return this.problems.length === before ? values : undefined;
  }

  #readListed(list: TableList, raw: unknown, path: TomlPath): object | undefined {
    if (!isTable(raw)) {
      this.report(path, `${describeValue(raw)} is not allowed; it is a table`);
      return undefined;
    }
    for (const name of Object.keys(raw)) {
      if (!Object.hasOwn(list.entries, name)) this.reportUnknown([...path, name]);
    }
    const values: Record<string, unknown> = {};
    for (const [name, setting] of Object.entries(list.entries)) {
      const reading = Object.hasOwn(raw, name)
        ? readValue(setting, raw[name], this.#directory)
        : readDefault(setting, this.#directory);
      if ("value" in reading) values[propertyName(name, setting)] = reading.value;
      else this.report([...path, name], hidden(setting, reading.problem));
    }
    return values;
  }

  /** Reports a key that is no setting, with what was probably meant. */
  reportUnknown(path: TomlPath): void {
    const key = path.filter((part) => typeof part === "string").join(".");
    const suggestion = suggestKey(key);
    this.report(path, `no such setting${suggestion === undefined ? "" : `; ${suggestion}`}`);
  }

  report(path: TomlPath, message: string): void {
    this.problems.push({
      source: this.#place.source,
      line: this.#place.lineOf(path),
      key: formatPath(path),
      message,
    });
  }
}

/** `storage.path[1].directory`. */
function formatPath(path: TomlPath): string {
  return path
    .map((part, at) => (typeof part === "number" ? `[${part}]` : at === 0 ? part : `.${part}`))
    .join("");
}

/** A message about a secret must not quote it. */
function hidden(setting: Setting, problem: string): string {
  return setting.secret ? `not allowed; allowed is ${setting.type.allowed}` : problem;
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

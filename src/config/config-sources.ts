/**
 * Where settings come from: TOML texts, environment variables and `--set` options. Each source is read against the schema
 * by itself, so that everything that is wrong in it is found, also what a later source overrides. Pure.
 */
import { posix } from "node:path";
import { parse, TomlError } from "smol-toml";
import type { ConfigProblem, Reading } from "#config/errors.ts";
import { suggestKey } from "#config/nearest-key.ts";
import { type SchemaKey, schema, schemaByKey, schemaKeys } from "#config/schema.ts";
import { type Entries, propertyName, type Setting, type TableList } from "#config/setting.ts";
import { TomlLines, type TomlPath } from "#config/toml-lines.ts";
import { describeValue, parseTomlValue } from "#config/value-types.ts";

export type ConfigSource =
  | {
      readonly kind: "file";
      /** For messages. */
      readonly name: string;
      /** Absolute; what relative paths in the text start from. */
      readonly directory: string;
      readonly text: string;
    }
  /** All variables; those that begin with `CAIRN_` are looked at, and empty ones count as not set. */
  | {
      readonly kind: "environment";
      readonly variables: Readonly<Record<string, string | undefined>>;
    }
  /** The values of `--set`: `section.key=value`. */
  | { readonly kind: "command-line"; readonly settings: readonly string[] };

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

export interface SourceReading {
  readonly assignments: readonly Assignment[];
  readonly problems: readonly ConfigProblem[];
  /** Things that look like settings and are none. */
  readonly warnings: readonly ConfigProblem[];
}

/** A settings file that people wrote is much smaller. */
export const maxFileLength = 262_144;
const maxNesting = 16;
const environmentPrefix = "CAIRN_";

/** Reads one source. `directory` is what relative paths outside of files start from. */
export function readSource(source: ConfigSource, directory: string): SourceReading {
  const reader = new SourceReader(source.kind === "file" ? source.directory : directory);
  if (source.kind === "file") reader.readFile(source.name, source.text);
  else if (source.kind === "environment") reader.readEnvironment(source.variables);
  else reader.readCommandLine(source.settings);
  return reader;
}

/** The environment variable that sets `key`: `CAIRN_STORAGE_PORT`. */
export function environmentVariable(key: string): string {
  return `${environmentPrefix}${key.replaceAll(".", "_").toUpperCase()}`;
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

/** Where in a source a value stands. */
interface Place {
  readonly source: string;
  lineOf(path: TomlPath): number | undefined;
}

class SourceReader implements SourceReading {
  readonly assignments: Assignment[] = [];
  readonly problems: ConfigProblem[] = [];
  readonly warnings: ConfigProblem[] = [];
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  readFile(name: string, written: string): void {
    const text = written.replace(/^\uFEFF/, "");
    if (text.length > maxFileLength) {
      const message = `${text.length} characters; a settings file has at most ${maxFileLength}`;
      this.problems.push({ source: name, line: undefined, key: "", message });
      return;
    }
    const lines = new TomlLines(text);
    const place: Place = { source: name, lineOf: (path) => lines.lineOf(path) };
    try {
      this.#readTable(schema.entries, parse(text, { maxDepth: maxNesting }), [], place);
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      const message = error.message.split("\n", 1)[0]?.replace(/^Invalid TOML document: /, "");
      this.problems.push({
        source: name,
        line: error.line,
        key: "",
        message: `not TOML: ${message}`,
      });
    }
  }

  readEnvironment(variables: Readonly<Record<string, string | undefined>>): void {
    const keys = new Map(schemaKeys.map((each) => [environmentVariable(each.key), each]));
    for (const [name, text] of Object.entries(variables)) {
      if (text === undefined || text === "" || !name.startsWith(environmentPrefix)) continue;
      const key = keys.get(name);
      const place = { source: `environment ${name}`, lineOf: () => undefined };
      if (key !== undefined) this.#readText(key, text, place);
      else {
        // No error: orchestrators put variables of their own under such names.
        const message = "no setting has this name; it was ignored";
        this.warnings.push({ source: place.source, line: undefined, key: "", message });
      }
    }
  }

  readCommandLine(settings: readonly string[]): void {
    const place = { source: "command line", lineOf: () => undefined };
    for (const written of settings) {
      const equals = written.indexOf("=");
      const name = (equals === -1 ? written : written.slice(0, equals)).trim();
      const key = schemaByKey.get(name);
      if (equals === -1) this.#report(place, [name], "no value; write --set section.key=value");
      else if (key === undefined) this.#reportUnknown(place, name.split("."));
      else this.#readText(key, written.slice(equals + 1), place);
    }
  }

  #readTable(entries: Entries, values: object, path: readonly string[], place: Place): void {
    for (const [name, raw] of Object.entries(values)) {
      const ownPath = [...path, name];
      const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
      if (entry === undefined) this.#reportUnknown(place, ownPath);
      else if (entry.kind !== "table") this.#assign(ownPath.join("."), entry, raw, place);
      else if (isTable(raw)) this.#readTable(entry.entries, raw, ownPath, place);
      else
        this.#report(
          place,
          ownPath,
          `${describeValue(raw)} is not allowed; it is a table: [${ownPath.join(".")}]`,
        );
    }
  }

  #readText(key: SchemaKey, text: string, place: Place): void {
    const { entry } = key;
    if (entry.kind === "table-list") {
      const array = parseTomlValue(text);
      const tables = Array.isArray(array)
        ? array
        : text.split(",").map((each) => ({ [entry.textEntry]: each.trim() }));
      this.#assign(key.key, entry, tables, place);
    } else if (entry.secret) {
      const message = `others can read it there; name a file in ${key.key}_file, or write it into the settings file`;
      this.#report(place, [key.key], message);
    } else this.#assign(key.key, entry, entry.type.fromText(text), place);
  }

  #assign(key: string, entry: Setting | TableList, raw: unknown, place: Place): void {
    const path = key.split(".");
    const origin = { source: place.source, line: place.lineOf(path) };
    if (entry.kind === "table-list") {
      const value = this.#readTables(entry, raw, path, place);
      if (value !== undefined) this.assignments.push({ key, value, origin });
      return;
    }
    const reading = readValue(entry, raw, this.#directory);
    if ("value" in reading) this.assignments.push({ key, value: reading.value, origin });
    else {
      const wrong = reading.at === undefined || !Array.isArray(raw) ? path : [...path, reading.at];
      this.#report(place, wrong, hidden(entry, reading.problem));
    }
  }

  /** The tables of a list, or undefined when something is wrong with one of them. */
  #readTables(
    list: TableList,
    raw: unknown,
    path: TomlPath,
    place: Place,
  ): readonly unknown[] | undefined {
    if (!Array.isArray(raw) || raw.length > list.max) {
      const what = Array.isArray(raw) ? `${raw.length} tables` : describeValue(raw);
      this.#report(
        place,
        path,
        `${what} is not allowed; it is a list of at most ${list.max} tables: [[${path.join(".")}]]`,
      );
      return undefined;
    }
    const before = this.problems.length;
    const values = raw.map((each: unknown, at) =>
      this.#readListed(list, each, [...path, at], place),
    );
    return this.problems.length === before ? values : undefined;
  }

  #readListed(list: TableList, raw: unknown, path: TomlPath, place: Place): object | undefined {
    if (!isTable(raw)) {
      this.#report(place, path, `${describeValue(raw)} is not allowed; it is a table`);
      return undefined;
    }
    for (const name of Object.keys(raw)) {
      if (!Object.hasOwn(list.entries, name)) this.#reportUnknown(place, [...path, name]);
    }
    const values: Record<string, unknown> = {};
    for (const [name, setting] of Object.entries(list.entries)) {
      const reading = Object.hasOwn(raw, name)
        ? readValue(setting, raw[name], this.#directory)
        : readDefault(setting, this.#directory);
      if ("value" in reading) values[propertyName(name, setting)] = reading.value;
      else this.#report(place, [...path, name], hidden(setting, reading.problem));
    }
    return values;
  }

  #reportUnknown(place: Place, path: TomlPath): void {
    const key = path.filter((part) => typeof part === "string").join(".");
    const suggestion = suggestKey(key);
    this.#report(
      place,
      path,
      `no such setting${suggestion === undefined ? "" : `; ${suggestion}`}`,
    );
  }

  #report(place: Place, path: TomlPath, message: string): void {
    this.problems.push({
      source: place.source,
      line: place.lineOf(path),
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

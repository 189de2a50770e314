/**
 * Where settings come from: TOML texts, environment variables and `--set` options. Each source is read against the schema
 * by itself, so that everything that is wrong in it is found, also what a later source overrides. Pure.
 */
import { parse, TomlError } from "smol-toml";
import type { ConfigProblem } from "#config/errors.ts";
import { schema, schemaByKey, schemaKeys } from "#config/schema.ts";
import { TomlLines } from "#config/toml-lines.ts";
import { type Assignment, ValueReader } from "#config/value-reader.ts";

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
  switch (source.kind) {
    case "file":
      return readFile(source);
    case "environment":
      return readEnvironment(source.variables, directory);
    case "command-line":
      return readCommandLine(source.settings, directory);
  }
}

/** The environment variable that sets `key`: `CAIRN_STORAGE_PORT`. */
export function environmentVariable(key: string): string {
  return `${environmentPrefix}${key.replaceAll(".", "_").toUpperCase()}`;
}

function readFile(file: Extract<ConfigSource, { kind: "file" }>): SourceReading {
  const { name: source } = file;
  const text = file.text.replace(/^\uFEFF/, "");
  const failed = (line: number | undefined, message: string): SourceReading => {
    return { assignments: [], problems: [{ source, line, key: "", message }], warnings: [] };
  };
  if (text.length > maxFileLength) {
    const message = `${text.length} characters; a settings file has at most ${maxFileLength}`;
    return failed(undefined, message);
  }
  const lines = new TomlLines(text);
  const reader = new ValueReader({ source, lineOf: (path) => lines.lineOf(path) }, file.directory);
  try {
    reader.readTable(schema.entries, parse(text, { maxDepth: maxNesting }), []);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const message = error.message.split("\n", 1)[0]?.replace(/^Invalid TOML document: /, "");
    return failed(error.line, `not TOML: ${message}`);
  }
  return { assignments: reader.assignments, problems: reader.problems, warnings: [] };
}

function readEnvironment(
  variables: Readonly<Record<string, string | undefined>>,
  directory: string,
): SourceReading {
  const keys = new Map(schemaKeys.map((each) => [environmentVariable(each.key), each]));
  const readers: ValueReader[] = [];
  const warnings: ConfigProblem[] = [];
  for (const [name, text] of Object.entries(variables)) {
    if (text === undefined || text === "" || !name.startsWith(environmentPrefix)) continue;
    const key = keys.get(name);
    const source = `environment ${name}`;
    if (key === undefined) {
      // No error: orchestrators put variables of their own under such names.
      const message = "no setting has this name; it was ignored";
      warnings.push({ source, line: undefined, key: "", message });
      continue;
    }
    const reader = new ValueReader({ source, lineOf: () => undefined }, directory);
    reader.readText(key, text);
    readers.push(reader);
  }
  const assignments = readers.flatMap((reader) => reader.assignments);
  return { assignments, problems: readers.flatMap((reader) => reader.problems), warnings };
}

function readCommandLine(settings: readonly string[], directory: string): SourceReading {
  const reader = new ValueReader({ source: "command line", lineOf: () => undefined }, directory);
  for (const written of settings) {
    const equals = written.indexOf("=");
    const name = (equals === -1 ? written : written.slice(0, equals)).trim();
    const key = schemaByKey.get(name);
    if (equals === -1) reader.report([name], "no value; write --set section.key=value");
    else if (key === undefined) reader.reportUnknown(name.split("."));
    else reader.readText(key, written.slice(equals + 1));
  }
  return { assignments: reader.assignments, problems: reader.problems, warnings: [] };
}

/**
 * From texts to the frozen `Config`: built-in values, then each source in its order, the later one winning. Reads no file
 * itself: the caller passes texts in, and those of secret files by the paths that `secretFilesOf` names. Pure.
 */

import { present } from "#base/assert.ts";
import { checkConfig, completeConfig } from "#config/config-rules.ts";
import { type ConfigSource, readSource } from "#config/config-sources.ts";
import { type ConfigProblem, configError } from "#config/errors.ts";
import { type Config, type SchemaKey, schemaByKey, schemaKeys } from "#config/schema.ts";
import { type Assignment, type Origin, readDefault } from "#config/value-reader.ts";

export interface LoadOptions {
  /** Absolute; what relative paths start from that do not stand in a file, such as the built-in `./data`. */
  readonly directory: string;
  /** The text of each file that `secretFilesOf` named, by its path. */
  readonly secretTexts?: ReadonlyMap<string, string>;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Where the value of each key comes from. */
  readonly origins: ReadonlyMap<string, Origin>;
  readonly warnings: readonly ConfigProblem[];
}

const builtIn: Origin = { source: "built-in", line: undefined };

/**
 * Merges `sources`, later ones over earlier ones: files, drop-ins, environment, command line. A list is replaced as a whole.
 * Throws `AppError("config-invalid")` with every problem of every source.
 */
export function loadConfig(sources: readonly ConfigSource[], options: LoadOptions): LoadedConfig {
  const readings = sources.map((source) => readSource(source, options.directory));
  const draft = new Draft(readings.map((each) => each.assignments));
  const problems = readings.flatMap((each) => each.problems);
  problems.push(...draft.readSecrets(options.secretTexts ?? new Map()));
  if (problems.length > 0) throw configError("config-invalid", problems);

  const config = completeConfig(draft.build(options.directory));
  const origins = new Map(schemaKeys.map(({ key }) => [key, draft.origin(key)]));
  const broken = checkConfig(config).map(({ key, message }) => {
    const { source, line } = draft.origin(key.replace(/\[.*/, ""));
    return { source, line, key, message };
  });
  if (broken.length > 0) throw configError("config-invalid", broken);
  const warnings = readings.flatMap((each) => each.warnings);
  return { config: deepFreeze(config), origins, warnings };
}

/** A file whose text is the value of a secret. */
export interface SecretFile {
  readonly key: string;
  readonly path: string;
}

/** The files that `loadConfig` wants the texts of. Never throws: what is wrong in `sources`, `loadConfig` reports. */
export function secretFilesOf(
  sources: readonly ConfigSource[],
  options: LoadOptions,
): readonly SecretFile[] {
  return new Draft(
    sources.map((source) => readSource(source, options.directory).assignments),
  ).secretFiles();
}

/** The values that count, and where they come from. */
class Draft {
  readonly #winners = new Map<string, { readonly assignment: Assignment; readonly rank: number }>();

  constructor(sources: readonly (readonly Assignment[])[]) {
    for (const [rank, assignments] of sources.entries()) {
      for (const assignment of assignments) this.#winners.set(assignment.key, { assignment, rank });
    }
  }

  origin(key: string): Origin {
    return this.#winners.get(key)?.assignment.origin ?? builtIn;
  }

  /** Files of secrets, unless a later source gives the secret itself. */
  secretFiles(): SecretFile[] {
    return secretKeys.flatMap(({ key }) => {
      const path = String(this.#winners.get(`${key}_file`)?.assignment.value ?? "");
      const isNewer = this.#rank(`${key}_file`) >= this.#rank(key);
      return path !== "" && isNewer ? [{ key, path }] : [];
    });
  }

  /** Takes secrets from the texts of their files. */
  readSecrets(texts: ReadonlyMap<string, string>): ConfigProblem[] {
    const problems: ConfigProblem[] = [];
    for (const { key, path } of this.secretFiles()) {
      const { source, line } = this.origin(`${key}_file`);
      const report = (message: string): void => {
        problems.push({ source, line, key: `${key}_file`, message });
      };
      const isGivenTwice =
        this.#rank(key) === this.#rank(`${key}_file`) &&
        this.#winners.get(key)?.assignment.value !== "";
      const text = texts.get(path)?.replace(/\r?\n$/, "");
      const entry = present(schemaByKey.get(key), key).entry;
      const reading =
        entry.kind === "setting" && text !== undefined ? entry.type.read(text) : undefined;
      if (isGivenTwice) report(`${key} is given as well; write only one of the two`);
      else if (reading === undefined) report(`the file ${path} cannot be read`);
      else if ("problem" in reading || text === "")
        report(`the text of ${path} is not allowed as a secret`);
      else {
        const assignment = { key, value: reading.value, origin: { source: path, line: undefined } };
        this.#winners.set(key, { assignment, rank: this.#rank(`${key}_file`) });
      }
    }
    return problems;
  }

  build(directory: string): Config {
    const config = {};
    for (const { key, property, entry } of schemaKeys) {
      const winner = this.#winners.get(key);
      const fallback = entry.kind === "setting" ? readDefault(entry, directory) : { value: [] };
      const value = winner?.assignment.value ?? ("value" in fallback ? fallback.value : undefined);
      place(config, property, present(value, `the built-in value of ${key}`));
    }
    // Sound because `Config` is inferred from the schema that the loop walks.
    return config as Config;
  }

  #rank(key: string): number {
    return this.#winners.get(key)?.rank ?? -1;
  }
}

const secretKeys: readonly SchemaKey[] = schemaKeys.filter(
  ({ entry }) => entry.kind === "setting" && entry.secret,
);

function place(target: Record<string, unknown>, property: readonly string[], value: unknown): void {
  let table = target;
  for (const name of property.slice(0, -1)) {
    table[name] ??= {};
    table = table[name] as Record<string, unknown>;
  }
  table[present(property.at(-1), "the name of a setting")] = value;
}

/** Freezes `value` and all that hangs below it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const each of Object.values(value)) deepFreeze(each);
  return value;
}

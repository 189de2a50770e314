/**
 * Settings as people read them: the rows of `cairn config show`, the reference of all keys, and what a reload cannot apply.
 * Secrets never leave. Pure.
 */
import { environmentVariable } from "#config/config-sources.ts";
import { type Config, configValue, type SchemaKey, schema, schemaKeys } from "#config/schema.ts";
import {
  type Applies,
  type Entries,
  propertyName,
  type Setting,
  type Table,
  type TableList,
} from "#config/setting.ts";
import { formatTomlValue } from "#config/toml-text.ts";
import type { Origin } from "#config/value-reader.ts";
import type { PlainValue } from "#config/value-types.ts";

export interface ConfigRow {
  /** `storage.port`, `storage.path[0].directory`. */
  readonly key: string;
  /** As one would write it in TOML, but `<secret>` for a secret that is set. */
  readonly value: PlainValue;
  /** `built-in`, `cairn.toml:12`, `environment CAIRN_STORAGE_PORT`, `command line`. */
  readonly origin: string;
  /** What a number counts, such as `connections`; empty where the value says it. */
  readonly unit: string;
  readonly applies: Applies;
  readonly says: string;
}

const hiddenSecret = "<secret>";

/** One row for each setting, in the order of the schema. `origins` is what `loadConfig` returned. */
export function describeConfig(
  config: Config,
  origins: ReadonlyMap<string, Origin>,
): readonly ConfigRow[] {
  return schemaKeys.flatMap((schemaKey) => {
    const { key, entry } = schemaKey;
    const value = configValue(config, schemaKey);
    const origin = formatOrigin(origins.get(key));
    if (entry.kind === "setting") return [describeSetting(key, entry, { value, origin })];
    return (value as readonly Readonly<Record<string, unknown>>[]).flatMap((each, at) =>
      Object.entries(entry.entries).map(([name, setting]) =>
        describeSetting(`${key}[${at}].${name}`, setting, {
          value: each[propertyName(name, setting)],
          origin,
        }),
      ),
    );
  });
}

/** A value as `cairn config show` prints it, in TOML notation. */
export function formatRowValue(row: ConfigRow): string {
  return row.value === hiddenSecret ? hiddenSecret : formatTomlValue(row.value);
}

function describeSetting(
  key: string,
  setting: Setting,
  { value, origin }: { readonly value: unknown; readonly origin: string },
): ConfigRow {
  const plain = setting.type.write(value);
  return {
    key,
    value: setting.secret && plain !== "" ? hiddenSecret : plain,
    origin,
    unit: setting.type.unit,
    applies: setting.applies,
    says: setting.says,
  };
}

function formatOrigin(origin: Origin | undefined): string {
  if (origin === undefined) return "built-in";
  return origin.line === undefined ? origin.source : `${origin.source}:${origin.line}`;
}

export interface ConfigChange {
  readonly key: string;
  readonly applies: Applies;
}

/** The settings whose values differ, in the order of the schema. */
export function configChanges(before: Config, after: Config): readonly ConfigChange[] {
  return schemaKeys
    .filter((key) => comparable(before, key) !== comparable(after, key))
    .map(({ key, entry }) => ({ key, applies: entry.applies }));
}

/** The changed settings that a reload (SIGHUP) does not apply. */
export function changesThatNeedRestart(before: Config, after: Config): readonly ConfigChange[] {
  return configChanges(before, after).filter((change) => change.applies !== "now");
}

function comparable(config: Config, key: SchemaKey): string {
  const value = configValue(config, key);
  return JSON.stringify(key.entry.kind === "setting" ? key.entry.type.write(value) : value);
}

/** Markdown that explains every setting, made from the schema alone. */
export function settingsReference(): string {
  const head = [
    "# Settings",
    "",
    "Written in `cairn.toml`. A setting can also come from the environment (the variable stands below its sentence) or from",
    "`--set section.key=value` on the command line; the order is built-in, file, drop-ins, environment, command line, and the last one wins.",
    "A relative path starts from the directory of the file in which it stands. Units of sizes are powers of 1024.",
    "",
  ];
  return [...head, ...referenceOf(schema.entries, [])].join("\n");
}

function referenceOf(entries: Entries, path: readonly string[]): readonly string[] {
  const own = Object.entries(entries).filter(([, entry]) => entry.kind === "setting");
  const inner = Object.entries(entries).filter(([, entry]) => entry.kind !== "setting");
  const key = (name: string): string => [...path, name].join(".");
  return [
    ...own.flatMap(([name, entry]) => explainSetting(key(name), entry as Setting)),
    ...inner.flatMap(([name, entry]) => explainTable(entry as Table | TableList, [...path, name])),
  ];
}

function explainTable(entry: Table | TableList, path: readonly string[]): readonly string[] {
  const key = path.join(".");
  const heading = entry.kind === "table" ? `## \`[${key}]\`` : `## \`[[${key}]]\``;
  return [heading, "", entry.says, "", ...referenceOf(entry.entries, path)];
}

const appliesWords: Readonly<Record<Applies, string>> = {
  now: "applies at a reload",
  "role-restart": "applies when the role starts again",
  "daemon-restart": "applies when the daemon starts again",
};

function explainSetting(key: string, setting: Setting): readonly string[] {
  const { type } = setting;
  const isListed = !schemaKeys.some((each) => each.key === key);
  const facts = [
    setting.default === undefined
      ? "must be given"
      : `default \`${formatTomlValue(setting.default)}\``,
    type.unit === "" ? type.allowed : `${type.allowed} (${type.unit})`,
    appliesWords[setting.applies],
  ];
  const more = [
    isListed
      ? []
      : [
          setting.secret
            ? `environment \`${environmentVariable(`${key}_file`)}\` (a file)`
            : `environment \`${environmentVariable(key)}\``,
        ],
    setting.fastdfs === undefined ? [] : [`FastDFS: ${setting.fastdfs}`],
  ].flat();
  const lines = [`### \`${key}\``, "", setting.says, "", `* ${facts.join("; ")}`];
  return [...lines, ...more.map((each) => `* ${each}`), ""];
}

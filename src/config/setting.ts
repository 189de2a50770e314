/**
 * How a schema is put together: settings, tables of settings and lists of tables, and the TypeScript type of the values
 * that follow from them. A TOML key `connect_timeout` of type duration becomes the property `connectTimeoutMs`, a list of
 * tables `[[storage.path]]` becomes `paths`. Pure.
 */
import type { PlainValue, UnitSuffix, ValueType } from "#config/value-types.ts";

/** What has to be started again before a changed value counts: nothing, the roles that use it, or the whole process. */
export type Applies = "now" | "role-restart" | "daemon-restart";

export interface Setting<T = unknown, Suffix extends UnitSuffix = UnitSuffix> {
  readonly kind: "setting";
  readonly type: ValueType<T, Suffix>;
  /** As one would write it in TOML; undefined where the value has to be given. */
  readonly default: PlainValue | undefined;
  readonly applies: Applies;
  /** Never shown, never taken from the command line or from an environment variable itself. */
  readonly secret: boolean;
  /** File and key of FastDFS that mean the same, such as `tracker.conf store_lookup`; several with commas between. */
  readonly fastdfs: string | undefined;
  /** What FastDFS's values are called here, where they are not the same words. */
  readonly fastdfsValues: Readonly<Record<string, string>> | undefined;
  /** One sentence for the operator. */
  readonly says: string;
}

export type Entries = Readonly<Record<string, Setting | Table | TableList>>;

export interface Table<E extends Entries = Entries> {
  readonly kind: "table";
  readonly says: string;
  readonly entries: E;
}

export interface TableList<
  E extends Readonly<Record<string, Setting>> = Readonly<Record<string, Setting>>,
> {
  readonly kind: "table-list";
  readonly says: string;
  readonly entries: E;
  /** The entry that a plain text stands for, in the environment and on the command line. */
  readonly textEntry: keyof E & string;
  readonly max: number;
  readonly applies: Applies;
}

interface SettingOptions {
  readonly default?: PlainValue;
  readonly applies: Applies;
  readonly secret?: true;
  readonly fastdfs?: string;
  readonly fastdfsValues?: Readonly<Record<string, string>>;
  readonly says: string;
}

export function setting<T, Suffix extends UnitSuffix>(
  type: ValueType<T, Suffix>,
  options: SettingOptions,
): Setting<T, Suffix> {
  return {
    kind: "setting",
    type,
    default: options.default,
    applies: options.applies,
    secret: options.secret === true,
    fastdfs: options.fastdfs,
    fastdfsValues: options.fastdfsValues,
    says: options.says,
  };
}

export function table<const E extends Entries>(says: string, entries: E): Table<E> {
  return { kind: "table", says, entries };
}

export function tableList<const E extends Readonly<Record<string, Setting>>>(
  options: Omit<TableList<E>, "kind">,
): TableList<E> {
  return { kind: "table-list", ...options };
}

type CamelCase<Key extends string> = Key extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Key;

type PropertyOf<Key extends string, Entry> = Entry extends { readonly kind: "table-list" }
  ? `${CamelCase<Key>}s`
  : Entry extends Setting<infer _T, infer Suffix>
    ? `${CamelCase<Key>}${Suffix}`
    : CamelCase<Key>;

type ValueOf<Entry> =
  Entry extends Setting<infer T, UnitSuffix>
    ? T
    : Entry extends Table<infer E>
      ? ValuesOf<E>
      : Entry extends TableList<infer E>
        ? readonly ValuesOf<E>[]
        : never;

/** The frozen object that holds a value for each of `E`. */
export type ValuesOf<E extends Entries> = {
  readonly [Key in keyof E & string as PropertyOf<Key, E[Key]>]: ValueOf<E[Key]>;
};

/** The property of `Config` that holds the value of TOML key `key`; at run time what `PropertyOf` is to the compiler. */
export function propertyName(key: string, entry: Setting | Table | TableList): string {
  const camel = key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  if (entry.kind === "table-list") return `${camel}s`;
  return entry.kind === "setting" ? `${camel}${entry.type.suffix}` : camel;
}

/**
 * Every setting, once. What reads, checks, explains and imports settings walks this, and the type of the frozen `Config`
 * follows from it. To add a key: put it into its section; nothing else lists it. Pure.
 */
import { disksSection } from "#config/sections/disks-section.ts";
import { gatewaySection } from "#config/sections/gateway-section.ts";
import { nodeSection } from "#config/sections/node-section.ts";
import { storageSection } from "#config/sections/storage-section.ts";
import { trackerSection } from "#config/sections/tracker-section.ts";
import {
  type Entries,
  propertyName,
  type Setting,
  type TableList,
  table,
  type ValuesOf,
} from "#config/setting.ts";

export const schema = table("Settings of a Cairn node.", {
  node: nodeSection,
  tracker: trackerSection,
  storage: storageSection,
  gateway: gatewaySection,
  disks: disksSection,
});

/** The settings of a node, frozen. Code is given its part in its constructor. */
export type Config = ValuesOf<typeof schema.entries>;
export type NodeConfig = Config["node"];
export type TrackerConfig = Config["tracker"];
export type StorageConfig = Config["storage"];
export type GatewayConfig = Config["gateway"];
export type DisksConfig = Config["disks"];
export type StorePathConfig = StorageConfig["paths"][number];

/** A setting or list of tables with its place. */
export interface SchemaKey {
  /** As in TOML, dotted: `tracker.trunk.file_size`; `storage.path` for the list of store paths. */
  readonly key: string;
  /** The way to its value in `Config`: `["tracker", "trunk", "fileSizeBytes"]`. */
  readonly property: readonly string[];
  /** Dotted key of the table that holds it. */
  readonly tableKey: string;
  readonly entry: Setting | TableList;
}

/** All settings and lists of tables, in the order of the schema. */
export const schemaKeys: readonly SchemaKey[] = keysOf(schema.entries, [], []);

/** The entries of `schemaKeys` by their dotted key. */
export const schemaByKey: ReadonlyMap<string, SchemaKey> = new Map(
  schemaKeys.map((each) => [each.key, each]),
);

/** The value that `config` holds for `key`. */
export function configValue(config: Config, key: SchemaKey): unknown {
  let value: unknown = config;
  for (const name of key.property) value = (value as Readonly<Record<string, unknown>>)[name];
  return value;
}

/** The directory of a store path, which stands in a list of tables and so not in `schemaByKey` by itself. */
export const storePathDirectory: Setting = storageSection.entries.path.entries.directory;

function keysOf(
  entries: Entries,
  path: readonly string[],
  property: readonly string[],
): SchemaKey[] {
  return Object.entries(entries).flatMap(([name, entry]) => {
    const ownPath = [...path, name];
    const ownProperty = [...property, propertyName(name, entry)];
    if (entry.kind === "table") return keysOf(entry.entries, ownPath, ownProperty);
    return [{ key: ownPath.join("."), property: ownProperty, tableKey: path.join("."), entry }];
  });
}

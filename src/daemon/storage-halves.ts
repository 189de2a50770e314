/**
 * The storages that a node is: one, or the two halves of a mirror (`storage.layout`), each with store paths, a port, a number and tables
 * of its own. And the table of storage ids that the node's own tracker has of a mirror, where nobody wrote one. Pure.
 */
import { isOfSecondHalf } from "#config/config-rules.ts";
import type { Config } from "#config/schema.ts";
import { storagePathSettings, storageSettings } from "#daemon/role-settings.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import type { ServerEndpoint } from "#model/endpoint.ts";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import type { StorageIdEntry } from "#model/storage-id-line.ts";
import { readWriteMode } from "#model/storage-status.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";
import type { TablePrefix } from "#storage/storage-table.ts";

export type HalfName = "first" | "second";

/** The numbers of the halves in a table that nobody wrote; they are in file ids for ever. */
const firstNumber = "100001";
const secondNumber = "100002";

export interface HalfPlan {
  /** Undefined where the node is one storage. */
  readonly half: HalfName | undefined;
  readonly paths: readonly StorePathSettings[];
  readonly tables: TablePrefix;
  settings(ownTracker: ServerEndpoint): StorageSettings;
}

export function storageHalves(config: Config, address: string): readonly HalfPlan[] {
  const { storage } = config;
  if (storage.layout === "single") {
    return [
      {
        half: undefined,
        paths: storagePathSettings(config, address),
        tables: "storage",
        settings: (ownTracker) => storageSettings(config, address, ownTracker),
      },
    ];
  }
  return [planOf(config, address, "first"), planOf(config, address, "second")];
}

/** What the node's own tracker knows of a mirror by itself; undefined where it is none, or other trackers have to know it as well. */
export function mirrorStorageIds(
  { node, tracker, storage }: Config,
  address: string,
): readonly StorageIdEntry[] | undefined {
  if (!node.roles.includes("storage") || storage.layout === "single") return undefined;
  if (tracker.storageIdsFile !== "" || storage.trackers.length > 0) return undefined;
  const mode = readWriteMode.both;
  const group = GroupName(storage.group);
  const { mirror } = storage;
  const place = { group, addresses: [address], mode };
  return [
    { ...place, id: StorageId(storage.serverId || firstNumber), port: storage.port },
    { ...place, id: StorageId(mirror.serverId || secondNumber), port: mirror.port },
  ];
}

function planOf(config: Config, address: string, half: HalfName): HalfPlan {
  const { storage } = config;
  const isSecond = half === "second";
  const [first, second] = mirrorStorageIds(config, address) ?? [];
  const known = isSecond ? second?.id : first?.id;
  const { port, serverId } = isSecond ? storage.mirror : storage;
  const paths = storage.paths.filter((_, index) => isOfSecondHalf(storage, index) === isSecond);
  // A C storage's store paths, which the first half may take over, have no second half.
  const adoptBasePath = isSecond ? "" : storage.adoptBasePath;
  const own: Config = {
    ...config,
    storage: { ...storage, port, serverId: known ?? serverId, paths, adoptBasePath },
  };
  return {
    half,
    paths: storagePathSettings(own, address),
    tables: isSecond ? "mirror" : "storage",
    settings: (ownTracker) => ({
      ...storageSettings(own, address, ownTracker),
      sharesAddress: true,
    }),
  };
}

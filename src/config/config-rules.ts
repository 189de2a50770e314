/**
 * What holds between settings: values that follow from others, and combinations that make no sense. Runs on a `Config` each
 * value of which is allowed by itself. Pure.
 */
import { posix } from "node:path";
import { canonicalAddress } from "#config/address-bytes.ts";
import type { Config } from "#config/schema.ts";

export interface RuleProblem {
  /** The key that is most likely to be changed. */
  readonly key: string;
  readonly message: string;
}

/** slot_max_size where it is not given, as a part of file_size (protocol §11.3). */
const slotMaxDivisor = 8;

/** Fills in the values whose default depends on other settings. */
export function completeConfig(config: Config): Config {
  const { node, tracker, storage, disks } = config;
  const { trunk } = tracker;
  return {
    ...config,
    node: {
      ...node,
      controlSocket:
        node.controlSocket === "" ? posix.join(node.dataDir, "cairn.sock") : node.controlSocket,
    },
    tracker: {
      ...tracker,
      trunk: {
        ...trunk,
        slotMaxSizeBytes:
          trunk.slotMaxSizeBytes === 0
            ? Math.floor(trunk.fileSizeBytes / slotMaxDivisor)
            : trunk.slotMaxSizeBytes,
      },
    },
    storage: {
      ...storage,
      paths:
        storage.paths.length === 0 && !disks.manage
          ? [{ directory: posix.join(node.dataDir, "store0"), readonly: false, takeOver: false }]
          : storage.paths,
    },
  };
}

/** Combinations that cannot work. */
export function checkConfig(config: Config): readonly RuleProblem[] {
  return [
    ...checkNode(config),
    ...checkTracker(config),
    ...checkStorage(config),
    ...checkMirror(config),
    ...checkGateway(config),
  ];
}

function* checkNode({ node, tracker, storage, gateway }: Config): Generator<RuleProblem> {
  const ports = new Map<number, string>();
  for (const [role, port] of [
    ["tracker", tracker.port],
    ["storage", storage.port],
    ["gateway", gateway.port],
    ["storage.mirror", storage.layout === "mirror" ? storage.mirror.port : 0],
  ] as const) {
    if (port === 0 || !node.roles.includes(roleOf(role))) continue;
    const other = ports.get(port);
    if (other !== undefined)
      yield { key: `${role}.port`, message: `${port} is the port of ${other} already` };
    ports.set(port, `${role}.port`);
  }
  if (node.address !== "auto" && ["0.0.0.0", "::"].includes(node.address)) {
    yield {
      key: "node.address",
      message: `${node.address} is no address that others can reach; give one of this machine's, or "auto"`,
    };
  }
}

function roleOf(
  table: "tracker" | "storage" | "gateway" | "storage.mirror",
): "tracker" | "storage" | "gateway" {
  return table === "storage.mirror" ? "storage" : table;
}

function* checkTracker({ node, tracker }: Config): Generator<RuleProblem> {
  if (!node.roles.includes("tracker")) return;
  const { trunk } = tracker;
  if (tracker.storeLookup === "group" && tracker.storeGroup === "") {
    yield {
      key: "tracker.store_group",
      message: 'missing; tracker.store_lookup is "group" and needs the name of one',
    };
  }
  if (tracker.idTypeInFilename === "id" && tracker.storageIdsFile === "") {
    yield {
      key: "tracker.storage_ids_file",
      message: 'missing; tracker.id_type_in_filename is "id" and needs the numbers',
    };
  }
  if (trunk.slotMaxSizeBytes <= trunk.slotMinSizeBytes) {
    yield {
      key: "tracker.trunk.slot_max_size",
      message: "not larger than tracker.trunk.slot_min_size",
    };
  }
  if (trunk.slotMaxSizeBytes > trunk.fileSizeBytes / 2) {
    yield {
      key: "tracker.trunk.slot_max_size",
      message: "larger than half of tracker.trunk.file_size",
    };
  }
  if (tracker.responseAddressSize === "16" && node.address.includes(":")) {
    yield {
      key: "tracker.response_address_size",
      message: '"16" has no room for the IPv6 address in node.address; use "46" or "auto"',
    };
  }
}

function* checkStorage({ node, storage }: Config): Generator<RuleProblem> {
  const needsTracker = node.roles.includes("storage") || node.roles.includes("gateway");
  if (needsTracker && storage.trackers.length === 0 && !node.roles.includes("tracker")) {
    yield {
      key: "storage.trackers",
      message: "missing; this node has no tracker of its own, so name at least one",
    };
  }
  const seen = new Set<string>();
  for (const [at, { directory }] of storage.paths.entries()) {
    if (seen.has(directory)) {
      yield {
        key: `storage.path[${at}].directory`,
        message: `${directory} is a store path already`,
      };
    }
    seen.add(directory);
  }
  const places = storage.trackers.flatMap(({ addresses, port }) =>
    addresses.map((each) => `${canonicalAddress(each)} ${port}`),
  );
  const twice = places.find((place, at) => places.indexOf(place) !== at);
  if (twice !== undefined) {
    yield {
      key: "storage.trackers",
      message: `${twice.replace(" ", " port ")} belongs to two trackers`,
    };
  }
}

function* checkMirror({ node, tracker, storage, disks }: Config): Generator<RuleProblem> {
  if (!node.roles.includes("storage") || storage.layout !== "mirror") return;
  if (disks.manage) {
    const message =
      'nothing says which half of a mirror a disk that was found belongs to: either set disks.manage = false and give each half its disks as [[storage.path]] (those of the second half in storage.mirror.paths), or set storage.layout = "single"';
    yield { key: "disks.manage", message };
  }
  const { paths, mirror } = storage;
  const unknown = mirror.paths.find((index) => index >= paths.length);
  if (unknown !== undefined) {
    const message = `there is no store path ${unknown}; they are counted from 0`;
    yield { key: "storage.mirror.paths", message };
  }
  const second = paths.filter((_, index) => isOfSecondHalf(storage, index)).length;
  if (second * 2 !== paths.length) {
    const message = `a mirror has as many store paths in one half as in the other; here are ${paths.length - second} and ${second}`;
    yield { key: "storage.path", message };
  }
  if (storage.port === 0 || mirror.port === 0) {
    const message = "the halves of a mirror are told apart by their ports, which must be given";
    yield { key: mirror.port === 0 ? "storage.mirror.port" : "storage.port", message };
  }
  if (storage.serverId !== "" && storage.serverId === mirror.serverId) {
    const message = `${mirror.serverId} is the number of the first half (storage.server_id) already`;
    yield { key: "storage.mirror.server_id", message };
  }
  const hasTable = node.roles.includes("tracker") && tracker.storageIdsFile !== "";
  if (hasTable && tracker.idTypeInFilename !== "id") {
    const message = '"ip" cannot tell the halves of a mirror apart; use "id"';
    yield { key: "tracker.id_type_in_filename", message };
  }
}

/** Which half of a mirror has the store path `index`. Pure. */
export function isOfSecondHalf(
  { mirror }: { readonly mirror: Config["storage"]["mirror"] },
  index: number,
): boolean {
  return mirror.paths.length === 0 ? index % 2 === 1 : mirror.paths.includes(index);
}

function* checkGateway({ node, gateway }: Config): Generator<RuleProblem> {
  if (!node.roles.includes("gateway")) return;
  if (gateway.antiLeech.check && gateway.antiLeech.secret === "") {
    const message = "missing; gateway.anti_leech.check is on and needs secret or secret_file";
    yield { key: "gateway.anti_leech.secret", message };
  }
}

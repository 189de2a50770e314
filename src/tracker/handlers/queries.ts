/** Where clients store, read and change files (protocol §2.2). Synchronous and short: part of every upload and download. */
import type { Endpoint } from "#model/endpoint.ts";
import type { Handlers } from "#net/frame-handlers.ts";
import { nowSeconds } from "#platform/clock.ts";
import type {
  FetchTarget,
  FileQuery,
  StoreTarget,
  StoreTargets,
  trackerQueries,
} from "#protocol/fastdfs/tracker-queries.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { GroupRecord } from "#tracker/group-record.ts";
import { addressFor } from "#tracker/requester-address.ts";
import { isAwaited } from "#tracker/routing/awaited-source.ts";
import {
  chooseGroup,
  type GroupRules,
  type NoGroup,
  refusalOfGroup,
} from "#tracker/routing/choose-group.ts";
import { chooseServer, effectiveServerRule } from "#tracker/routing/choose-server.ts";
import { chooseStorePath, type PathRules } from "#tracker/routing/choose-store-path.ts";
import { nameFacts } from "#tracker/routing/name-facts.ts";
import {
  type FetchRules,
  type FileRoute,
  routeFetch,
  routeFetchAll,
  routeUpdate,
} from "#tracker/routing/route-file.ts";
import type { StorageRecord } from "#tracker/storage-record.ts";
import type { TrackerCore } from "#tracker/tracker-core.ts";
import { notFound, type TrackerFacts } from "#tracker/tracker-facts.ts";

export function queryHandlers(core: TrackerCore): Handlers<typeof trackerQueries, TrackerFacts> {
  const stores = new StoreRouter(core);
  const files = new FileRouter(core, stores);
  return {
    queryStore: (_request, session) => stores.one(stores.anyGroup(), session.remoteAddress),
    queryStoreInGroup: (request, session) =>
      stores.one(stores.namedGroup(request.group), session.remoteAddress),
    queryStoreAll: (_request, session) => stores.all(stores.anyGroup(), session.remoteAddress),
    queryStoreAllInGroup: (request, session) =>
      stores.all(stores.namedGroup(request.group), session.remoteAddress),
    queryFetch: (request, session) => files.fetch(request, session.remoteAddress),
    queryUpdate: (request, session) => files.update(request, session.remoteAddress),
    queryFetchAll: (request, session) => {
      const group = files.group(request);
      const storages = files.fetchAll(request);
      const servers = storages.map((storage) => endpointOf(storage, session.remoteAddress));
      return { group: group.name, servers };
    },
  };
}

/** Where new files go. */
class StoreRouter {
  readonly #core: TrackerCore;
  readonly #groupRules: GroupRules;
  readonly #pathRules: PathRules;
  readonly #serverRule: TrackerCore["settings"]["storeServer"];

  constructor(core: TrackerCore) {
    const { settings } = core;
    const { storeLookup, reservedSpace, storePath } = settings;
    const trunkEnabled = settings.trunk.enabled;
    this.#core = core;
    this.#groupRules = { storeLookup, reservedSpace, trunkEnabled };
    this.#pathRules = { storePath, reservedSpace, trunkEnabled };
    this.#serverRule = effectiveServerRule(settings.storeServer, trunkEnabled);
  }

  anyGroup(): GroupRecord {
    const { registry, settings } = this.#core;
    if (settings.storeLookup === "group") return this.namedGroup(settings.storeGroup);
    const chosen = chooseGroup(registry.groups, registry.currentWriteGroup, this.#groupRules);
    if (typeof chosen === "string") throw noGroup(chosen);
    registry.currentWriteGroup = chosen.next;
    return chosen.group;
  }

  namedGroup(name: string): GroupRecord {
    const group = this.#core.registry.group(name);
    const refusal = refusalOfGroup(group, this.#groupRules);
    if (group === undefined || refusal !== undefined) throw noGroup(refusal ?? "not-found");
    return group;
  }

  one(group: GroupRecord, requesterAddress: string): StoreTarget {
    const storage = this.server(group);
    if (storage === undefined) throw noGroup("not-found");
    const storePathIndex = this.#storePath(group, storage);
    const address = addressFor(storage.addresses, requesterAddress);
    return { group: group.name, address, port: storage.port, storePathIndex };
  }

  all(group: GroupRecord, requesterAddress: string): StoreTargets {
    const [first] = group.writable;
    if (first === undefined) throw noGroup("not-found");
    const storePathIndex = this.#storePath(group, first);
    const servers = group.writable.map((storage) => endpointOf(storage, requesterAddress));
    return { group: group.name, servers, storePathIndex };
  }

  /** The next writable storage of the group, or undefined. */
  server(group: GroupRecord): StorageRecord | undefined {
    const chosen = chooseServer(group.writable, group.currentWriteServer, this.#serverRule);
    if (chosen === undefined) return undefined;
    group.currentWriteServer = chosen.next;
    return chosen.storage;
  }

  #storePath(group: GroupRecord, storage: StorageRecord): number {
    const chosen = chooseStorePath(storage, group, this.#pathRules);
    if (chosen === undefined) throw noGroup("no-space");
    storage.currentWritePath = chosen.next;
    return chosen.index;
  }
}

/** Who has a file that exists. */
class FileRouter {
  readonly #core: TrackerCore;
  readonly #stores: StoreRouter;
  readonly #rules: Omit<FetchRules, "now">;

  constructor(core: TrackerCore, stores: StoreRouter) {
    const { settings } = core;
    this.#core = core;
    this.#stores = stores;
    this.#rules = {
      downloadServer: settings.downloadServer,
      maxDelaySeconds: Math.floor(settings.syncFileMaxDelayMs / 1000),
      maxTimeSeconds: Math.floor(settings.syncFileMaxTimeMs / 1000),
    };
  }

  group(query: FileQuery): GroupRecord {
    const group = this.#core.registry.group(query.group);
    if (group === undefined) throw notFound("unknown group");
    return group;
  }

  fetch(query: FileQuery, requesterAddress: string): FetchTarget {
    const group = this.group(query);
    const chosen = routeFetch(routeOf(group, query), group.currentReadServer, this.#rulesNow());
    if (chosen === undefined) throw notFound("no storage that may serve the file");
    group.currentReadServer = chosen.next;
    return fetchTarget(group, chosen.storage, requesterAddress);
  }

  fetchAll(query: FileQuery): readonly StorageRecord[] {
    const group = this.group(query);
    const route = routeOf(group, query);
    const rules = this.#rulesNow();
    if (this.#core.settings.fetchAll === "best") {
      const chosen = routeFetch(route, group.currentReadServer, rules);
      if (chosen === undefined) throw notFound("no storage that may serve the file");
      group.currentReadServer = chosen.next;
      return [chosen.storage];
    }
    const storages = routeFetchAll(route, rules);
    if (storages.length === 0) throw notFound("no storage that may serve the file");
    return storages;
  }

  update(query: FileQuery, requesterAddress: string): FetchTarget {
    const group = this.group(query);
    const route = routeOf(group, query);
    const { source } = route;
    const isThere = source !== undefined && group.writable.includes(source);
    if (!isThere && this.#awaits(source)) {
      const problem = "the storage that the name says may be there, and has not joined yet";
      throw new WireStatusError(wireStatus.tryAgain, problem);
    }
    const storage = routeUpdate(route) ?? this.#stores.server(group);
    if (storage === undefined) throw notFound("no storage that takes changes");
    return fetchTarget(group, storage, requesterAddress);
  }

  #awaits(source: StorageRecord | undefined): boolean {
    const { clock, startedAtMs, leadership } = this.#core;
    const { isAlone } = leadership;
    return isAwaited(source, { nowMs: clock.monotonicMs(), startedAtMs, isAlone });
  }

  #rulesNow(): FetchRules {
    return { ...this.#rules, now: nowSeconds(this.#core.clock) };
  }
}

function routeOf(group: GroupRecord, query: FileQuery): FileRoute<StorageRecord> {
  const file = nameFacts(query.filename);
  const source = group.sources.get(file.sourceKey);
  return { group, file, source, storeServer: group.storeServer };
}

function fetchTarget(
  group: GroupRecord,
  storage: StorageRecord,
  requesterAddress: string,
): FetchTarget {
  const address = addressFor(storage.addresses, requesterAddress);
  return { group: group.name, address, port: storage.port };
}

function endpointOf(storage: StorageRecord, requesterAddress: string): Endpoint {
  return { address: addressFor(storage.addresses, requesterAddress), port: storage.port };
}

function noGroup(why: NoGroup): WireStatusError {
  return why === "no-space"
    ? new WireStatusError(wireStatus.noSpace, "no group or store path with enough free space")
    : notFound("no group with a writable storage");
}

/**
 * The keys of FastDFS that hang together, or mean something else than a setting of ours: addresses, trackers, storage ids,
 * store paths. Each function takes its keys out of the items and puts what they mean into the target. Pure.
 */
import type { FastdfsItem } from "#config/fastdfs-conf.ts";
import { isFastdfsTrue } from "#config/fastdfs-conf.ts";
import { type ImportTarget, listEntries, pathOf, placeOf } from "#config/import-target.ts";
import { checkedValue } from "#config/import-values.ts";
import type { ImportedStorePath } from "#config/imported-settings.ts";
import { storePathDirectory } from "#config/schema.ts";
import { formatEndpoint, parseServerEndpoint } from "#model/endpoint.ts";
import { maxStorePaths } from "#model/store-path-index.ts";

/** The keys of one file outside of sections that are not yet dealt with. */
export class GlobalItems {
  /** Path of the file. */
  readonly file: string;
  readonly #items = new Map<string, FastdfsItem[]>();

  constructor(file: string, items: readonly FastdfsItem[]) {
    this.file = file;
    for (const item of items) {
      const same = this.#items.get(item.key);
      if (same === undefined) this.#items.set(item.key, [item]);
      else same.push(item);
    }
  }

  /** All items of `key`, which the caller deals with. */
  take(key: string): readonly FastdfsItem[] {
    const items = this.#items.get(key) ?? [];
    this.#items.delete(key);
    return items;
  }

  /** The item of `key` that counts where it stands several times, which the caller deals with. */
  takeLast(key: string): FastdfsItem | undefined {
    return this.take(key).at(-1);
  }

  keys(): readonly string[] {
    return [...this.#items.keys()];
  }
}

/** `bind_addr`, which may also hold the words ipv4 and ipv6, and `address_family`, which counts where it is empty. */
export function importBind(items: GlobalItems, target: ImportTarget): void {
  const family = items.takeLast("address_family");
  const given = items.take("bind_addr");
  const entries = given.filter((item) => item.value !== "").flatMap(listEntries);
  if (entries.length > 0) {
    target.setList(
      "node.bind",
      entries.map(({ text, item }) => ({ text: anyAddress.get(text.toLowerCase()) ?? text, item })),
    );
    if (family !== undefined) target.leave(family, "the addresses in node.bind say it");
    return;
  }
  const item = family ?? given.at(-1);
  if (item === undefined) return;
  const word = item === family ? item.value.toLowerCase() : "";
  if (word === "both") target.set("node.bind", [...anyAddress.values()], item);
  else target.set("node.bind", [anyAddress.get(word) ?? "0.0.0.0"], item);
}

const anyAddress: ReadonlyMap<string, string> = new Map([
  ["ipv4", "0.0.0.0"],
  ["ipv6", "::"],
]);

/** `tracker_server`: one that shares an address with an earlier one is the same tracker, as for FastDFS. */
export function importTrackers(items: GlobalItems, target: ImportTarget): void {
  const known = new Set<string>();
  const entries = items.take("tracker_server").map((item) => ({ text: item.value, item }));
  const distinct = entries.filter(({ text }) => {
    const server = parseServerEndpoint(text, 22_122);
    if (server === undefined) return true;
    const { port } = server;
    const places = server.addresses.map((address) => formatEndpoint({ address, port }));
    const isKnown = places.some((place) => known.has(place));
    for (const place of places) known.add(place);
    return !isKnown;
  });
  target.setList("storage.trackers", distinct);
}

/** Any word but auto gives addresses of 46 bytes (protocol §1.5). */
export function importAddressSize(items: GlobalItems, target: ImportTarget): void {
  const item = items.takeLast("response_ip_addr_size");
  if (item === undefined) return;
  const isAuto = item.value === "" || item.value.toLowerCase() === "auto";
  target.set("tracker.response_address_size", isAuto ? "auto" : "46", item);
}

/** `store_lookup = 1` makes no sense without `store_group`; FastDFS refuses to start. */
export function importStoreLookup(items: GlobalItems, target: ImportTarget): void {
  const lookup = items.takeLast("store_lookup");
  const group = items.takeLast("store_group");
  if (group !== undefined) target.setFrom("tracker.store_group", group);
  if (lookup === undefined) return;
  const hasGroup = (target.settings.get("tracker.store_group")?.value ?? "") !== "";
  if (lookup.value === "1" && !hasGroup) target.report(lookup, "1 needs a store_group; left out");
  else target.setFrom("tracker.store_lookup", lookup);
}

/** The storage ids file counts only with `use_storage_id`. */
export function importStorageIds(items: GlobalItems, target: ImportTarget): void {
  const use = items.takeLast("use_storage_id");
  const file = items.takeLast("storage_ids_filename");
  const idType = items.takeLast("id_type_in_filename");
  if (use !== undefined) target.doubtFlag(use);
  if (use !== undefined && isFastdfsTrue(use.value)) {
    if (file !== undefined && file.value !== "") {
      target.setFrom("tracker.storage_ids_file", file);
      const isTaken = target.settings.get("tracker.storage_ids_file") !== undefined;
      if (idType !== undefined && isTaken) target.setFrom("tracker.id_type_in_filename", idType);
      return;
    }
    target.report(use, "needs storage_ids_filename; left out");
  } else if (use !== undefined) target.set("tracker.storage_ids_file", "", use);
  const reason = "FastDFS does not look at it while use_storage_id is off";
  if (file !== undefined) target.leave(file, reason);
  if (idType !== undefined) target.leave(idType, reason);
}

/** `store_path_count`, `store_pathN` and `store_pathN_readonly`; the first path is `basePath` where it is not given. */
export function importStorePaths(
  items: GlobalItems,
  basePath: FastdfsItem | undefined,
  target: ImportTarget,
): void {
  const countItem = items.takeLast("store_path_count");
  const count = Number(countItem?.value ?? "1");
  if (!/^\d{1,3}$/.test(countItem?.value ?? "1") || count < 1 || count > maxStorePaths) {
    if (countItem !== undefined) {
      target.report(countItem, `no number from 1 to ${maxStorePaths}; no store path was taken`);
    }
    return;
  }
  const paths: ImportedStorePath[] = [];
  for (let index = 0; index < count; index += 1) {
    const given = items.takeLast(`store_path${index}`);
    const isReadonly = importReadonly(items.takeLast(`store_path${index}_readonly`), target);
    const item =
      given !== undefined && given.value !== "" ? given : index === 0 ? basePath : undefined;
    const directory =
      item === undefined ? { problem: "missing" } : checkedValue(storePathDirectory, pathOf(item));
    if (item === undefined || "problem" in directory) {
      // A gap would give the paths behind it other numbers than those that file ids know them by.
      const message = `${"problem" in directory ? directory.problem : "missing"}; this store path and those after it were not taken`;
      const line = (given ?? countItem)?.line;
      const source = (given ?? countItem)?.file ?? items.file;
      target.problems.push({ source, line, key: `store_path${index}`, message });
      break;
    }
    paths.push({ directory: String(directory.value), readonly: isReadonly, place: placeOf(item) });
  }
  leaveSurplusPaths(items, count, target);
  target.settings.setStorePaths(paths);
}

function importReadonly(item: FastdfsItem | undefined, target: ImportTarget): boolean {
  if (item === undefined) return false;
  target.doubtFlag(item);
  return isFastdfsTrue(item.value);
}

function leaveSurplusPaths(items: GlobalItems, count: number, target: ImportTarget): void {
  for (const key of items.keys()) {
    if (!/^store_path\d+(_readonly)?$/.test(key)) continue;
    for (const item of items.take(key)) target.leave(item, `store_path_count is ${count}`);
  }
}

/**
 * FastDFS's configuration files as a `cairn.toml` that means the same (protocol §11), with a list of what has no equivalent
 * and of what is wrong in them. The text always loads: what would not is left out and reported, and where leaving out
 * would open something, the import closes it. Pure.
 */
import { posix } from "node:path";
import { present } from "#base/assert.ts";
import type { ConfigProblem } from "#config/errors.ts";
import {
  type FastdfsItem,
  type IncludeResolver,
  isFastdfsTrue,
  readFastdfsConf,
} from "#config/fastdfs-conf.ts";
import { type FastdfsFileKind, reasonFor } from "#config/import-reasons.ts";
import {
  GlobalItems,
  importAddressSize,
  importBind,
  importStorageIds,
  importStoreLookup,
  importStorePaths,
  importTrackers,
} from "#config/import-special.ts";
import {
  ImportTarget,
  type LeftOut,
  listEntries,
  pathOf,
  settingOf,
} from "#config/import-target.ts";
import { schemaKeys } from "#config/schema.ts";

export interface ImportFile {
  /** Which of FastDFS's files it is; `mod_fastdfs.conf` includes `http.conf`. */
  readonly kind: FastdfsFileKind;
  /** Absolute; relative paths in the file start from its directory. */
  readonly path: string;
  readonly text: string;
}

export interface ImportedConf {
  /** The text of a `cairn.toml`. */
  readonly toml: string;
  readonly leftOut: readonly LeftOut[];
  /** What is wrong or doubtful in the files; `key` is FastDFS's. */
  readonly problems: readonly ConfigProblem[];
}

const roleOfFile = {
  "tracker.conf": "tracker",
  "storage.conf": "storage",
  "mod_fastdfs.conf": "gateway",
} as const satisfies Record<FastdfsFileKind, string>;

const kinds = Object.keys(roleOfFile) as readonly FastdfsFileKind[];

/** Our key for each of FastDFS's, by `tracker.conf store_lookup`. */
const ownKeys: ReadonlyMap<string, string> = new Map(
  schemaKeys.flatMap(({ key, entry }) =>
    entry.kind === "setting" && entry.fastdfs !== undefined
      ? entry.fastdfs.split(", ").map((fastdfs) => [fastdfs, key] as const)
      : [],
  ),
);

/**
 * Imports `files`, one of each kind at most. `include` gives the texts of files that they include, such as `http.conf`.
 */
export function importConf(files: readonly ImportFile[], include?: IncludeResolver): ImportedConf {
  const target = new ImportTarget();
  for (const kind of kinds) {
    const file = files.find((each) => each.kind === kind);
    if (file !== undefined) importFile(file, include, target);
  }
  setRoles(files, target);
  const { settings, problems, leftOut } = target;
  problems.push(...settings.settle());
  const heading = [
    `Made by cairn import-conf from ${files.map((file) => file.path).join(", ")}.`,
    "In brackets: the key and the line that a value comes from.",
  ];
  return { toml: settings.format(heading), leftOut, problems };
}

function importFile(
  file: ImportFile,
  include: IncludeResolver | undefined,
  target: ImportTarget,
): void {
  const { kind } = file;
  const conf = readFastdfsConf(file, include);
  target.problems.push(...conf.problems);
  const items = new GlobalItems(
    file.path,
    conf.items.filter((item) => item.section === ""),
  );
  const basePath = kind === "mod_fastdfs.conf" ? undefined : importBasePath(kind, items, target);
  if (kind !== "mod_fastdfs.conf") importBind(items, target);
  if (kind !== "tracker.conf") importTrackers(items, target);
  if (kind === "storage.conf") importStorePaths(items, basePath, target);
  if (kind === "tracker.conf") {
    importAddressSize(items, target);
    importStoreLookup(items, target);
    importStorageIds(items, target);
  }
  importMissing(file, items, target);
  for (const key of items.keys()) importKey(kind, items.take(key), target);
  for (const item of conf.items) {
    if (item.section === "") continue;
    const { section, key } = item;
    const isAccessLog = kind === "storage.conf" && section === "access-log" && key === "enabled";
    if (isAccessLog) importAccessLog(item, basePath, target);
    else target.leave(item, reasonFor(kind, section, key));
  }
}

/** A key that means the same here, or has no equivalent. */
function importKey(
  kind: FastdfsFileKind,
  items: readonly FastdfsItem[],
  target: ImportTarget,
): void {
  const last = present(items.at(-1), "an item");
  const key = ownKeys.get(`${kind} ${last.key}`);
  if (key === undefined) {
    for (const item of items) target.leave(item, reasonFor(kind, "", item.key));
    return;
  }
  const { type } = settingOf(key);
  if (type.name === "list") {
    target.setList(key, items.flatMap(listEntries));
    return;
  }
  if (items.length > 1) target.report(last, `stands ${items.length} times; the last one counts`);
  if (type.name === "true or false") target.doubtFlag(last);
  target.setFrom(key, last);
}

/** Keys whose absence means something else to FastDFS than to us, and which clients would notice. */
function importMissing(file: ImportFile, items: GlobalItems, target: ImportTarget): void {
  const has = (key: string): boolean => items.keys().includes(key);
  const place = { source: file.path, line: undefined };
  if (file.kind === "mod_fastdfs.conf" && !has("url_have_group_name")) {
    const key = "without url_have_group_name";
    target.settings.set("gateway.url_has_group", false, { ...place, key });
  }
  if (file.kind === "storage.conf" && !has("group_name")) {
    const message = "missing; FastDFS asks the tracker, but here you have to write storage.group";
    target.problems.push({ ...place, key: "group_name", message });
  }
}

/** `base_path`: our own state goes next to FastDFS's; what a storage or tracker left there can be taken over. */
function importBasePath(
  kind: "tracker.conf" | "storage.conf",
  items: GlobalItems,
  target: ImportTarget,
): FastdfsItem | undefined {
  const item = items.takeLast("base_path");
  if (item === undefined) return undefined;
  if (item.value === "") {
    target.report(item, "empty; FastDFS refuses to start");
    return undefined;
  }
  target.set("node.data_dir", posix.join(pathOf(item), "cairn"), item);
  const section = kind === "storage.conf" ? "storage" : "tracker";
  target.setFrom(`${section}.adopt_base_path`, item);
  return item;
}

/** `[access-log] enabled`; FastDFS has it in `logs` of the base path. */
function importAccessLog(
  item: FastdfsItem,
  basePath: FastdfsItem | undefined,
  target: ImportTarget,
): void {
  target.doubtFlag(item);
  const isOn = isFastdfsTrue(item.value) && basePath !== undefined;
  const path = isOn ? posix.join(pathOf(basePath), "logs", "storage_access.log") : "";
  target.set("storage.access_log", path, item);
}

/** The roles that the files are for. A role that would run open is left out, one that has no tracker gets its own. */
function setRoles(files: readonly ImportFile[], target: ImportTarget): void {
  const { settings, problems } = target;
  const given = kinds.filter((kind) => files.some((file) => file.kind === kind));
  const roles = new Set<string>(given.map((kind) => roleOfFile[kind]));
  const tokens = settings.get("gateway.anti_leech.check");
  if (tokens?.value === true && (settings.get("gateway.anti_leech.secret")?.value ?? "") === "") {
    roles.delete("gateway");
    const message =
      "there is no secret, and without one everybody would be served; the gateway is not among node.roles";
    problems.push({ ...tokens.place, message });
  }
  const source = files.map((file) => file.path).join(", ");
  if (settings.get("storage.trackers") === undefined && !roles.has("tracker")) {
    roles.add("tracker");
    const message = "no tracker is named, so that this node's own was added to node.roles";
    problems.push({ source, line: undefined, key: "tracker_server", message });
  }
  settings.set("node.roles", [...roles], {
    source: "the files that were imported",
    line: undefined,
    key: "",
  });
}

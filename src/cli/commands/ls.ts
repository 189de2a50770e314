/** `cairn ls`, `ls groups`, `ls storages`, `ls trackers`, `locate`: what the trackers know. */
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import { storageCondition } from "#cli/render/storage-condition.ts";
import { type Column, renderTable } from "#cli/render/table.ts";
import { readableSize, readableTime } from "#cli/render/units.ts";
import type { GroupStat, StorageStat, TrackerStatus } from "#client/cluster-queries.ts";
import { formatEndpoint } from "#model/endpoint.ts";
import { readWriteModeName, storageStatus, storageStatusCaption } from "#model/storage-status.ts";

const mebibyte = 1024 * 1024;

export const lsCommand: Command = {
  name: "ls",
  summary: "list all groups with their storages",
  description: ["The same as cairn ls groups and cairn ls storages one after the other."],
  positionals: [],
  options: [],
  shared: ["json", "tracker", "config"],
  examples: [{ line: "cairn ls --tracker 10.0.0.1", says: "of another cluster" }],
  run: async (context) => {
    const { output } = context;
    const groups = await context.client().listGroups({ signal: context.signal });
    const storages = await storagesOf(
      context,
      groups.map((group) => group.group),
    );
    if (output.json) {
      await output.value({ groups: groups.map(groupValue), storages: storages.map(storageValue) });
      return undefined;
    }
    await output.lines(renderTable(groups, groupColumns));
    await output.lines(["", ...renderTable(storages, storageColumns(context))]);
    return undefined;
  },
};

export const lsGroupsCommand: Command = {
  name: "ls groups",
  summary: "list the groups and their space",
  description: [
    "Of each group: how many storages it has, how many may be read and written, total and free space, and what uploads leave free. A group has as much space as its smallest storage.",
  ],
  positionals: [],
  options: [],
  shared: ["json", "tracker", "config"],
  examples: [{ line: "cairn ls groups --json", says: "for programs; sizes in bytes" }],
  run: async (context) => {
    const { output, signal } = context;
    const groups = await context.client().listGroups({ signal });
    if (output.json) await output.value({ groups: groups.map(groupValue) });
    else await output.lines(renderTable(groups, groupColumns));
    return undefined;
  },
};

export const lsStoragesCommand: Command = {
  name: "ls storages",
  summary: "list the storages of a group, or of all",
  description: [
    "Of each storage: group, id, address, status, what clients may do there, version, space, when a tracker last heard of it, and for one that is not in service why, and what to do. Only storages that are ACTIVE take and give files.",
  ],
  positionals: [{ name: "GROUP", says: "only this group", required: false }],
  options: [],
  shared: ["json", "tracker", "config"],
  examples: [{ line: "cairn ls storages group1", says: "of one group" }],
  run: async (context) => {
    const { output, signal } = context;
    const [named] = context.arguments.positionals;
    const groups =
      named === undefined
        ? (await context.client().listGroups({ signal })).map((group) => group.group as string)
        : [named];
    const storages = await storagesOf(context, groups);
    if (output.json) await output.value({ storages: storages.map(storageValue) });
    else await output.lines(renderTable(storages, storageColumns(context)));
    return undefined;
  },
};

export const lsTrackersCommand: Command = {
  name: "ls trackers",
  summary: "see which trackers answer, how fast, and whom they follow",
  description: [
    "Asks each tracker by itself. The exit code is 69 when one of them does not answer. Trackers before FastDFS 6.15.5 do not tell their leader.",
  ],
  positionals: [],
  options: [],
  shared: ["json", "tracker", "config"],
  examples: [{ line: "cairn ls trackers -t 10.0.0.1 -t 10.0.0.2", says: "looks at two" }],
  run: async (context) => {
    const { output, signal } = context;
    const trackers = await context.client().trackerStatus({ signal });
    if (output.json) await output.value({ trackers: trackers.map(trackerValue) });
    else await output.lines(renderTable(trackers, trackerColumns(context)));
    return trackers.every((one) => one.reachable) ? undefined : exitCodes.unavailable.code;
  },
};

export const locateCommand: Command = {
  name: "locate",
  summary: "list the storages that may serve a file",
  description: [
    "Prints one address:port a line, as the tracker knows it: storages that have not replicated the file yet are left out. Whether the file was deleted the tracker does not know.",
  ],
  positionals: [{ name: "FILE-ID", says: "the file", required: true }],
  options: [],
  shared: ["json", "tracker", "config"],
  examples: [{ line: "cairn locate group1/M00/00/00/….jpg", says: "prints 10.0.0.5:23000" }],
  run: async (context) => {
    const { output, signal } = context;
    const fileId = context.positional(0);
    const storages = (await context.client().locate(fileId, { signal })).map(formatEndpoint);
    if (output.json) await output.value({ fileId, storages });
    else await output.lines(storages);
    return undefined;
  },
};

interface ListedStorage {
  readonly group: string;
  readonly stat: StorageStat;
}

async function storagesOf(
  context: CommandContext,
  groups: readonly string[],
): Promise<readonly ListedStorage[]> {
  const found: ListedStorage[] = [];
  for (const group of groups) {
    const stats = await context.client().listStorages(group, { signal: context.signal });
    found.push(...stats.map((stat) => ({ group, stat })));
  }
  return found;
}

const groupColumns: readonly Column<GroupStat>[] = [
  { heading: "GROUP", text: (group) => group.group },
  { heading: "STORAGES", text: (group) => String(group.storageCount), right: true },
  { heading: "READABLE", text: (group) => String(group.readableCount), right: true },
  { heading: "WRITABLE", text: (group) => String(group.writableCount), right: true },
  { heading: "TOTAL", text: (group) => readableSize(group.totalMb * mebibyte), right: true },
  { heading: "FREE", text: (group) => readableSize(group.freeMb * mebibyte), right: true },
  { heading: "RESERVED", text: (group) => readableSize(group.reservedMb * mebibyte), right: true },
];

function storageColumns({ output }: CommandContext): readonly Column<ListedStorage>[] {
  const { style } = output;
  const status = (stat: StorageStat): string => {
    const caption = storageStatusCaption(stat.status);
    return stat.status === storageStatus.active ? style.good(caption) : style.warning(caption);
  };
  return [
    { heading: "GROUP", text: ({ group }) => group },
    { heading: "ID", text: ({ stat }) => stat.id },
    { heading: "ADDRESS", text: ({ stat }) => addressOf(stat) },
    { heading: "STATUS", text: ({ stat }) => status(stat) },
    { heading: "MODE", text: ({ stat }) => readWriteModeName(stat.mode) },
    { heading: "VERSION", text: ({ stat }) => stat.version },
    { heading: "FREE", text: ({ stat }) => readableSize(stat.freeMb * mebibyte), right: true },
    { heading: "OF", text: ({ stat }) => readableSize(stat.totalMb * mebibyte), right: true },
    { heading: "HEARD OF", text: ({ stat }) => heardOf(stat) },
    { heading: "WHY", text: ({ stat }) => storageCondition(stat) },
  ];
}

function heardOf(stat: StorageStat): string {
  const { lastHeartBeatTime } = stat.statistics;
  return lastHeartBeatTime === 0 ? "never" : readableTime(lastHeartBeatTime);
}

function trackerColumns({ output }: CommandContext): readonly Column<TrackerStatus>[] {
  const { style } = output;
  return [
    { heading: "TRACKER", text: (one) => formatEndpoint(one.tracker) },
    {
      heading: "ANSWERS",
      text: (one) => (one.reachable ? style.good("yes") : style.bad("no")),
    },
    {
      heading: "IN",
      text: (one) => (one.roundTripMs === undefined ? "" : `${one.roundTripMs.toFixed(1)} ms`),
      right: true,
    },
    { heading: "LEADER", text: (one) => one.leader ?? "" },
    { heading: "PROBLEM", text: (one) => one.problem ?? "" },
  ];
}

function addressOf(stat: StorageStat): string {
  return formatEndpoint({ address: stat.address, port: stat.storagePort });
}

function groupValue(group: GroupStat): unknown {
  return {
    group: group.group,
    storages: group.storageCount,
    readable: group.readableCount,
    writable: group.writableCount,
    totalBytes: group.totalMb * mebibyte,
    freeBytes: group.freeMb * mebibyte,
    reservedBytes: group.reservedMb * mebibyte,
    trunkFreeBytes: group.trunkFreeMb * mebibyte,
    storePaths: group.storePathCount,
    subdirectories: group.subdirCount,
  };
}

function storageValue({ group, stat }: ListedStorage): unknown {
  const { statistics } = stat;
  return {
    group,
    id: stat.id,
    address: stat.address,
    port: stat.storagePort,
    status: storageStatusCaption(stat.status),
    why: storageCondition(stat),
    mode: readWriteModeName(stat.mode),
    version: stat.version,
    joinedAt: stat.joinTime,
    upSince: stat.upTime,
    totalBytes: stat.totalMb * mebibyte,
    freeBytes: stat.freeMb * mebibyte,
    reservedBytes: stat.reservedMb * mebibyte,
    storePaths: stat.storePathCount,
    syncSource: stat.syncSource ?? null,
    isTrunkServer: stat.isTrunkServer,
    connections: statistics.connections.current,
    uploads: statistics.uploads.success,
    downloads: statistics.downloads.success,
    deletes: statistics.deletes.success,
    lastHeartBeatAt: statistics.lastHeartBeatTime,
    lastSourceUpdateAt: statistics.lastSourceUpdate,
    lastSyncedAt: statistics.lastSyncedTimestamp,
  };
}

function trackerValue(one: TrackerStatus): unknown {
  return {
    tracker: formatEndpoint(one.tracker),
    reachable: one.reachable,
    roundTripMs: one.roundTripMs ?? null,
    leader: one.leader ?? null,
    problem: one.problem ?? null,
  };
}

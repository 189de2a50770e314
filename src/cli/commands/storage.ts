/** `cairn storage remove` and `cairn storage trunk-server`: what operators change in a group. */
import { AppError } from "#base/app-error.ts";
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import { usageError } from "#cli/parse-arguments.ts";
import { type Column, renderTable } from "#cli/render/table.ts";
import type { Removal } from "#client/cluster-changes.ts";
import type { StorageStat } from "#client/cluster-queries.ts";
import { formatEndpoint } from "#model/endpoint.ts";
import { isStorageId, type StorageId } from "#model/storage-id.ts";
import { storageStatus, storageStatusCaption } from "#model/storage-status.ts";

export const storageRemoveCommand: Command = {
  name: "storage remove",
  summary: "take a storage that will not come back out of its group",
  description: [
    "Tells every tracker that the storage is gone for good: new members do not wait for it any more, and the others keep nothing for it. Its disks are not touched; if it is started again it joins as a new member and is filled by the others.",
    "Only a storage that does not run can be removed: stop it first. Files that it alone had are lost to the group, so bring it back if you can, and look with cairn ls storages whether another one is ACTIVE.",
    "Asks first on a terminal; elsewhere --yes is needed. The exit code is 69 where a tracker could not be told: repeat it when that one is back.",
  ],
  positionals: [
    { name: "GROUP", says: "the group", required: true },
    { name: "STORAGE", says: "the storage's id, as cairn ls storages shows it", required: true },
  ],
  options: [],
  shared: ["json", "yes", "tracker", "config"],
  examples: [{ line: "cairn storage remove group1 10.0.0.7", says: "asks first" }],
  run: remove,
};

export const storageTrunkServerCommand: Command = {
  name: "storage trunk-server",
  summary: "say which storage of a group gives out the space in trunk files",
  description: [
    "Without a storage: the one that it is, or that the leading tracker chooses where there is none. With one, that becomes it; another one that runs has to be stopped first. Groups of Cairn storages alone need none, since each of them packs into trunk files of its own.",
  ],
  positionals: [
    { name: "GROUP", says: "the group", required: true },
    { name: "STORAGE", says: "the storage's id, as cairn ls storages shows it", required: false },
  ],
  options: [],
  shared: ["json", "tracker", "config"],
  examples: [{ line: "cairn storage trunk-server group1", says: "who it is" }],
  run: async (context) => {
    const { output, signal } = context;
    const [group = "", id] = context.arguments.positionals;
    const wanted = id === undefined ? undefined : idOf(id);
    const trunkServer = await context.client().setTrunkServer(group, wanted, { signal });
    if (output.json) await output.value({ group, trunkServer });
    else await output.lines([trunkServer]);
    return undefined;
  },
};

async function remove(context: CommandContext): Promise<number | undefined> {
  const { output, signal } = context;
  const [group = "", text = ""] = context.arguments.positionals;
  const id = idOf(text);
  const storages = await context.client().listStorages(group, { signal });
  const doomed = storages.find((storage) => storage.id === id);
  if (doomed === undefined) {
    const known = storages.map((storage) => storage.id).join(" ");
    throw new AppError("no-storage", `${group} has no storage ${id}; it has ${known || "none"}`);
  }
  if (!(await context.confirm(question(group, doomed, storages)))) return exitCodes.failure.code;
  const removals = await context.client().removeStorage(group, id, { signal });
  if (output.json) await output.value({ group, storage: id, trackers: removals.map(removalValue) });
  else await output.lines(renderTable(removals, columns));
  if (removals.some(({ outcome }) => outcome === "in-service")) return exitCodes.failure.code;
  if (removals.some(({ outcome }) => outcome === "failed")) return exitCodes.unavailable.code;
  return undefined;
}

/** With what the person should know before saying yes. */
function question(group: string, doomed: StorageStat, storages: readonly StorageStat[]): string {
  const others = storages.filter(
    (storage) => storage.id !== doomed.id && storage.status === storageStatus.active,
  );
  const status = storageStatusCaption(doomed.status);
  const left =
    others.length === 0
      ? "No other storage of the group is ACTIVE: what is on it alone is lost to the group."
      : `${others.length} other ${others.length === 1 ? "storage stays" : "storages stay"} ACTIVE.`;
  return `${doomed.id} is ${status}. ${left} Remove it from ${group}?`;
}

function idOf(text: string): StorageId {
  if (!isStorageId(text))
    throw usageError(`"${text}" is no id of a storage: see cairn ls storages`);
  return text;
}

const words: Readonly<Record<Removal["outcome"], string>> = {
  removed: "removed",
  gone: "was removed before",
  unknown: "not known there",
  "in-service": "refused",
  failed: "not told",
};

const columns: readonly Column<Removal>[] = [
  { heading: "TRACKER", text: ({ tracker }) => formatEndpoint(tracker) },
  { heading: "STORAGE", text: ({ outcome }) => words[outcome] },
  { heading: "PROBLEM", text: ({ problem }) => problem ?? "" },
];

function removalValue({ tracker, outcome, problem }: Removal): unknown {
  return { tracker: formatEndpoint(tracker), outcome, problem: problem ?? null };
}

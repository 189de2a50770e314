/**
 * What is said before a join (protocol §6.5 step 1, §2.4/60, 75, 69, 70, 78, 71): under which address and id a tracker knows us, the
 * cluster's settings, and that our address has changed since the last run. Main thread.
 */
import { AppError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { isIpAddress, isIpv4 } from "#model/ip-address.ts";
import { ipv6ShortCode } from "#model/ipv6-short-code.ts";
import { isStorageId, StorageId } from "#model/storage-id.ts";
import type { StorageIdEntry } from "#model/storage-id-line.ts";
import { type StorageStatus, storageStatus } from "#model/storage-status.ts";
import type { FrameClient } from "#net/frame-client.ts";
import { trackerLookups } from "#protocol/fastdfs/tracker-lookups.ts";
import { reportIpChanged } from "#protocol/fastdfs/tracker-reports.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { type ClusterParameters, readParameters } from "#storage/cluster-view.ts";
import type { GroupPart } from "#storage/group-part.ts";
import { type RefusedStorage, refusalInWords } from "#storage/join-refusal.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";

const maxIdPages = 64;

export interface IntroductionParts {
  readonly settings: StorageSettings;
  readonly log: Log;
  readonly group: GroupPart;
  readonly port: () => number;
}

export interface Introduction {
  readonly parameters: ClusterParameters;
  /** What this tracker calls us; undefined where it knows no address of ours. */
  readonly ownId: StorageId | undefined;
}

/** Learns what this tracker has to say; rejects where the connection fails or the tracker refuses. */
export async function introduce(
  client: FrameClient,
  parts: IntroductionParts,
): Promise<Introduction> {
  const { settings, group } = parts;
  const { view } = group;
  const own = await client.call(trackerLookups.getMyIp, {
    group: settings.group,
    port: parts.port(),
  });
  const seen = own.addresses[0];
  if (seen !== undefined) view.learnAddress(seen);
  const { parameters: lines } = await client.call(trackerLookups.requestParameters, undefined);
  const parameters = readParameters(lines);
  requireIds(parts, parameters);
  view.learnParameters(parameters);
  if (parameters.usesStorageIds) {
    const ids = await fetchIds(client);
    view.learnIds(ids, await askOwnId(client, parts, { seen, ids }));
  } else {
    view.learnIds([], undefined);
  }
  if (seen !== undefined && isIpAddress(seen)) await noteAddress(client, parts, seen);
  await noteRemoval(client, parts);
  return { parameters, ownId: view.ownId ?? idOfAddress(seen) };
}

/** Two storages at one address are one to a tracker that has no ids for them, and C has one port a group unless ids are in file names. */
function requireIds({ settings, port }: IntroductionParts, learnt: ClusterParameters): void {
  const { sharesAddress = false } = settings;
  if (!sharesAddress || (learnt.usesStorageIds && learnt.idsInFilenames)) return;
  throw new AppError(
    "mirror-needs-ids",
    `this tracker cannot tell the halves of a mirror apart: give it storage ids with a line for each half (this one has port ${port()}) and id_type_in_filename = id, at every tracker of the cluster`,
  );
}

/** The whole table of storage ids, page by page. */
export async function fetchIds(client: FrameClient): Promise<readonly StorageIdEntry[]> {
  const entries: StorageIdEntry[] = [];
  for (let page = 0; page < maxIdPages; page += 1) {
    const request = { startIndex: entries.length, allowEmpty: true };
    const found = await client.call(trackerLookups.fetchStorageIds, request);
    entries.push(...found.entries);
    if (entries.length >= found.totalCount || found.entries.length === 0) break;
  }
  return entries;
}

function idOfAddress(address: string | undefined): StorageId | undefined {
  if (address === undefined || !isIpAddress(address)) return undefined;
  return isIpv4(address) ? StorageId(address) : ipv6ShortCode(address);
}

async function askOwnId(
  client: FrameClient,
  { settings, port }: IntroductionParts,
  { seen, ids }: { readonly seen: string | undefined; readonly ids: readonly StorageIdEntry[] },
): Promise<StorageId | undefined> {
  const { serverId, group } = settings;
  if (isStorageId(serverId)) return serverId;
  const server = { address: seen ?? settings.address, port: port() };
  const asking = client.call(trackerLookups.getStorageId, { group, server });
  const { id } = await explained(asking, { group, ...server, serverId }, ids);
  return id;
}

/** What a tracker says to this storage; a refusal says why. */
export async function explained<Reply>(
  answer: Promise<Reply>,
  storage: RefusedStorage,
  ids: readonly StorageIdEntry[] | undefined,
): Promise<Reply> {
  try {
    return await answer;
  } catch (error) {
    const status = error instanceof WireStatusError ? error.status : wireStatus.ok;
    const words = refusalInWords(status, storage, ids);
    if (words === undefined) throw error;
    throw new WireStatusError(status, words);
  }
}

/** Answers that mean: this tracker has heard it before, or never knew us at the old address. */
const settledAnswers: readonly number[] = [
  wireStatus.alreadyDone,
  wireStatus.exists,
  wireStatus.notFound,
  wireStatus.notSupported,
];

/** Without storage ids an address is who we are: a change is told to each tracker before it is joined. */
async function noteAddress(
  client: FrameClient,
  { settings, log, group }: IntroductionParts,
  seen: string,
): Promise<void> {
  const { membership, view } = group;
  const { parameters } = view;
  const before = membership.learnOwnAddress(seen);
  view.learnOwnAddresses(membership.facts.ownAddresses);
  if (before === undefined || parameters.usesStorageIds || !parameters.adjustsAddresses) return;
  try {
    await client.call(reportIpChanged, {
      group: settings.group,
      oldAddress: before,
      newAddress: seen,
    });
    log.notice("address-change-reported", { from: before, to: seen });
  } catch (error) {
    if (error instanceof WireStatusError && settledAnswers.includes(error.status)) return;
    throw error;
  }
}

/** A storage that was deleted, and is started again, is new: what it has may be outdated. */
async function noteRemoval(
  client: FrameClient,
  { settings, log, group, port }: IntroductionParts,
): Promise<void> {
  const server = { address: group.view.ownAddress, port: port() };
  let here: StorageStatus | undefined;
  try {
    const request = { group: settings.group, server };
    here = (await client.call(trackerLookups.getStorageStatus, request)).status;
  } catch (error) {
    // It does not know us, or is too old for the question.
    if (!(error instanceof WireStatusError)) throw error;
  }
  const { settled } = group.membership.own;
  // Trackers forget at a restart whom they had deleted, and take for whole whom they do not know and who says so: the others are asked.
  const isDoubtful = here === undefined && settled;
  if (here !== storageStatus.deleted && !isDoubtful) return;
  // Another tracker may know better: one that was away while we were deleted does not count against those that were not.
  const highest = (await group.highestStatus()) ?? here;
  if (highest !== storageStatus.deleted) return;
  if (!group.view.parameters.cairn) group.waitUntilForgotten();
  if (!settled) return;
  log.warn("deleted-from-cluster", { group: settings.group });
  group.membership.apply({ name: "removed" });
}

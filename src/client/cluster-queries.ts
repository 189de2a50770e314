/** What monitors ask: groups, storages, trackers, and where a file is. */
import { describeError } from "#base/app-error.ts";
import type { ClientParts } from "#client/client-parts.ts";
import { clientError } from "#client/errors.ts";
import { call } from "#client/exchange.ts";
import { failureOf, why } from "#client/failures.ts";
import type { KnownFile } from "#client/file-names.ts";
import { type Endpoint, formatEndpoint } from "#model/endpoint.ts";
import { activeTest } from "#protocol/fastdfs/common.ts";
import type { GroupStat, StorageStat } from "#protocol/fastdfs/monitoring.ts";
import { getLeader, listGroups, listStorages } from "#protocol/fastdfs/tracker-admin.ts";
import {
  queryFetchAll,
  queryStoreAll,
  queryStoreAllInGroup,
} from "#protocol/fastdfs/tracker-queries.ts";
import { wireStatus } from "#protocol/wire-status.ts";

export type { GroupStat, StorageStat };

export interface TrackerStatus {
  readonly tracker: Endpoint;
  readonly reachable: boolean;
  /** Of one small exchange over an open connection; undefined when not reachable. */
  readonly roundTripMs: number | undefined;
  /** `address:port` of the tracker that this one takes for the leader; undefined when it names none. */
  readonly leader: string | undefined;
  /** Why it is not reachable, in words. */
  readonly problem: string | undefined;
}

export async function groupsOf(
  parts: ClientParts,
  signal: AbortSignal | undefined,
): Promise<readonly GroupStat[]> {
  try {
    return (await parts.trackers.ask(listGroups, undefined, signal)).groups;
  } catch (error) {
    throw describeRefusal(error, "list the groups");
  }
}

/** Rejects with `no-storage` for a group that no tracker knows. */
export async function storagesOf(
  parts: ClientParts,
  group: string,
  signal: AbortSignal | undefined,
): Promise<readonly StorageStat[]> {
  try {
    return (await parts.trackers.ask(listStorages, { group, id: undefined }, signal)).storages;
  } catch (error) {
    const failure = failureOf(error);
    if (failure?.kind === "status" && failure.status === wireStatus.notFound) {
      throw clientError("no-storage", `the tracker knows no group ${group}: see cairn ls groups`, {
        cause: error,
      });
    }
    throw describeRefusal(error, `list the storages of ${group}`);
  }
}

/** Every storage of a group, or of one that the tracker chooses, that takes new files now. */
export async function writersOf(
  parts: ClientParts,
  group: string | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly Endpoint[]> {
  try {
    const found =
      group === undefined
        ? await parts.trackers.ask(queryStoreAll, undefined, signal)
        : await parts.trackers.ask(queryStoreAllInGroup, { group }, signal);
    return found.servers.map(({ address, port }) => ({ address, port }));
  } catch (error) {
    const failure = failureOf(error);
    if (failure?.kind === "status" && failure.status === wireStatus.notFound) {
      const where = group === undefined ? "" : ` in ${group}`;
      throw clientError("no-storage", `the tracker names no storage for new files${where}`, {
        cause: error,
      });
    }
    throw describeRefusal(error, "find storages for new files");
  }
}

/** Every storage that may serve the file. */
export async function locationsOf(
  parts: ClientParts,
  file: KnownFile,
  signal: AbortSignal | undefined,
): Promise<readonly Endpoint[]> {
  const { group, filename } = file;
  try {
    const found = await parts.trackers.ask(queryFetchAll, { group, filename }, signal);
    return found.servers.map(({ address, port }) => ({ address, port }));
  } catch (error) {
    const failure = failureOf(error);
    if (failure?.kind === "status" && failure.status === wireStatus.notFound) {
      throw clientError("no-storage", `the tracker names no storage for ${file.fileId}`, {
        cause: error,
      });
    }
    throw describeRefusal(error, `find the storages of ${file.fileId}`);
  }
}

/** Each tracker asked by itself, all at the same time, in the order given. Never rejects for a tracker's sake. */
export async function statusOfTrackers(
  parts: ClientParts,
  signal: AbortSignal | undefined,
): Promise<readonly TrackerStatus[]> {
  return await Promise.all(
    parts.trackers.trackers.map((tracker) => statusOfTracker(parts, tracker, signal)),
  );
}

async function statusOfTracker(
  parts: ClientParts,
  tracker: Endpoint,
  signal: AbortSignal | undefined,
): Promise<TrackerStatus> {
  const { pool, clock } = parts;
  const test = { message: activeTest, request: undefined, signal, repeatable: true };
  try {
    await call(pool, tracker, test);
    const begun = clock.monotonicMs();
    await call(pool, tracker, test);
    const roundTripMs = clock.monotonicMs() - begun;
    return {
      tracker,
      reachable: true,
      roundTripMs,
      leader: await leaderBy(parts, tracker, signal),
      problem: undefined,
    };
  } catch (error) {
    signal?.throwIfAborted();
    return {
      tracker,
      reachable: false,
      roundTripMs: undefined,
      leader: undefined,
      problem: why(error),
    };
  }
}

/** Trackers before 6.15.5 do not know the question. */
async function leaderBy(
  parts: ClientParts,
  tracker: Endpoint,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    const { leader } = await call(parts.pool, tracker, {
      message: getLeader,
      request: undefined,
      signal,
      repeatable: true,
    });
    return formatEndpoint(leader);
  } catch (error) {
    if (failureOf(error)?.kind !== "status") throw error;
    return undefined;
  }
}

function describeRefusal(error: unknown, action: string): unknown {
  const failure = failureOf(error);
  if (failure?.kind !== "status") return error;
  return clientError("server-failed", `cannot ${action}: ${describeError(error)}`, {
    cause: error,
    details: { status: failure.status },
  });
}

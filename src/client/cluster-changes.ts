/** What operators change in a cluster: a storage that leaves its group, and who serves trunk files. */
import type { ClientParts } from "#client/client-parts.ts";
import { clientError } from "#client/errors.ts";
import { call } from "#client/exchange.ts";
import { failureOf, why } from "#client/failures.ts";
import { type Endpoint, formatEndpoint } from "#model/endpoint.ts";
import type { StorageId } from "#model/storage-id.ts";
import { deleteStorage, setTrunkServer } from "#protocol/fastdfs/tracker-admin.ts";
import { wireStatus } from "#protocol/wire-status.ts";

export interface GroupMember {
  readonly group: string;
  readonly id: StorageId;
}

/** What one tracker did about a storage that is to leave. */
export interface Removal {
  readonly tracker: Endpoint;
  readonly outcome:
    | "removed"
    /** It was deleted before. */
    | "gone"
    /** This tracker does not know it. */
    | "unknown"
    /** It runs. */
    | "in-service"
    /** The tracker could not be asked, or failed. */
    | "failed";
  /** In words, where it is neither removed nor gone. */
  readonly problem: string | undefined;
}

/**
 * Takes a storage that does not run out of its group, at every tracker, since each keeps a list of its own (protocol §2.3/93). Resolves
 * with what each of them did; does not reject for a tracker's sake.
 */
export async function removeStorage(
  parts: ClientParts,
  member: GroupMember,
  signal: AbortSignal | undefined,
): Promise<readonly Removal[]> {
  const { trackers } = parts.trackers;
  return await Promise.all(trackers.map((tracker) => removeAt(parts, { tracker, member, signal })));
}

async function removeAt(
  { pool }: ClientParts,
  how: {
    readonly tracker: Endpoint;
    readonly member: GroupMember;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Removal> {
  const { tracker, member: request, signal } = how;
  try {
    await call(pool, tracker, { message: deleteStorage, request, signal, repeatable: true });
    return { tracker, outcome: "removed", problem: undefined };
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    const status = failure.kind === "status" ? failure.status : undefined;
    if (status === wireStatus.alreadyDone) return { tracker, outcome: "gone", problem: undefined };
    if (status === wireStatus.notFound) {
      const problem = `knows no storage ${request.id} in ${request.group}`;
      return { tracker, outcome: "unknown", problem };
    }
    if (status === wireStatus.busy) {
      return { tracker, outcome: "in-service", problem: "has it in service: stop it first" };
    }
    return { tracker, outcome: "failed", problem: why(error) };
  }
}

/**
 * Makes a storage the trunk server of its group, or, without `id`, has the leading tracker choose one where there is none (protocol
 * §2.3/94). Resolves to who it is. Rejects with `refused`, `not-allowed`, `no-storage` or `trackers-unreachable`.
 */
export async function chooseTrunkServer(
  parts: ClientParts,
  { group, id }: { readonly group: string; readonly id: StorageId | undefined },
  signal: AbortSignal | undefined,
): Promise<StorageId> {
  let refusal: unknown;
  const troubles: string[] = [];
  for (const tracker of parts.trackers.trackers) {
    const request = { group, id };
    try {
      const message = { message: setTrunkServer, request, signal, repeatable: true };
      return (await call(parts.pool, tracker, message)).id;
    } catch (error) {
      const failure = failureOf(error);
      if (failure === undefined) throw error;
      troubles.push(`${formatEndpoint(tracker)}: ${why(error)}`);
      if (failure.kind !== "status") continue;
      if (failure.status === wireStatus.alreadyDone && id !== undefined) return id;
      // Whoever does not lead says that it does not do this.
      if (failure.status !== wireStatus.notSupported)
        refusal ??= trunkRefusal(failure.status, error);
    }
  }
  if (refusal !== undefined) throw refusal;
  const message = `no tracker that leads the others chooses trunk servers (${troubles.join("; ")}): tracker.trunk.enabled may be off`;
  throw clientError("refused", message);
}

function trunkRefusal(status: number, cause: unknown): unknown {
  switch (status) {
    case wireStatus.notFound:
      return clientError("no-storage", "no such group or storage: see cairn ls storages", {
        cause,
      });
    case wireStatus.exists:
      return clientError("refused", "another storage is the trunk server and runs: stop it first", {
        cause,
      });
    case wireStatus.notOnNetwork:
      return clientError("refused", "that storage is not ACTIVE: see cairn ls storages", { cause });
    case wireStatus.accessDenied:
      return clientError("not-allowed", "that storage is set to take no changes", { cause });
    default:
      return clientError("server-failed", why(cause), { cause });
  }
}

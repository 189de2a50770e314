/**
 * A node that begins on a new card becomes the one whose disks it sees: the newest whole copy of that node's state is put beside its own, and
 * the next start puts it in its place. A crash in between is no harm: what is there is taken up again, or was not there. Main thread.
 */
import { posix } from "node:path";
import { AppError, describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { identityFilename, parseIdentity } from "#daemon/node-identity.ts";
import { formatStateCopy, parseStateCopy, type StateCopy } from "#disks/state-copy.ts";
import type { NodeId } from "#model/node-id.ts";
import type { Host } from "#platform/host.ts";
import { stateFilename } from "#state/state-database.ts";

/** Whole, or not there. */
const waitingFilename = "restore.copy";
const incomingFilename = "restore.incoming";

export interface StateSource {
  /** For people, and for the log. */
  readonly place: string;
  /** Puts the disk's copy there. */
  copyTo(path: string): Promise<void>;
}

/** Finds the newest good copy of that node; it counts from the next start on. Rejects with `AppError("state-copy-missing")`. */
export async function stageRestore(
  sources: readonly StateSource[],
  nodeId: NodeId,
  world: { readonly host: Host; readonly dataDirectory: string; readonly log: Log },
): Promise<StateCopy> {
  const { host, dataDirectory, log } = world;
  const incoming = posix.join(dataDirectory, incomingFilename);
  let best: StateCopy | undefined;
  const problems: string[] = [];
  for (const { place, copyTo } of sources) {
    try {
      await copyTo(incoming);
      const copy = parseStateCopy(host.readBytes(incoming) ?? new Uint8Array());
      requireOf(copy, nodeId);
      if (best === undefined || copy.sequence > best.sequence) best = copy;
    } catch (error) {
      problems.push(`${place}: ${describeError(error)}`);
      log.warn("state-copy-unusable", { place, why: describeError(error) });
    } finally {
      host.removeFile(incoming);
    }
  }
  if (best === undefined) {
    throw new AppError(
      "state-copy-missing",
      `none of the disks has a good copy of that node's state (${problems.join("; ")}): adopt them one by one instead, with "cairn disk adopt"`,
    );
  }
  host.replaceFile(posix.join(dataDirectory, waitingFilename), formatStateCopy(best));
  return best;
}

/** At the start, before state and identity are opened: what waits takes their place. */
export function finishRestore(host: Host, dataDirectory: string, log: Log): void {
  const waiting = posix.join(dataDirectory, waitingFilename);
  const bytes = host.readBytes(waiting);
  if (bytes === undefined) return;
  const { nodeId, sequence, writtenAt, identity, state } = parseStateCopy(bytes);
  const database = posix.join(dataDirectory, stateFilename);
  // What a write-ahead log has belongs to the database that goes.
  for (const path of [database, `${database}-wal`, `${database}-shm`]) host.removeFile(path);
  host.replaceFile(database, state);
  host.replaceFile(posix.join(dataDirectory, identityFilename), identity);
  host.removeFile(waiting);
  log.notice("state-restored", { node: nodeId, sequence, writtenAt });
}

function requireOf({ nodeId, identity }: StateCopy, wanted: NodeId): void {
  if (nodeId === wanted && parseIdentity(identity)?.id === wanted) return;
  throw new AppError("state-copy-foreign", `it is a copy of node ${nodeId}`);
}

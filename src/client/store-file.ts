/**
 * Storing a file, on another storage where the first one fails. A storage keeps a file only when it got every byte that the
 * request announced, and its name is known by its answer alone. So as long as the last byte was not handed over, or a clear
 * refusal came, nothing was stored and the next storage may be asked. When the connection breaks after the last byte, the
 * file may be there under a name that nobody knows: trying again could store it twice, so the caller is told instead.
 */
import { describeError } from "#base/app-error.ts";
import type { ClientParts } from "#client/client-parts.ts";
import { type Content, Outgoing } from "#client/content.ts";
import { clientError } from "#client/errors.ts";
import { attempt, type Outcome } from "#client/exchange.ts";
import { describeFailure, type Failure, failureOf, outcomeUnknown } from "#client/failures.ts";
import { type Endpoint, formatEndpoint } from "#model/endpoint.ts";
import { anyStorePath } from "#model/store-path-index.ts";
import {
  type StoredFile,
  uploadAppenderFile,
  uploadFile,
} from "#protocol/fastdfs/storage-files.ts";
import {
  queryStore,
  queryStoreAll,
  queryStoreAllInGroup,
  queryStoreInGroup,
} from "#protocol/fastdfs/tracker-queries.ts";
import { wireStatus } from "#protocol/wire-status.ts";

export interface StoreJob {
  readonly content: Content;
  /** Without dot, at most 6 characters. */
  readonly extension: string;
  readonly appender: boolean;
  /** Undefined lets the tracker choose. */
  readonly group: string | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface StoredAt {
  readonly file: StoredFile;
  readonly server: Endpoint;
}

interface StoreTarget extends Endpoint {
  readonly storePathIndex: number;
}

/** Rejects with `AppError<ClientErrorCode>`. */
export async function storeFile(parts: ClientParts, job: StoreJob): Promise<StoredAt> {
  const outgoing = new Outgoing(job.content);
  const action = job.appender ? "store an appender file" : "store a file";
  let last: unknown;
  for await (const server of storeTargets(parts, job)) {
    const outcome = await storeAt(parts, server, { job, outgoing });
    if (outcome.ok) return { file: outcome.value, server };
    const { error } = outcome;
    const where = { action, server };
    const failure = failureOf(error);
    if (failure === undefined) throw describeFailure(error, where);
    if (failure.kind === "broken" && outgoing.complete) {
      throw outcomeUnknown(
        error,
        where,
        "the file may be stored under an id that nobody knows; store it again if a copy too many does no harm",
      );
    }
    last = describeFailure(error, where);
    if (!outgoing.repeatable || isFinal(failure)) break;
    parts.log.debug("upload-goes-elsewhere", {
      storage: formatEndpoint(server),
      why: describeError(error),
    });
  }
  throw last;
}

/** One storage; a second time over a fresh connection where the pooled one was dead. */
async function storeAt(
  parts: ClientParts,
  target: StoreTarget,
  what: { readonly job: StoreJob; readonly outgoing: Outgoing },
): Promise<Outcome<StoredFile>> {
  const { outgoing } = what;
  const first = await storeOnce(parts, target, { ...what, fresh: false });
  if (first.ok || !first.reused || failureOf(first.error)?.kind !== "broken") return first;
  if (outgoing.complete || !outgoing.repeatable) return first;
  parts.pool.forget(target);
  return await storeOnce(parts, target, { ...what, fresh: true });
}

function storeOnce(
  parts: ClientParts,
  target: StoreTarget,
  what: { readonly job: StoreJob; readonly outgoing: Outgoing; readonly fresh: boolean },
): Promise<Outcome<StoredFile>> {
  const { job, outgoing, fresh } = what;
  const request = {
    storePathIndex: target.storePathIndex,
    fileSize: outgoing.length,
    extension: job.extension,
  };
  return attempt(parts.pool, target, {
    signal: job.signal,
    fresh,
    use: (client) => {
      const source = outgoing.begin(() => {
        client.timeoutMs = flushTimeoutMs(parts, outgoing.length);
      });
      return client.upload(job.appender ? uploadAppenderFile : uploadFile, request, source);
    },
  });
}

/** How long a server may take to answer after the last of `length` bytes. */
export function flushTimeoutMs(parts: ClientParts, length: number): number {
  return parts.limits.networkTimeoutMs + Math.ceil(length / parts.limits.flushBytesPerMs);
}

/** Every storage would refuse what is malformed. */
function isFinal(failure: Failure): boolean {
  return failure.kind === "status" && failure.status === wireStatus.invalid;
}

/** The tracker's choice first, then the other storages of that group, which choose a store path themselves. */
async function* storeTargets(
  parts: ClientParts,
  job: StoreJob,
): AsyncGenerator<StoreTarget, void, void> {
  const { limits } = parts;
  const tried = new Set<string>();
  const first = await askWhere(parts, job);
  tried.add(formatEndpoint(first));
  yield first;
  while (tried.size < limits.maxUploadTargets) {
    const others = await othersOf(parts, { group: first.group, tried, signal: job.signal });
    const next = others[0] ?? (await otherGroup(parts, job, tried));
    if (next === undefined) return;
    tried.add(formatEndpoint(next));
    yield next;
  }
}

async function askWhere(
  parts: ClientParts,
  job: StoreJob,
): Promise<StoreTarget & { readonly group: string }> {
  const { group, signal } = job;
  try {
    return group === undefined
      ? await parts.trackers.ask(queryStore, undefined, signal)
      : await parts.trackers.ask(queryStoreInGroup, { group }, signal);
  } catch (error) {
    throw describeNoTarget(error, group);
  }
}

/** The error for a tracker that names no storage for an upload. */
function describeNoTarget(error: unknown, group: string | undefined): unknown {
  const failure = failureOf(error);
  if (failure?.kind !== "status") return error;
  const where = group === undefined ? "" : ` in group ${group}`;
  if (failure.status === wireStatus.noSpace) {
    return clientError("no-space", `no storage${where} has room: delete files or add disks`, {
      cause: error,
    });
  }
  const advice =
    group === undefined
      ? "check that a storage runs and is ACTIVE (cairn ls storages)"
      : "check the group's name and that one of its storages is ACTIVE (cairn ls)";
  return clientError(
    "no-storage",
    `the tracker names no storage${where} that takes files (status ${failure.status}): ${advice}`,
    { cause: error, details: { status: failure.status } },
  );
}

async function othersOf(
  parts: ClientParts,
  search: {
    readonly group: string;
    readonly tried: ReadonlySet<string>;
    readonly signal: AbortSignal | undefined;
  },
): Promise<readonly StoreTarget[]> {
  const { group, tried, signal } = search;
  try {
    const found = await parts.trackers.ask(queryStoreAllInGroup, { group }, signal);
    return found.servers
      .filter((server) => !tried.has(formatEndpoint(server)))
      .map((server) => ({ ...server, storePathIndex: anyStorePath }));
  } catch (error) {
    signal?.throwIfAborted();
    parts.log.debug("no-other-storages", { group, why: describeError(error) });
    return [];
  }
}

/** Trackers that go through the groups in turn may name another one now. */
async function otherGroup(
  parts: ClientParts,
  job: StoreJob,
  tried: ReadonlySet<string>,
): Promise<StoreTarget | undefined> {
  if (job.group !== undefined) return undefined;
  try {
    const found = await parts.trackers.ask(queryStoreAll, undefined, job.signal);
    const server = found.servers.find((one) => !tried.has(formatEndpoint(one)));
    return server === undefined ? undefined : { ...server, storePathIndex: anyStorePath };
  } catch (error) {
    job.signal?.throwIfAborted();
    parts.log.debug("no-other-group", { why: describeError(error) });
    return undefined;
  }
}

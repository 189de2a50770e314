/** Where a file can be read, asked of the tracker step by step: mostly the first answer is enough. */
import { describeError } from "#base/app-error.ts";
import type { ClientParts } from "#client/client-parts.ts";
import { clientError } from "#client/errors.ts";
import { describeFailure, failureOf } from "#client/failures.ts";
import { type Endpoint, formatEndpoint } from "#model/endpoint.ts";
import {
  type FileQuery,
  queryFetch,
  queryFetchAll,
  queryUpdate,
} from "#protocol/fastdfs/tracker-queries.ts";
import { wireStatus } from "#protocol/wire-status.ts";

export interface FileOfGroup {
  readonly group: string;
  /** Logical name without group. */
  readonly filename: string;
}

export type FirstAsk = "any-replica" | "source";

interface ReadOptions {
  readonly signal: AbortSignal | undefined;
  /** Whom to ask first: any storage that has the file, or the one that took its changes. */
  readonly first: FirstAsk;
}

/** Storages that may have the file, none twice: the tracker's choice, all others that it knows of, the source. */
export async function* readTargets(
  parts: ClientParts,
  file: FileOfGroup,
  options: ReadOptions,
): AsyncGenerator<Endpoint, void, void> {
  const { signal, first } = options;
  const { trackers, limits, log } = parts;
  const query: FileQuery = { group: file.group, filename: file.filename };
  const tried = new Set<string>();
  const isNew = (server: Endpoint): boolean => {
    const key = formatEndpoint(server);
    if (tried.has(key) || tried.size >= limits.maxReadTargets) return false;
    tried.add(key);
    return true;
  };
  const chosen = await askFirst(parts, query, options);
  if (isNew(chosen)) yield chosen;
  const more = [
    async () => (await trackers.ask(queryFetchAll, query, signal)).servers,
    async () => [await trackers.ask(first === "source" ? queryFetch : queryUpdate, query, signal)],
  ];
  for (const ask of more) {
    let servers: readonly Endpoint[] = [];
    try {
      servers = await ask();
    } catch (error) {
      signal?.throwIfAborted();
      log.debug("no-other-readers", { group: file.group, why: describeError(error) });
    }
    for (const { address, port } of servers) {
      if (isNew({ address, port })) yield { address, port };
    }
  }
}

async function askFirst(
  parts: ClientParts,
  query: FileQuery,
  options: ReadOptions,
): Promise<Endpoint> {
  const message = options.first === "source" ? queryUpdate : queryFetch;
  try {
    const { address, port } = await parts.trackers.ask(message, query, options.signal);
    return { address, port };
  } catch (error) {
    throw describeNoServer(error, query);
  }
}

/** The storage that is to change a file, as the tracker says. Rejects with `no-storage` or `trackers-unreachable`. */
export async function updateTarget(
  parts: ClientParts,
  file: FileOfGroup,
  signal: AbortSignal | undefined,
): Promise<Endpoint> {
  const query = { group: file.group, filename: file.filename };
  return await askFirst(parts, query, { signal, first: "source" });
}

function describeNoServer(error: unknown, query: FileQuery): unknown {
  const failure = failureOf(error);
  if (failure?.kind !== "status") return error;
  if (failure.status === wireStatus.invalid) {
    return clientError(
      "file-id-invalid",
      `the tracker takes "${query.filename}" for no file name`,
      {
        cause: error,
      },
    );
  }
  return clientError(
    "no-storage",
    `the tracker names no storage for files of group ${query.group} (status ${failure.status}): check the group's name and that one of its storages is ACTIVE (cairn ls)`,
    { cause: error, details: { status: failure.status } },
  );
}

/**
 * Runs `use` on one storage after the other until one succeeds. What `stops` calls final ends it. That a storage does not have
 * the file is the answer only when every other one said the same: the one that cannot be reached may have it.
 */
export async function readAnywhere<T>(
  parts: ClientParts,
  file: FileOfGroup,
  reading: ReadOptions & {
    readonly action: string;
    readonly use: (server: Endpoint) => Promise<T>;
    readonly stops?: (status: number) => boolean;
  },
): Promise<T> {
  const { action, use } = reading;
  let missing: unknown;
  let worse: unknown;
  for await (const server of readTargets(parts, file, reading)) {
    try {
      return await use(server);
    } catch (error) {
      const failure = failureOf(error);
      const described = describeFailure(error, { action, server });
      if (failure === undefined) throw described;
      if (failure.kind === "status" && reading.stops?.(failure.status) === true) throw described;
      if (failure.kind === "status" && failure.status === wireStatus.notFound)
        missing ??= described;
      else worse ??= described;
      parts.log.debug("read-goes-elsewhere", {
        storage: formatEndpoint(server),
        why: describeError(error),
      });
    }
  }
  throw worse ?? missing;
}

/**
 * Changing what is stored. The storage that the tracker names for changes is asked, and only that one, because two storages
 * that change one file at the same time end up with different files; deleting is the exception. Each function says what
 * happens when nobody knows whether the server did it.
 */
import { hasCode } from "#base/app-error.ts";
import type { ClientParts } from "#client/client-parts.ts";
import { type Content, Outgoing } from "#client/content.ts";
import { clientError } from "#client/errors.ts";
import { attempt, call } from "#client/exchange.ts";
import { describeFailure, failureOf, outcomeUnknown } from "#client/failures.ts";
import type { KnownFile } from "#client/file-names.ts";
import { readAnywhere, readTargets, updateTarget } from "#client/read-targets.ts";
import { flushTimeoutMs } from "#client/store-file.ts";
import { type Endpoint, formatEndpoint } from "#model/endpoint.ts";
import { formatMetadata, type MetadataEntry, parseMetadata } from "#model/file-metadata.ts";
import {
  appendFile,
  deleteFile,
  modifyFile,
  queryFileInfo,
  queryFileInfoFlags,
  regenerateAppenderFilename,
  type StoredFile,
  truncateFile,
  uploadSlaveFile,
} from "#protocol/fastdfs/storage-files.ts";
import { getMetadata, type MetadataMode, setMetadata } from "#protocol/fastdfs/storage-metadata.ts";
import type { Message } from "#protocol/message.ts";
import { wireStatus } from "#protocol/wire-status.ts";

export interface ChangeOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Deletes on the source, or on another storage of the group when that one cannot be reached: the deletion is replicated. A try
 * with unknown outcome is repeated, and "no such file" then means that it had worked. From others than the source it means little: a
 * tracker that has just started names one that has nothing yet, so that the next one is asked, as where one can do nothing just now.
 */
export async function removeFile(
  parts: ClientParts,
  file: KnownFile,
  { signal }: ChangeOptions,
): Promise<void> {
  const { group, filename } = file;
  const action = `delete ${file.fileId}`;
  let unreachable: unknown;
  let busy: unknown;
  let missing: unknown;
  /** What a try that may have worked failed with, and where. */
  let unknown: { readonly error: unknown; readonly server: Endpoint } | undefined;
  const failed = (error: unknown): unknown =>
    unknown === undefined
      ? error
      : outcomeUnknown(unknown.error, { action, server: unknown.server }, deleteAdvice);
  for await (const server of readTargets(parts, file, { signal, first: "source" })) {
    for (const fresh of [false, true]) {
      const outcome = await attempt(parts.pool, server, {
        signal,
        fresh,
        use: (client) => client.call(deleteFile, { group, filename }),
      });
      if (outcome.ok) return;
      const failure = failureOf(outcome.error);
      const described = describeFailure(outcome.error, { action, server });
      if (failure === undefined) throw described;
      if (failure.kind === "broken") {
        unknown ??= { error: outcome.error, server };
        parts.pool.forget(server);
        continue;
      }
      if (failure.kind === "unreachable") unreachable ??= described;
      else if (failure.status === wireStatus.tryAgain) busy ??= described;
      else if (failure.status !== wireStatus.notFound) throw failed(described);
      else {
        if (unknown !== undefined && isSameEndpoint(unknown.server, server)) return;
        missing ??= described;
        // A replica that does not have the file says nothing about the source that we could not reach.
        if (isSourceOf(file, server)) throw failed(unreachable ?? described);
      }
      break;
    }
  }
  throw failed(unreachable ?? busy ?? missing);
}

/** As far as the name tells: storages that share an address are one to it. */
function isSourceOf({ decoded: { source } }: KnownFile, server: Endpoint): boolean {
  return source.kind === "address" && source.address === server.address;
}

const deleteAdvice = "delete it again: no such file then means that it was done";

function isSameEndpoint(one: Endpoint, other: Endpoint): boolean {
  return one.address === other.address && one.port === other.port;
}

/** Repeating it changes nothing, so that an unknown outcome is tried again on the same storage. */
export async function writeMetadata(
  parts: ClientParts,
  file: KnownFile,
  change: {
    readonly entries: readonly MetadataEntry[];
    readonly mode: MetadataMode;
    readonly signal?: AbortSignal | undefined;
    /** Instead of the one that the tracker names. */
    readonly server?: Endpoint;
  },
): Promise<void> {
  const { signal, mode } = change;
  const server = change.server ?? (await updateTarget(parts, file, signal));
  const metadata = formatMetadata(change.entries);
  try {
    await call(parts.pool, server, {
      message: setMetadata,
      request: { group: file.group, filename: file.filename, mode, metadata },
      signal,
      repeatable: true,
      changes: true,
    });
  } catch (error) {
    const where = { action: `set metadata of ${file.fileId}`, server };
    throw outcomeUnknown(error, where, "set it again: twice does no harm");
  }
}

/** In the server's order, sorted by name. Undefined where the file has none, or is not there: servers do not tell which. */
export async function readMetadata(
  parts: ClientParts,
  file: KnownFile,
  { signal }: ChangeOptions,
): Promise<readonly MetadataEntry[] | undefined> {
  const { group, filename } = file;
  try {
    const reply = await readAnywhere(parts, file, {
      signal,
      first: "source",
      action: `read metadata of ${file.fileId}`,
      use: (server) =>
        call(parts.pool, server, {
          message: getMetadata,
          request: { group, filename },
          signal,
          repeatable: true,
        }),
      // The source knows first; asking replicas whether they lag behind is of no use.
      stops: (status) => status === wireStatus.notFound || status === wireStatus.invalid,
    });
    return parseMetadata(reply.metadata);
  } catch (error) {
    if (hasCode(error, "file-missing")) return undefined;
    throw error;
  }
}

/** Stores a slave: its name follows from master, prefix and extension, so that no second copy can come into being. */
export async function storeSlave(
  parts: ClientParts,
  master: KnownFile,
  slave: {
    readonly prefix: string;
    readonly extension: string;
    readonly content: Content;
    readonly signal: AbortSignal | undefined;
  },
): Promise<{ readonly file: StoredFile; readonly server: Endpoint }> {
  const { prefix, extension, signal } = slave;
  const outgoing = new Outgoing(slave.content);
  const server = await updateTarget(parts, master, signal);
  const file = await sendTo(parts, server, {
    message: uploadSlaveFile,
    request: {
      masterFilename: master.filename,
      fileSize: outgoing.length,
      prefix,
      extension,
    },
    outgoing,
    signal,
    action: `store a slave of ${master.fileId}`,
    advice: "storing it again answers file-exists when it was",
  });
  return { file, server };
}

/** Not repeated once all bytes were sent: they could be appended twice. */
export async function appendContent(
  parts: ClientParts,
  file: KnownFile,
  change: { readonly content: Content; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const { signal } = change;
  const outgoing = new Outgoing(change.content);
  // C answers an empty append with the request's own body (protocol §2.6/24).
  if (outgoing.length === 0) return;
  const server = await updateTarget(parts, file, signal);
  await sendTo(parts, server, {
    message: appendFile,
    request: { filename: file.filename, length: outgoing.length },
    outgoing,
    signal,
    action: `append to ${file.fileId}`,
    advice: "compare its size (cairn info) before you append again",
  });
}

export async function modifyContent(
  parts: ClientParts,
  file: KnownFile,
  change: {
    readonly content: Content;
    readonly offset: number;
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  const { signal, offset } = change;
  const outgoing = new Outgoing(change.content);
  if (outgoing.length === 0) return;
  const server = await updateTarget(parts, file, signal);
  await sendTo(parts, server, {
    message: modifyFile,
    request: { filename: file.filename, offset, length: outgoing.length },
    outgoing,
    signal,
    action: `modify ${file.fileId}`,
    advice: "modify it again: the same bytes at the same place do no harm",
  });
}

interface Sending<Request, Reply> {
  readonly message: Message<Request, Reply, "request">;
  readonly request: Request;
  readonly outgoing: Outgoing;
  readonly signal: AbortSignal | undefined;
  readonly action: string;
  readonly advice: string;
}

/** One storage; a second time over a fresh connection where the first was dead before all bytes were handed over. */
async function sendTo<Request, Reply>(
  parts: ClientParts,
  server: Endpoint,
  sending: Sending<Request, Reply>,
): Promise<Reply> {
  const { outgoing, action } = sending;
  for (const fresh of [false, true]) {
    const outcome = await attempt(parts.pool, server, {
      signal: sending.signal,
      fresh,
      use: (client) => {
        const source = outgoing.begin(() => {
          client.timeoutMs = flushTimeoutMs(parts, outgoing.length);
        });
        return client.upload(sending.message, sending.request, source);
      },
    });
    if (outcome.ok) return outcome.value;
    const { error } = outcome;
    const where = { action, server };
    const broken = failureOf(error)?.kind === "broken";
    if (broken && outgoing.complete) throw outcomeUnknown(error, where, sending.advice);
    if (!broken || !outcome.reused || !outgoing.repeatable) throw describeFailure(error, where);
    parts.pool.forget(server);
  }
  throw clientError("connection-broken", `${formatEndpoint(server)} did not take the request`);
}

/** Repeating it changes nothing. */
export async function truncateContent(
  parts: ClientParts,
  file: KnownFile,
  change: { readonly sizeBytes: number; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const { sizeBytes, signal } = change;
  const { group, filename } = file;
  const server = await updateTarget(parts, file, signal);
  try {
    await call(parts.pool, server, {
      message: truncateFile,
      request: { filename, fileSize: sizeBytes },
      signal,
      repeatable: true,
      changes: true,
    });
  } catch (error) {
    const where = { action: `truncate ${file.fileId}`, server };
    const described = describeFailure(error, where);
    if (!hasCode(described, "peer-misbehaved")) {
      throw outcomeUnknown(error, where, "truncate it again: twice does no harm");
    }
    // C echoes the request when the size is that already (protocol §2.6/36).
    const info = await call(parts.pool, server, {
      message: queryFileInfo,
      request: { headerStatus: queryFileInfoFlags.withoutCrc32, group, filename },
      signal,
      repeatable: true,
    });
    if (info.fileSize !== sizeBytes) throw described;
  }
}

/** Not repeated: the old name would be gone, and the new one be known to nobody. */
export async function regenerateName(
  parts: ClientParts,
  file: KnownFile,
  { signal }: ChangeOptions,
): Promise<StoredFile> {
  const server = await updateTarget(parts, file, signal);
  const outcome = await attempt(parts.pool, server, {
    signal,
    fresh: true,
    timeoutMs: parts.limits.slowAnswerMs,
    use: (client) => client.call(regenerateAppenderFilename, { filename: file.filename }),
  });
  if (outcome.ok) return outcome.value;
  throw outcomeUnknown(
    outcome.error,
    { action: `give ${file.fileId} the name of a normal file`, server },
    "ask for the old id (cairn info): while it is there, nothing happened",
  );
}

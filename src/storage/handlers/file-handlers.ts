/**
 * What clients ask about files (protocol §2.6): each handler checks the group, lets the file store do the work, and
 * counts. Main thread.
 */
import type { UploadRequest as StoreUpload } from "#filestore/file-store.ts";
import { sizeInName, sourceInName } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { ByteFlow } from "#net/byte-flow.ts";
import type { Handlers } from "#net/frame-handlers.ts";
import type { FrameSession } from "#net/frame-session.ts";
import {
  queryFileInfoFlags,
  type StoredFile,
  type storageFiles,
  type UploadRequest,
} from "#protocol/fastdfs/storage-files.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { AccessAction } from "#storage/access-log.ts";
import type { StorageServices } from "#storage/storage-services.ts";
import type { StatisticsKind } from "#storage/storage-statistics.ts";

/** The byte that leaves the choice of a store path to us (protocol §2.6/11). */
const anyStorePath = 255;
/** In C the index is a signed byte. */
const maxStorePathByte = 127;

type Session = FrameSession<undefined>;

/** What is counted and logged about one exchange. */
interface Work {
  readonly session: Session;
  readonly action: AccessAction;
  readonly count?: StatisticsKind;
  readonly bytes?: { readonly kind: StatisticsKind; readonly amount: number };
  readonly changes: boolean;
  readonly file: string;
}

type FileHandlers = Handlers<typeof storageFiles>;

export function fileHandlers(services: StorageServices): FileHandlers {
  return {
    ...uploadHandlers(services),
    ...changeHandlers(services),
    deleteFile: (request, session) =>
      perform(
        services,
        { session, action: "delete", count: "deletes", changes: true, file: request.filename },
        () => {
          services.checkGroup(request.group);
          return services.store.remove(request.filename);
        },
      ),
    downloadFile: (request, session) => download(services, request, session),
    queryFileInfo: (request, session) => fileInfo(services, request, session),
    createLink: ({ sourceFilename: source, ...request }, session) => {
      const work = { session, action: "link", count: "linkCreations", changes: true } as const;
      return perform(services, { ...work, file: source }, async () => {
        services.checkGroup(request.group);
        const { masterFilename: master, prefix, extension } = request;
        const slaveOf = master === "" ? undefined : { master, prefix };
        return stored(services, await services.store.link({ source, extension, slaveOf }));
      });
    },
  };
}

/** New files. */
function uploadHandlers(
  services: StorageServices,
): Pick<FileHandlers, "uploadFile" | "uploadAppenderFile" | "uploadSlaveFile"> {
  const { store } = services;
  const work = (session: Session, body: ByteFlow, file: string): Work => ({
    session,
    action: "upload",
    count: "uploads",
    bytes: { kind: "uploadBytes", amount: body.length },
    changes: true,
    file,
  });
  // An upload that only made a further name counts as both.
  const onLinked = (): void => {
    services.counters.attempt("linkCreations");
    services.counters.succeed("linkCreations");
  };
  const upload = (request: UploadRequest, body: ByteFlow, how: UploadKind): Promise<StoredFile> =>
    perform(services, work(how.session, body, ""), () => {
      const storePathIndex = wantedPath(request.storePathIndex);
      const { extension } = request;
      const { kind } = how;
      return store
        .upload({ storePathIndex, extension, kind, onLinked }, body)
        .then((filename) => stored(services, filename));
    });
  return {
    uploadFile: (request, session, body) => upload(request, body, { session, kind: "normal" }),
    uploadAppenderFile: (request, session, body) =>
      upload(request, body, { session, kind: "appender" }),
    uploadSlaveFile: (request, session, body) =>
      perform(services, work(session, body, request.masterFilename), async () => {
        const { masterFilename: master, prefix, extension } = request;
        return stored(services, await store.uploadSlave({ master, prefix, extension }, body));
      }),
  };
}

/** What is done to appender files. */
function changeHandlers(
  services: StorageServices,
): Pick<FileHandlers, "appendFile" | "modifyFile" | "truncateFile" | "regenerateAppenderFilename"> {
  const { store } = services;
  return {
    appendFile: ({ filename: file }, session, body) => {
      const bytes = { kind: "appendBytes", amount: body.length } as const;
      const work = { session, action: "append", count: "appends", changes: true } as const;
      return perform(services, { ...work, bytes, file }, () => store.append(file, body));
    },
    modifyFile: ({ filename: file, offset }, session, body) => {
      const bytes = { kind: "modifyBytes", amount: body.length } as const;
      const work = { session, action: "modify", count: "modifies", changes: true } as const;
      return perform(services, { ...work, bytes, file }, () => store.modify(file, offset, body));
    },
    truncateFile: ({ filename: file, fileSize }, session) => {
      const work = { session, action: "truncate", count: "truncates", changes: true } as const;
      return perform(services, { ...work, file }, () => store.truncate(file, fileSize));
    },
    regenerateAppenderFilename: ({ filename: file }, session) => {
      const work = { session, action: "rename", count: "modifies", changes: true } as const;
      return perform(services, { ...work, file }, async () =>
        stored(services, await store.regenerate(file)),
      );
    },
  };
}

function stored(services: StorageServices, filename: string): StoredFile {
  return { group: services.settings.group, filename };
}

interface UploadKind {
  readonly session: Session;
  readonly kind: StoreUpload["kind"];
}

function wantedPath(index: number): number | undefined {
  if (index === anyStorePath) return undefined;
  if (index > maxStorePathByte) {
    throw new WireStatusError(wireStatus.invalid, `store path ${index} is out of range`);
  }
  return index;
}

interface DownloadFields {
  readonly headerStatus?: number;
  readonly group: string;
  readonly filename: string;
  readonly offset: number;
  readonly length: number;
}

function download(
  services: StorageServices,
  request: DownloadFields,
  session: Session,
): ReturnType<FileHandlers["downloadFile"]> {
  const { filename } = request;
  const work: Work = {
    session,
    action: "download",
    count: "downloads",
    changes: false,
    file: filename,
  };
  return perform(services, work, () => {
    services.checkGroup(request.group);
    services.checkMayRead();
    if (request.offset < 0 || request.length < 0) {
      throw new WireStatusError(wireStatus.invalid, "negative offset or length");
    }
    const range = { offset: request.offset, length: request.length };
    const said = saidSize(filename);
    const { peer } = session;
    const emptyIsFine = services.takesEmptyFiles(session.remoteAddress);
    const options = { sizeInName: said, peer, emptyIsFine };
    return services
      .storeToRead(request)
      .open(filename, range, options)
      .then(({ body }) => {
        services.counters.attempt("downloadBytes", body.length);
        services.counters.succeed("downloadBytes", body.length);
        return body;
      });
  });
}

/** The size that the name says; those of appender and slave files do not. */
function saidSize(filename: string): number | undefined {
  const name = parseRemoteFilename(filename);
  return name === undefined ? undefined : sizeInName(name.base);
}

function sourceOf(services: StorageServices, filename: string): string {
  const name = parseRemoteFilename(filename);
  const source = name === undefined ? undefined : sourceInName(name.base);
  return source === undefined ? "" : services.addressOfSource(source);
}

/** What is known of a file; it is not counted, only logged. */
function fileInfo(
  services: StorageServices,
  request: { readonly headerStatus: number; readonly group: string; readonly filename: string },
  session: Session,
): Promise<{ fileSize: number; modifiedAt: number; crc32: number; sourceAddress: string }> {
  const { filename } = request;
  const work: Work = { session, action: "query", changes: false, file: filename };
  return perform(services, work, () => {
    services.checkGroup(request.group);
    const computeCrc = (request.headerStatus & queryFileInfoFlags.withoutCrc32) === 0;
    // Clients set flags as well.
    const { remoteAddress } = session;
    const store = services.storeToTell(request, remoteAddress);
    return store.facts(filename, { computeCrc }).then((facts) => ({
      fileSize: facts.sizeBytes,
      modifiedAt: facts.modifiedSeconds,
      crc32: facts.crc32,
      sourceAddress: sourceOf(services, filename),
    }));
  });
}

/**
 * Runs one exchange: access by mode, statistics, access log. `action` may throw as well as reject. Every request of a client
 * comes through, hence one promise and no asynchronous function.
 */
export function perform<Result>(
  services: StorageServices,
  work: Work,
  action: () => Promise<Result>,
): Promise<Result> {
  const { counters, accessLog } = services;
  const startedMs = accessLog === undefined ? 0 : services.clock.monotonicMs();
  if (work.count !== undefined) counters.attempt(work.count);
  if (work.bytes !== undefined) counters.attempt(work.bytes.kind, work.bytes.amount);
  const failed = (error: unknown): never => {
    if (accessLog !== undefined)
      note(services, work, { startedMs, status: services.statusOf(error) });
    throw error;
  };
  let result: Promise<Result>;
  try {
    if (work.changes) services.checkMayWrite();
    result = action();
  } catch (error) {
    result = Promise.reject(error);
  }
  return result.then((reply) => {
    if (work.count !== undefined) counters.succeed(work.count);
    if (work.bytes !== undefined) counters.succeed(work.bytes.kind, work.bytes.amount);
    if (work.changes) counters.sourceUpdated(Math.floor(services.clock.nowMs() / 1000));
    if (accessLog !== undefined) note(services, work, { startedMs, status: 0, reply });
    return reply;
  }, failed);
}

function note(
  services: StorageServices,
  work: Work,
  how: { readonly startedMs: number; readonly status: number; readonly reply?: unknown },
): void {
  const file = loggedName(work, how.reply);
  services.accessLog?.add({
    peer: work.session.remoteAddress,
    action: work.action,
    file: file === "" ? "-" : file,
    status: how.status,
    startedMs: how.startedMs,
    requestBytes: work.bytes?.amount ?? 0,
    replyBytes: 0,
  });
}

function loggedName(work: Work, result: unknown): string {
  const name = (result as Partial<StoredFile> | undefined)?.filename;
  if (typeof name !== "string") return work.file;
  return work.action === "rename" ? `${work.file}=>${name}` : name;
}

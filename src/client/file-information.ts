/**
 * What is known of a file: from its name alone, or from a storage (protocol §12.3). The name of a normal file tells everything
 * but whether the file is still there; of appender and slave files only a storage knows size and CRC-32.
 */
import type { ClientParts } from "#client/client-parts.ts";
import { call } from "#client/exchange.ts";
import { crc32ByName, type KnownFile } from "#client/file-names.ts";
import { readAnywhere } from "#client/read-targets.ts";
import { queryFileInfo, queryFileInfoFlags } from "#protocol/fastdfs/storage-files.ts";
import { wireStatus } from "#protocol/wire-status.ts";

export interface FileInformation {
  readonly fileId: string;
  readonly kind: "normal" | "appender" | "slave";
  /** In bytes; undefined where only a storage knows and none was asked. */
  readonly sizeBytes: number | undefined;
  /** Unix seconds: of the last change where a storage was asked, else of the upload. */
  readonly timestamp: number;
  /** Unsigned, of the content; undefined where it is unknown or was not wanted. */
  readonly crc32: number | undefined;
  /** Address of the storage that took the upload; undefined where only its number is known. */
  readonly sourceAddress: string | undefined;
  readonly sourceId: string | undefined;
  /** A storage has confirmed that the file is there. */
  readonly fromServer: boolean;
}

export interface InformationOptions {
  /** `never` decodes only; `if-needed` asks for appender and slave files; `always` also sees whether the file is there. */
  readonly ask?: "never" | "if-needed" | "always";
  /** Spares a storage reading the whole of an appender or slave file. */
  readonly withoutCrc32?: boolean;
  readonly signal?: AbortSignal;
}

/** What the name tells. Pure. */
export function informationByName(file: KnownFile): FileInformation {
  const { decoded } = file;
  const { source } = decoded;
  return {
    fileId: file.fileId,
    kind: decoded.isAppender ? "appender" : decoded.isSlave ? "slave" : "normal",
    sizeBytes: decoded.size,
    timestamp: decoded.timestamp,
    crc32: crc32ByName(file),
    sourceAddress: source.kind === "address" ? source.address : undefined,
    sourceId: source.kind === "id" ? source.id : undefined,
    fromServer: false,
  };
}

/** Rejects with `file-missing` when a storage was asked and no one has it. */
export async function fileInformation(
  parts: ClientParts,
  file: KnownFile,
  options: InformationOptions,
): Promise<FileInformation> {
  const { ask = "if-needed", signal, withoutCrc32 = false } = options;
  const byName = informationByName(file);
  const isTold = byName.kind === "normal" && byName.sizeBytes !== undefined;
  if (ask === "never" || (ask === "if-needed" && isTold)) return byName;
  const { group, filename } = file;
  const readsWhole = byName.kind !== "normal" && !withoutCrc32;
  const flags = queryFileInfoFlags.silentWhenMissing;
  const headerStatus = withoutCrc32 ? flags | queryFileInfoFlags.withoutCrc32 : flags;
  const reply = await readAnywhere(parts, file, {
    signal,
    // Of appenders the source alone has the newest state.
    first: byName.kind === "appender" ? "source" : "any-replica",
    action: `look up ${file.fileId}`,
    use: (server) =>
      call(parts.pool, server, {
        message: queryFileInfo,
        request: { headerStatus, group, filename },
        signal,
        repeatable: true,
        ...(readsWhole ? { timeoutMs: parts.limits.slowAnswerMs } : {}),
      }),
    stops: (status) => status === wireStatus.invalid,
  });
  return {
    ...byName,
    sizeBytes: reply.fileSize,
    timestamp: reply.modifiedAt,
    crc32: readsWhole || byName.kind === "normal" ? reply.crc32 : undefined,
    sourceAddress: reply.sourceAddress === "" ? byName.sourceAddress : reply.sourceAddress,
    fromServer: true,
  };
}

/**
 * What a sender reads of a file here: small ones as bytes, with their CRC-32 compared to the one in the name, so that a rotten file is not
 * passed on. Main thread.
 */
import { crc32 } from "node:zlib";
import { AppError, describeError, hasCode } from "#base/app-error.ts";
import { type FileStoreErrorCode, fileStoreError } from "#filestore/errors.ts";
import type { OpenedFile } from "#filestore/file-store.ts";
import { crcInName, sizeInName } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import { collect, flowOfSource, sourceOfBytes } from "#net/byte-flow.ts";
import type { NetErrorCode } from "#net/errors.ts";
import { maxSyncContentBytes } from "#protocol/peer/sync-record.ts";
import type { PushOutcome, SyncStore } from "#sync/push.ts";

export type LocalContent =
  | {
      readonly kind: "small";
      readonly bytes: Buffer;
      readonly crc32: number;
      readonly modifiedSeconds: number;
    }
  /** Too large for memory; `crc32` as the name says, where it does. */
  | {
      readonly kind: "large";
      readonly sizeBytes: number;
      readonly crc32: number | undefined;
      readonly modifiedSeconds: number;
    }
  /** It was deleted since, or is shorter than it was. */
  | { readonly kind: "missing" }
  | { readonly kind: "trouble"; readonly outcome: PushOutcome };

const mendable: readonly FileStoreErrorCode[] = ["content-damaged", "disk-failed"];
const missing: LocalContent = { kind: "missing" };

/** `trustsName` is false for links, whose names C gives a random CRC-32. */
export async function readWhole(
  store: SyncStore,
  name: string,
  trustsName: boolean,
): Promise<LocalContent> {
  const base = parseRemoteFilename(name)?.base ?? "";
  const named = trustsName ? crcInName(base) : undefined;
  try {
    const options = { emptyIsFine: true, sizeInName: sizeInName(base) };
    const opened = await store.open(name, { offset: 0, length: 0 }, options);
    const { modifiedSeconds } = opened;
    if (opened.sizeBytes > maxSyncContentBytes) {
      opened.body.close();
      return { kind: "large", sizeBytes: opened.sizeBytes, crc32: named, modifiedSeconds };
    }
    const bytes = await drain(opened);
    const sum = crc32(bytes);
    if (named === undefined || named === sum) {
      return { kind: "small", bytes, crc32: sum, modifiedSeconds };
    }
    const why = "its content does not have the CRC-32 of its name";
    return { kind: "trouble", outcome: { kind: "failed", why, unreadable: true } };
  } catch (error) {
    return readingFailed(error);
  }
}

/**
 * For receivers that do not compare: a file whose name has a CRC-32 is read before its first byte is sent, a large one twice. Rejects with
 * `content-damaged` where it has another one, else as `open` does.
 */
export async function openChecked(
  store: SyncStore,
  name: string,
  trustsName: boolean,
): Promise<OpenedFile> {
  const base = parseRemoteFilename(name)?.base ?? "";
  const named = trustsName ? crcInName(base) : undefined;
  const open = (): Promise<OpenedFile> =>
    store.open(name, { offset: 0, length: 0 }, { emptyIsFine: true });
  const opened = await open();
  if (named === undefined) return opened;
  if (opened.sizeBytes <= maxSyncContentBytes) {
    const bytes = await drain(opened);
    if (crc32(bytes) !== named) throw unlikeName();
    return { ...opened, body: sourceOfBytes(bytes) };
  }
  if ((await crcOf(opened)) !== named) throw unlikeName();
  return open();
}

/** Of the content, which facts take from the name where it has one. Piece by piece, so that the thread serves others in between. */
async function crcOf({ body }: OpenedFile): Promise<number> {
  try {
    for (let sum = 0; ; ) {
      const piece = await body.next();
      if (piece === undefined) return sum;
      sum = crc32(piece.bytes, sum);
      piece.release();
    }
  } finally {
    body.close();
  }
}

function unlikeName(): AppError<FileStoreErrorCode> {
  return fileStoreError("content-damaged", "its content does not have the CRC-32 of its name");
}

/** The present bytes of a range, which must fit memory. */
export async function readRange(
  store: SyncStore,
  name: string,
  range: { readonly offset: number; readonly length: number },
): Promise<LocalContent> {
  try {
    const opened = await store.open(name, range, { emptyIsFine: true });
    if (opened.sizeBytes < range.offset + range.length) {
      opened.body.close();
      return missing;
    }
    const bytes = await drain(opened);
    const { modifiedSeconds } = opened;
    return { kind: "small", bytes, crc32: crc32(bytes), modifiedSeconds };
  } catch (error) {
    return isBehindEnd(error) ? missing : readingFailed(error);
  }
}

/** C and we call an offset at or behind the end of a file invalid. */
export function isBehindEnd(error: unknown): boolean {
  return hasCode<FileStoreErrorCode>(error, "file-invalid");
}

/** Undefined where there is no such file. Rejects as `open` does otherwise. */
export async function exists(store: SyncStore, name: string): Promise<boolean> {
  try {
    await store.facts(name, { computeCrc: false });
    return true;
  } catch (error) {
    if (hasCode<FileStoreErrorCode>(error, "file-missing")) return false;
    throw error;
  }
}

const netCodes: Readonly<Record<NetErrorCode, true>> = {
  "flow-broken": true,
  "peer-misbehaved": true,
  "peer-silent": true,
  "peer-unreachable": true,
  "peer-busy": true,
  "client-closed": true,
};

/** True for what is wrong with the connection, and not with the file. */
export function isNetError(error: unknown): boolean {
  return error instanceof AppError && Object.hasOwn(netCodes, error.code);
}

/** What a failure to read here means for the record. */
export function readingFailed(error: unknown): LocalContent {
  if (!(error instanceof AppError)) throw error;
  switch ((error as AppError<FileStoreErrorCode>).code) {
    case "file-missing":
      return missing;
    case "store-path-offline":
    case "store-path-unready":
    case "store-closing":
      return {
        kind: "trouble",
        outcome: { kind: "later", why: `here: ${describeError(error)}` },
      };
    default: {
      const why = `it cannot be read here: ${describeError(error)}`;
      // Nothing else is mended by a peer's copy, which may be older than what is here.
      const unreadable = mendable.some((code) => hasCode<FileStoreErrorCode>(error, code));
      return { kind: "trouble", outcome: { kind: "failed", why, unreadable } };
    }
  }
}

async function drain(opened: OpenedFile): Promise<Buffer> {
  try {
    return await collect(flowOfSource(opened.body));
  } finally {
    opened.body.close();
  }
}

/** Requests to a store-path worker as records of the ring, and its failures as errors (`worker-messages.ts`). Pure. */
import type { AppError } from "#base/app-error.ts";
import { type FileStoreErrorCode, fileStoreError } from "#filestore/errors.ts";
import type { RingRecord } from "#filestore/ring.ts";
import type { RequestFields } from "#filestore/store-path-client.ts";
import { request } from "#filestore/worker-messages.ts";

export function recordOf(id: number, fields: RequestFields): RingRecord {
  return {
    id,
    kind: fields.kind,
    flags: fields.flags ?? 0,
    block: fields.block ?? -1,
    blockLength: fields.blockLength ?? 0,
    socket: fields.lease?.descriptor ?? -1,
    a: fields.a ?? 0,
    b: fields.b ?? 0,
    c: fields.c ?? 0,
    text: fields.text ?? "",
    text2: fields.text2 ?? "",
  };
}

/** Asked by the path's owner, who waits as long as it takes. */
export function isOwner(kind: number): boolean {
  return kind === request.space || kind === request.check || kind === request.close;
}

export function failureFrom(record: RingRecord): AppError<FileStoreErrorCode> {
  const [errno = "", message = ""] = record.text2.split("\0");
  const details = errno === "" ? {} : { errno };
  return fileStoreError(record.text as FileStoreErrorCode, message, { details });
}

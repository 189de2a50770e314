/** What the fields of a ring record mean to the engine (`worker-messages.ts`). Pure. */
import type { RingRecord } from "#filestore/ring.ts";
import type { WriteTarget } from "#filestore/worker/store-path-engine.ts";
import { request, targetShift, writeTarget } from "#filestore/worker-messages.ts";
import type { FileSource } from "#model/file-id.ts";
import { StorageId } from "#model/storage-id.ts";

/** Requests that change what a name stands for. */
export function changesName(kind: number): boolean {
  return (
    kind === request.remove ||
    kind === request.truncate ||
    kind === request.regenerate ||
    kind === request.writeMetadata
  );
}

/** Of the first piece of an upload. */
export function targetOf(record: RingRecord): WriteTarget {
  switch (record.flags >> targetShift) {
    case writeTarget.normal:
      return { kind: "normal", extension: record.text };
    case writeTarget.appender:
      return { kind: "appender", extension: record.text };
    case writeTarget.slave: {
      const [prefix = "", extension = ""] = record.text2.split("\0");
      return { kind: "slave", master: record.text, prefix, extension };
    }
    case writeTarget.append:
      return { kind: "append", name: record.text };
    default:
      return { kind: "modify", name: record.text, offset: record.c };
  }
}

/** Of `setSource`. */
export function sourceOf(record: RingRecord): FileSource {
  if (record.text === "address") return { kind: "address", address: record.text2 };
  return { kind: "id", id: StorageId(record.text2) };
}

/** What the fields of a ring record mean to the engine (`worker-messages.ts`). Pure. */
import type { Content } from "#filestore/dedup/content-links.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { slotFrom } from "#filestore/packing.ts";
import type { RingRecord } from "#filestore/ring.ts";
import type { LinkRequest } from "#filestore/worker/link-preparer.ts";
import type { WriteTarget } from "#filestore/worker/store-path-engine.ts";
import { request, targetShift, writeFlag, writeTarget } from "#filestore/worker-messages.ts";
import type { FileSource } from "#model/file-id.ts";
import { StorageId } from "#model/storage-id.ts";

/** Requests that change what a name stands for. */
export function changesName(kind: number): boolean {
  return (
    kind === request.remove ||
    kind === request.truncate ||
    kind === request.regenerate ||
    kind === request.link ||
    kind === request.writeMetadata ||
    (kind >= request.replicaRecord && kind <= request.replicaLink)
  );
}

/** Of the first piece of an upload. Throws `file-invalid`. */
export function targetOf(record: RingRecord): WriteTarget {
  switch (record.flags >> targetShift) {
    case writeTarget.normal:
      return {
        kind: "normal",
        extension: record.text,
        hold: (record.flags & writeFlag.hold) !== 0,
      };
    case writeTarget.appender:
      return { kind: "appender", extension: record.text };
    case writeTarget.slave: {
      const [prefix = "", extension = ""] = record.text2.split("\0");
      return { kind: "slave", master: record.text, prefix, extension };
    }
    case writeTarget.slot: {
      const slot = slotFrom(record.text2);
      if (slot === undefined) throw fileStoreError("file-invalid", `no slot: ${record.text2}`);
      return { kind: "slot", extension: record.text, slot };
    }
    case writeTarget.append:
      return { kind: "append", name: record.text };
    case writeTarget.replica:
    case writeTarget.replicaReplace:
    case writeTarget.replicaAppend:
    case writeTarget.replicaModify:
      return replicaOf(record);
    default:
      return { kind: "modify", name: record.text, offset: record.c };
  }
}

function replicaOf(record: RingRecord): WriteTarget {
  const { text: name, c: offset } = record;
  const [time = "", version, crc] = record.text2.split(" ");
  const timestamp = Number(time);
  const goesOn = version === "2";
  const versioned = version === "1" || goesOn;
  switch (record.flags >> targetShift) {
    case writeTarget.replicaAppend:
      return { kind: "replica-append", name, offset, timestamp, versioned };
    case writeTarget.replicaModify:
      return { kind: "replica-modify", name, offset, timestamp, versioned, goesOn };
    default: {
      const isCreate = record.flags >> targetShift === writeTarget.replica;
      const crc32 = crc === undefined ? undefined : Number(crc);
      const mode = isCreate ? "create" : "replace";
      return { kind: "replica", name, mode, timestamp, crc32, versioned };
    }
  }
}

/** Of `link`. */
export function linkOf({ text: source, text2 }: RingRecord): LinkRequest {
  const [extension = "", prefix = "", master = ""] = text2.split("\0");
  return { source, extension, prefix, master };
}

/** Of `linkContent`. */
export function contentOf(record: RingRecord): Content {
  return { hash: Buffer.from(record.text, "hex"), sizeBytes: record.a, crc32: record.b };
}

/** Of `setSource`. */
export function sourceOf(record: RingRecord): FileSource {
  if (record.text === "address") return { kind: "address", address: record.text2 };
  return { kind: "id", id: StorageId(record.text2) };
}

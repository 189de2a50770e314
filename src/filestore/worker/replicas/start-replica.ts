/** Beginning to receive what a peer made, appended or overwrote: what it is about, and whether it can be. Worker thread. */
import { fileStoreError } from "#filestore/errors.ts";
import { type FileStoreError, onDisk } from "#filestore/worker/disk-failure.ts";
import { isMetadataBase } from "#filestore/worker/file-layout.ts";
import { ReplicaRangeWriter } from "#filestore/worker/replicas/replica-range.ts";
import { ReplicaSlotWriter } from "#filestore/worker/replicas/replica-slot-writer.ts";
import { ReplicaWriter } from "#filestore/worker/replicas/replica-writer.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { slotPlace } from "#filestore/worker/trunk-slot.ts";
import type { WriteHandle } from "#filestore/worker/write-handle.ts";
import { decodeBase, isTrunkBase } from "#model/file-id.ts";

export type ReplicaWriteTarget =
  | {
      readonly kind: "replica";
      readonly name: string;
      readonly mode: "create" | "replace";
      /** Unix seconds, of the change at its source. */
      readonly timestamp: number;
      /** Of the content, where it is known. */
      readonly crc32: number | undefined;
      readonly versioned?: boolean | undefined;
      /**
       * Most probably it is not here: where its creation itself shows that, it is not looked for before, and fails with `EEXIST` behind its
       * record, which is then as true as before. For a body in one piece.
       */
      readonly isUnlikely?: boolean | undefined;
    }
  | {
      readonly kind: "replica-append" | "replica-modify";
      readonly name: string;
      readonly offset: number;
      readonly timestamp: number;
      readonly versioned?: boolean | undefined;
      readonly goesOn?: boolean | undefined;
    };

const maxTimestamp = 0xffffffff;

/** `lengthBytes` is exact. Throws before anything is written where that cannot be. */
export function startReplica(
  store: StorePath,
  target: ReplicaWriteTarget,
  lengthBytes: number,
): WriteHandle {
  const { name, timestamp, versioned } = target;
  const place = store.layout.place(name);
  if (!Number.isInteger(timestamp) || timestamp < 0 || timestamp > maxTimestamp) {
    throw invalid(`no time: ${timestamp}`);
  }
  const { subdirCount } = store.settings;
  if (place.high >= subdirCount || place.low >= subdirCount) {
    throw invalid(`there is no directory of ${name} on this store path`);
  }
  if (target.kind !== "replica") {
    const { kind, offset, goesOn } = target;
    if (!Number.isSafeInteger(offset) || offset < 0) throw invalid(`no offset: ${offset}`);
    const isAppender = decodeBase(place.base)?.isAppender === true && !isMetadataBase(place.base);
    if (!isAppender) throw invalid(`${name} is not an appender file`);
    const stat = onDisk(`find ${name}`, () => store.files.stat(place.path, false));
    const range = { place, offset, lengthBytes, timestamp, versioned, goesOn };
    const what = kind === "replica-append" ? "append" : "modify";
    return new ReplicaRangeWriter(store, { kind: what, ...range }, stat);
  }
  const { mode, crc32, isUnlikely } = target;
  const file = { place, mode, timestamp, crc32, lengthBytes, versioned, isUnlikely };
  if (!isTrunkBase(place.base)) return new ReplicaWriter(store, file);
  const slot = slotPlace(store.layout, place);
  if (slot === undefined) throw invalid(`${name} contradicts itself`);
  return new ReplicaSlotWriter(store, { ...file, slot });
}

function invalid(problem: string): FileStoreError {
  return fileStoreError("file-invalid", problem);
}

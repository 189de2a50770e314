/** Beginning to receive a body: what may be written, and into what (protocol §2.6/11, 21, 23, 24, 34). Worker thread. */
import { fileStoreError } from "#filestore/errors.ts";
import type { ChangePreparer } from "#filestore/worker/change-preparer.ts";
import { type FileStoreError, onDisk } from "#filestore/worker/disk-failure.ts";
import type { FilePlace } from "#filestore/worker/file-layout.ts";
import { type GivenSlot, takeGivenSlot } from "#filestore/worker/given-slot.ts";
import { spaceCheckBytes } from "#filestore/worker/limits.ts";
import { NewFileWriter, SlaveWriter, slaveExists } from "#filestore/worker/new-file-writer.ts";
import { PackedFileWriter } from "#filestore/worker/packed-file-writer.ts";
import { type ReplicaWriteTarget, startReplica } from "#filestore/worker/replicas/start-replica.ts";
import { SpliceWriter } from "#filestore/worker/splice-writer.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import type { WriteHandle } from "#filestore/worker/write-handle.ts";
import { isNamePart, maxExtensionLength, maxPrefixLength, slaveName } from "#model/file-base.ts";

export type WriteTarget =
  /** A new file; the extension is without dot. */
  | {
      readonly kind: "normal" | "appender";
      readonly extension: string;
      /** See `WriteHandle.held`. */
      readonly hold?: boolean;
    }
  | {
      readonly kind: "slave";
      readonly master: string;
      readonly prefix: string;
      readonly extension: string;
    }
  /** A packed file, in the slot that the group's trunk server gave for it. */
  | { readonly kind: "slot"; readonly extension: string; readonly slot: GivenSlot }
  | { readonly kind: "append"; readonly name: string }
  | { readonly kind: "modify"; readonly name: string; readonly offset: number }
  | ReplicaWriteTarget;

/** Of `HH/HH/base` of a slave's master: shorter ones were not made by any storage. */
const minMasterLength = 34;
const directoriesLength = 6;

/** `exact`: the announced `lengthBytes` is no estimate. Throws before anything is written where the target does not allow it. */
export function startWrite(
  store: StorePath,
  preparer: ChangePreparer,
  request: {
    readonly target: WriteTarget;
    readonly lengthBytes: number;
    readonly exact: boolean;
  },
): WriteHandle {
  const { target, lengthBytes, exact } = request;
  if (!Number.isSafeInteger(lengthBytes) || lengthBytes < 0)
    throw invalid(`no length: ${lengthBytes}`);
  if (lengthBytes >= spaceCheckBytes) requireRoom(store, lengthBytes);
  if (!store.reserve.restore()) throw noRoom("the disk is full but for what deletions need");
  switch (target.kind) {
    case "normal":
    case "appender": {
      const { kind, extension, hold = false } = target;
      requirePart(extension, maxExtensionLength);
      if (store.settings.readOnly) throw readOnly(store);
      // A slot has one name, and content is to have several.
      const mayPack = exact && kind === "normal" && !store.settings.dedup;
      const packs = mayPack && store.packed.accepts(lengthBytes);
      const claim = packs ? store.packed.claim(lengthBytes) : undefined;
      if (claim !== undefined)
        return new PackedFileWriter(store, { extension, lengthBytes, claim });
      return new NewFileWriter(store, { kind, extension, lengthBytes, hold });
    }
    case "slot": {
      const { extension, slot } = target;
      requirePart(extension, maxExtensionLength);
      if (store.settings.readOnly) throw readOnly(store);
      const claim = takeGivenSlot(store, slot, lengthBytes);
      return new PackedFileWriter(store, { extension, lengthBytes, claim });
    }
    case "slave":
      return new SlaveWriter(store, slavePlace(store, preparer, target));
    case "append": {
      const { place, stat } = preparer.appender(target.name);
      const { kind } = target;
      const { sizeBytes: oldSize, modifiedSeconds } = stat;
      return new SpliceWriter(store, { kind, place, offset: oldSize, oldSize, modifiedSeconds });
    }
    case "modify": {
      const { kind, offset } = target;
      if (!Number.isSafeInteger(offset) || offset < 0) throw invalid(`no offset: ${offset}`);
      const { place, stat } = preparer.appender(target.name);
      const { sizeBytes: oldSize, modifiedSeconds } = stat;
      if (offset > oldSize) throw invalid(`offset ${offset} is behind the end at ${oldSize}`);
      return new SpliceWriter(store, { kind, place, offset, oldSize, modifiedSeconds });
    }
    default:
      return startReplica(store, target, lengthBytes);
  }
}

/** Where a slave goes. Throws `file-missing` for its master, `file-exists`, `file-invalid`. */
export function slavePlace(
  store: StorePath,
  preparer: ChangePreparer,
  target: WriteTarget & { readonly kind: "slave" },
): FilePlace {
  const { master, prefix, extension } = target;
  requirePart(extension, maxExtensionLength);
  requirePart(prefix, maxPrefixLength);
  if (prefix === "") throw invalid("a slave needs a prefix");
  if (prefix === "-m" && extension === "") throw invalid("the name would be that of metadata");
  const masterPlace = store.layout.place(master);
  if (directoriesLength + masterPlace.base.length < minMasterLength) {
    throw invalid(`${master} is too short for a master`);
  }
  preparer.requireFile(masterPlace);
  const place = store.layout.place(slaveName(masterPlace.name, prefix, extension));
  const taken = onDisk("look for a slave", () => store.files.stat(place.path, false));
  if (taken !== undefined) throw slaveExists(place);
  return place;
}

/** Found out at the start, not after gigabytes. */
function requireRoom(store: StorePath, lengthBytes: number): void {
  const { freeBytes } = onDisk("ask for room", () => store.files.space(store.layout.data));
  if (freeBytes > lengthBytes) return;
  throw noRoom(`no room for ${lengthBytes} bytes: ${freeBytes} are free`);
}

function noRoom(problem: string): FileStoreError {
  return fileStoreError("store-full", problem, { details: { errno: "ENOSPC" } });
}

export function requirePart(text: string, maxLength: number): void {
  if (isNamePart(text, maxLength)) return;
  throw invalid(`"${text.slice(0, 40)}" is not up to ${maxLength} of A-Z a-z 0-9 _ . -`);
}

function readOnly(store: StorePath): FileStoreError {
  const problem = `store path ${store.settings.index} takes no new files: it is set to read-only`;
  return fileStoreError("disk-failed", problem, { details: { errno: "EROFS" } });
}

function invalid(problem: string): FileStoreError {
  return fileStoreError("file-invalid", problem);
}

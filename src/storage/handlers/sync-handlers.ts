/**
 * What a storage of C sends to its peers, and ours send to those of C (protocol §2.7): each command is answered as C's sender expects it.
 * Main thread.
 */
import type { StorageId } from "#model/storage-id.ts";
import type { ByteFlow } from "#net/byte-flow.ts";
import type { Handlers } from "#net/frame-handlers.ts";
import type { FrameSession } from "#net/frame-session.ts";
import { storageSync } from "#protocol/fastdfs/storage-sync.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { ReplicaReceiver } from "#storage/replica-receiver.ts";
import type { StorageServices } from "#storage/storage-services.ts";
import type { SyncStore } from "#sync/push.ts";

/** The recovery of a store path has its own handler. */
const { fetchOnePathBinlog: _other, ...pushed } = storageSync;
export const pushedChanges = pushed;

export interface SyncHandlersParts {
  readonly services: Pick<StorageServices, "checkGroup">;
  readonly receiver: ReplicaReceiver;
  readonly store: SyncStore;
  /** Who has this address, where that is one member alone. */
  readonly memberAt: (address: string) => StorageId | undefined;
  /** `id` says that it sends from `address`. */
  readonly onSender: (id: StorageId, address: string) => void;
  /**
   * The file does not fit a change that C repeats only as it is: it is to be had from the sender as a whole. False where that is not
   * possible now. Never rejects.
   */
  readonly replaceFrom: (name: string, sender: StorageId | undefined) => Promise<boolean>;
}

type Session = FrameSession<undefined>;
type SyncHandlers = Handlers<typeof pushedChanges>;

interface WholeRequest {
  readonly headerStatus: number;
  readonly timestamp: number;
  readonly group: string;
  readonly filename: string;
}

interface RangeRequest {
  readonly offset: number;
  readonly timestamp: number;
  readonly group: string;
  readonly filename: string;
}

export function syncHandlers(parts: SyncHandlersParts): SyncHandlers {
  const { services, receiver, store } = parts;
  /** C names itself on the first of its connections only. */
  const senders = new WeakMap<Session, StorageId>();
  const senderOf = (session: Session): StorageId | undefined =>
    senders.get(session) ?? parts.memberAt(session.remoteAddress);
  const note = (session: Session, timestamp: number): void =>
    receiver.note(senderOf(session), timestamp);
  const whole = async (
    { headerStatus, group, filename: name, timestamp }: WholeRequest,
    how: {
      readonly session: Session;
      readonly body: ByteFlow;
      readonly mode: "create" | "replace";
    },
  ): Promise<void> => {
    services.checkGroup(group);
    const { mode, session, body } = how;
    if (headerStatus !== 0) {
      await store.recordReplica({ name, timestamp, mode });
      note(session, timestamp);
      throw exists(name);
    }
    const outcome = await receiver.whole({ name, timestamp, mode, crc32: undefined }, body);
    note(session, timestamp);
    if (outcome === "already" && mode === "create") throw exists(name);
  };
  const range = async (
    kind: "append" | "modify",
    { group, filename: name, offset, timestamp }: RangeRequest,
    how: { readonly session: Session; readonly body: ByteFlow },
  ): Promise<void> => {
    services.checkGroup(group);
    const outcome = await receiver.range(kind, { name, offset, timestamp }, how.body);
    if (outcome === "missing" || outcome === "differs") throw missing(name);
    note(how.session, timestamp);
    if (outcome === "already") throw exists(name);
  };
  return {
    reportServerId: ({ id }, session) => {
      senders.set(session, id);
      parts.onSender(id, session.remoteAddress);
    },
    syncCreateFile: (request, session, body) => whole(request, { session, body, mode: "create" }),
    syncUpdateFile: (request, session, body) => whole(request, { session, body, mode: "replace" }),
    syncAppendFile: (request, session, body) => range("append", request, { session, body }),
    syncModifyFile: (request, session, body) => range("modify", request, { session, body }),
    ...changesWithoutContent(parts, { note, senderOf }),
  };
}

/** Deletions, links, truncations and renames. */
function changesWithoutContent(
  { services, receiver, store, replaceFrom }: SyncHandlersParts,
  {
    note,
    senderOf,
  }: {
    readonly note: (session: Session, timestamp: number) => void;
    readonly senderOf: (session: Session) => StorageId | undefined;
  },
): Pick<SyncHandlers, "syncDeleteFile" | "syncCreateLink" | "syncTruncateFile" | "syncRenameFile"> {
  return {
    syncDeleteFile: async ({ group, filename: name, timestamp }, session) => {
      services.checkGroup(group);
      const outcome = await receiver.remove({ name, timestamp });
      note(session, timestamp);
      if (outcome === "missing") throw missing(name);
    },
    syncCreateLink: async ({ group, filename: name, sourceFilename, timestamp }, session) => {
      services.checkGroup(group);
      await store.linkReplica({ name, source: sourceFilename, timestamp });
      note(session, timestamp);
    },
    syncTruncateFile: async ({ group, filename: name, ...change }, session) => {
      services.checkGroup(group);
      const outcome = await store.truncateReplica({ name, ...change });
      // C repeats a truncation for ever where the answer is that there is no such file, and until it is done where it is another error.
      if (outcome === "missing" || outcome === "differs") {
        if (!(await replaceFrom(name, senderOf(session)))) throw unready(name);
      }
      note(session, change.timestamp);
      if (outcome !== "done") throw exists(name);
    },
    syncRenameFile: async ({ group, filename: name, oldFilename: source, timestamp }, session) => {
      services.checkGroup(group);
      const outcome = await receiver.renameFile({ name, source, timestamp });
      if (outcome === "missing" || outcome === "differs") throw missing(source);
      note(session, timestamp);
      if (outcome === "already") throw exists(name);
    },
  };
}

function exists(name: string): WireStatusError {
  return new WireStatusError(wireStatus.exists, `${name} is here as it should be`);
}

function unready(name: string): WireStatusError {
  return new WireStatusError(wireStatus.tryAgain, `${name} could not be had as a whole`);
}

function missing(name: string): WireStatusError {
  return new WireStatusError(
    wireStatus.notFound,
    `${name} is not here, or not as the change needs it`,
  );
}

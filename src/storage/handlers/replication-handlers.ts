/** What storages of ours send to each other (`protocol/peer/replication.ts`): batches of changes, single files, and requests for files. Main thread. */
import { describeError, hasCode } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import type { FileStoreErrorCode } from "#filestore/errors.ts";
import type { StoredOutcome } from "#filestore/replica-store.ts";
import { crcInName } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { StorageId } from "#model/storage-id.ts";
import type { ByteSource } from "#net/byte-flow.ts";
import type { Handlers } from "#net/frame-handlers.ts";
import { narrowAddresses, WireWriter } from "#protocol/codec.ts";
import type { replication } from "#protocol/peer/replication.ts";
import { fetchedHead, headCheck, syncStatus } from "#protocol/peer/sync-record.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { peerStatusOf, type ReplicaReceiver } from "#storage/replica-receiver.ts";
import type { StorageServices } from "#storage/storage-services.ts";
import { isMissingHere } from "#sync/file-fetcher.ts";
import type { HeldPositions } from "#sync/held-positions.ts";
import type { SyncStore } from "#sync/push.ts";

export interface ReplicationHandlersParts {
  readonly services: Pick<StorageServices, "checkGroup">;
  readonly log: Log;
  readonly receiver: ReplicaReceiver;
  readonly store: SyncStore;
  readonly held: HeldPositions;
  readonly ownId: () => StorageId | undefined;
  /** Empty while it is not known. */
  readonly ownDisk: () => string;
  readonly isMember: (id: StorageId) => boolean;
  readonly onSender: (id: StorageId, address: string) => void;
}

export function replicationHandlers(parts: ReplicationHandlersParts): Handlers<typeof replication> {
  const { services, receiver, store, held, log } = parts;
  return {
    syncHello: ({ group, id, clock }, session) => {
      services.checkGroup(group);
      const peer = session.remoteAddress;
      // As in C, being admitted is what counts: trackers may not have told of a new member yet.
      if (!parts.isMember(id)) log.notice("sync-from-unknown-storage", { id, peer });
      held.compareClock(id, clock);
      parts.onSender(id, peer);
      const entries = held
        .trusted()
        .map(({ id: source, until }) => ({ id: source, heldUntil: until }));
      return { id: parts.ownId() ?? "", disk: parts.ownDisk(), held: entries };
    },
    syncBatch: async ({ group, id, heldUntil, gaps, records, ...rest }, _session, body) => {
      services.checkGroup(group);
      checkHead(rest.check, headCheck(id, heldUntil, gaps, records, rest.bytes));
      held.learn(id, { heldUntil, gaps });
      if (records === 0) return { statuses: [] };
      return { statuses: await receiver.applyBatch(records, body, id) };
    },
    syncFile: async (
      { group, id, filename: name, timestamp, replaces, ...sum },
      _session,
      body,
    ) => {
      services.checkGroup(group);
      const { hasCrc32, check } = sum;
      checkHead(check, headCheck(name, timestamp, id, replaces, hasCrc32, sum.crc32));
      const crc32 = sum.hasCrc32 ? sum.crc32 : undefined;
      const mode = replaces ? "replace" : "create";
      let outcome: StoredOutcome;
      try {
        const file = { name, timestamp, mode, crc32, versioned: true } as const;
        outcome = await receiver.whole(file, body);
      } catch (error) {
        if (hasCode<FileStoreErrorCode>(error, "store-path-offline")) {
          throw new WireStatusError(peerStatusOf(error), describeError(error));
        }
        if (!hasCode<FileStoreErrorCode>(error, "content-damaged")) throw error;
        throw new WireStatusError(syncStatus.damaged, `${name} arrived damaged`);
      }
      receiver.note(id, timestamp);
      if (outcome === "later") throw new WireStatusError(syncStatus.later, `${name} is later here`);
      if (outcome === "already") throw new WireStatusError(wireStatus.exists, `${name} is here`);
    },
    fetchFile: async ({ group, filename }) => {
      services.checkGroup(group);
      try {
        return await fetched(store, filename);
      } catch (error) {
        // It may have been on the store path that was lost.
        if (held.suspended === undefined || !isMissingHere(error)) throw error;
        throw new WireStatusError(wireStatus.tryAgain, `${filename} may be missing here alone`);
      }
    },
  };
}

function checkHead(told: number, found: number): void {
  if (told === found) return;
  throw new WireStatusError(syncStatus.damaged, "the head was damaged on its way");
}

/** The file as it is here, behind what is known of it. */
async function fetched(store: SyncStore, name: string): Promise<ByteSource> {
  const base = parseRemoteFilename(name)?.base;
  if (base === undefined) throw new ProtocolError("invalid", "no name of a file");
  const hasCrc = crcInName(base) !== undefined;
  const crc32 = hasCrc ? undefined : (await store.facts(name, { computeCrc: true })).crc32 >>> 0;
  const opened = await store.open(name, { offset: 0, length: 0 }, { emptyIsFine: true });
  const writer = new WireWriter();
  fetchedHead.encode({ modifiedSeconds: opened.modifiedSeconds, crc32 }, writer, narrowAddresses);
  return behindHead(Buffer.from(writer.bytes()), opened.body);
}

function behindHead(head: Uint8Array, body: ByteSource): ByteSource {
  let given = false;
  return {
    length: head.length + body.length,
    next: () => {
      if (given) return body.next();
      given = true;
      return { bytes: head, room: 0, release: () => {} };
    },
    close: () => body.close(),
  };
}

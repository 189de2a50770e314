/**
 * Pushes records to a storage of ours: up to 256 in one exchange, with their contents and CRC-32; files too large for that in exchanges of
 * their own, and large ranges in pieces. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import type { BinlogEntry } from "#filestore/binlog/entry.ts";
import { decodeBase } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { StorageId } from "#model/storage-id.ts";
import { type ByteSource, sourceOfBytes } from "#net/byte-flow.ts";
import type { FrameClient } from "#net/frame-client.ts";
import { narrowAddresses, WireWriter } from "#protocol/codec.ts";
import { syncBatch, syncFile } from "#protocol/peer/replication.ts";
import {
  headCheck,
  maxSyncContentBytes,
  maxSyncRecords,
  type SyncKind,
  type SyncRecord,
  syncBatchContentBytes,
  syncRecord,
  syncRecordHeadBytes,
  syncStatus,
} from "#protocol/peer/sync-record.ts";
import { WireStatusError } from "#protocol/wire-status.ts";
import { unaskedBatches } from "#sync/limits.ts";
import {
  exists,
  isNetError,
  openChecked,
  readingFailed,
  readRange,
  readWhole,
} from "#sync/local-content.ts";
import {
  type PushedRecord,
  type PushLane,
  type PushOutcome,
  pushed,
  refusal,
  type SyncStore,
} from "#sync/push.ts";
import { heldNameTime } from "#sync/sync-record.ts";
import { type ReadFile, readTogether, type Together } from "#sync/together.ts";

export interface CairnLaneParts {
  readonly client: FrameClient;
  readonly store: SyncStore;
  readonly group: string;
  readonly ownId: StorageId;
  /** The position that goes with what is sent now. */
  readonly held: () => { readonly heldUntil: number; readonly gaps: number };
  /** What goes out, no faster than it may. */
  readonly paced: (source: ByteSource) => ByteSource;
  /** The peer has a later version of the file, which is fetched. False where that did not succeed. */
  adopt(name: string): Promise<boolean>;
}

const empty = new Uint8Array(0);

/** A record as it is sent, or what became of it already, or a file for an exchange of its own. */
type Prepared =
  | { readonly record: SyncRecord }
  | { readonly outcome: PushOutcome }
  | { readonly push: () => Promise<PushOutcome> };

/** Or a file that the worker has read into the batch. */
type Pushing = Prepared | { readonly read: ReadFile };

export class CairnLane implements PushLane {
  readonly maxRecords = maxSyncRecords;
  readonly #parts: CairnLaneParts;
  /** Batches that need not be asked about. */
  #unasked = 0;

  constructor(parts: CairnLaneParts) {
    this.#parts = parts;
  }

  async push(records: readonly PushedRecord[]): Promise<readonly PushOutcome[]> {
    const there = await this.#alreadyThere(records);
    const missing = records.filter((record) => !there.has(record));
    const batch = await readTogether(this.#parts.store, missing);
    try {
      const prepared = await Promise.all(
        records.map((record): Pushing | Promise<Pushing> => {
          if (there.has(record)) return { outcome: pushed };
          const read = batch.files.get(record);
          return read === undefined ? this.#prepare(record) : { read };
        }),
      );
      const sent = prepared.flatMap((one) => ("record" in one ? [one.record] : []));
      return await this.#outcomes(prepared, await this.#statuses(batch, sent));
    } finally {
      batch.release();
    }
  }

  /** Of the files of the batch, then of the records, as many as there are. */
  async #statuses(batch: Together, records: readonly SyncRecord[]): Promise<Statuses> {
    const { size } = batch.files;
    if (size === 0) return { read: [], sent: await this.#inBatches(records) };
    const joined = batch.join(encoded(records));
    const count = joined ? size + records.length : size;
    const statuses = filledTo(count, await this.#exchange(count, batch.bytes));
    const read = statuses.slice(0, size);
    return { read, sent: joined ? statuses.slice(size) : await this.#inBatches(records) };
  }

  async #inBatches(records: readonly SyncRecord[]): Promise<readonly number[]> {
    const statuses: number[] = [];
    for (const batch of batchesOf(records)) statuses.push(...(await this.#answers(batch)));
    return statuses;
  }

  async #outcomes(prepared: readonly Pushing[], statuses: Statuses): Promise<PushOutcome[]> {
    const outcomes: PushOutcome[] = [];
    const [read, sent] = [statuses.read.values(), statuses.sent.values()];
    for (const one of prepared) {
      if ("outcome" in one) outcomes.push(one.outcome);
      else if ("push" in one) outcomes.push(await one.push());
      else if ("read" in one) {
        const status = read.next().value ?? syncStatus.differs;
        const { name, bytes } = one.read;
        outcomes.push(
          status === syncStatus.later ? await this.#adopted(name) : outcomeOfStatus(status, bytes),
        );
      } else {
        outcomes.push(await this.#outcomeOf(one.record, sent.next().value ?? syncStatus.differs));
      }
    }
    return outcomes;
  }

  get usable(): boolean {
    return this.#parts.client.usable;
  }

  async keepAlive(): Promise<void> {
    await this.#send([]);
  }

  close(): void {
    this.#parts.client.close();
  }

  /** What a member that is being filled has from somebody who began that before; asked more seldom while there is nothing. */
  async #alreadyThere(records: readonly PushedRecord[]): Promise<ReadonlySet<PushedRecord>> {
    const asked = records.filter(mayBeThere);
    if (asked.length === 0) return new Set();
    if (this.#unasked > 0) {
      this.#unasked -= 1;
      return new Set();
    }
    const statuses = await this.#answers(asked.map(question));
    const there = asked.filter((_, at) => statuses[at] === syncStatus.already);
    if (there.length === 0) this.#unasked = unaskedBatches;
    return new Set(there);
  }

  /** As many as there are records. */
  async #answers(batch: readonly SyncRecord[]): Promise<readonly number[]> {
    return filledTo(batch.length, await this.#send(batch));
  }

  #send(records: readonly SyncRecord[]): Promise<readonly number[]> {
    return this.#exchange(records.length, encoded(records));
  }

  async #exchange(records: number, payload: Uint8Array): Promise<readonly number[]> {
    const { client, group, ownId: id, held, paced } = this.#parts;
    const { heldUntil, gaps } = held();
    const counts = { records, bytes: payload.length };
    const check = headCheck(id, heldUntil, gaps, counts.records, counts.bytes);
    const head = { group, id, heldUntil, gaps, ...counts, check };
    const { statuses } = await client.upload(syncBatch, head, paced(sourceOfBytes(payload)));
    return statuses;
  }

  async #prepare(record: PushedRecord): Promise<Prepared> {
    const { entry, whole } = record;
    if (whole !== undefined && entry.kind === "rename") {
      return { push: () => this.#pushRenamed(record, entry.oldName) };
    }
    if (whole !== undefined) return this.#wholeFile(record, whole);
    switch (entry.kind) {
      case "create":
        return this.#wholeFile(record, "create");
      case "update":
        return this.#wholeFile(record, "replace");
      case "append":
      case "modify":
        return this.#range(record, entry);
      case "delete":
        return this.#lookedAt(record, "delete", { other: "", sentWhere: false });
      case "truncate": {
        const sizes = { first: entry.oldSize, second: entry.newSize };
        return this.#lookedAt(record, "truncate", { other: "", sentWhere: true, ...sizes });
      }
      case "link": {
        if (entry.target === undefined) return this.#wholeFile(record, "create");
        return this.#lookedAt(record, "link", { other: entry.target, sentWhere: true });
      }
      case "rename": {
        if (entry.replica) return this.#wholeFile(record, "create");
        return this.#renamed(record, entry.oldName);
      }
    }
  }

  /** Where the new name is gone as well, the old one is deleted there. */
  async #renamed(record: PushedRecord, oldName: string): Promise<Prepared> {
    const renamed = await this.#lookedAt(record, "rename", { other: oldName, sentWhere: true });
    if (!("outcome" in renamed) || renamed.outcome.kind !== "done") return renamed;
    const before = { ...record, entry: { ...record.entry, name: oldName } };
    return this.#lookedAt(before, "delete", { other: "", sentWhere: false });
  }

  /** Changes without content are sent where the file is here still, deletions where it is not. */
  async #lookedAt(
    { entry }: PushedRecord,
    kind: SyncKind,
    how: {
      readonly other: string;
      readonly sentWhere: boolean;
      readonly first?: number;
      readonly second?: number;
    },
  ): Promise<Prepared> {
    try {
      if ((await exists(this.#parts.store, entry.name)) !== how.sentWhere)
        return { outcome: pushed };
    } catch (error) {
      const failed = readingFailed(error);
      if (failed.kind === "trouble") return { outcome: failed.outcome };
    }
    const { name, timestamp } = entry;
    const { other, first = 0, second = 0 } = how;
    return {
      record: { kind, name, timestamp, other, first, second, crc32: 0, content: empty },
    };
  }

  async #wholeFile({ entry }: PushedRecord, mode: "create" | "replace"): Promise<Prepared> {
    const { name } = entry;
    const found = await readWhole(this.#parts.store, name, entry.kind !== "link");
    switch (found.kind) {
      case "missing":
        return { outcome: pushed };
      case "trouble":
        return { outcome: found.outcome };
      case "large":
        return {
          push: () =>
            this.#pushLarge({
              ...{ name, mode, crc32: found.crc32 },
              timestamp: versionTime(entry, found.modifiedSeconds),
            }),
        };
      case "small": {
        const { bytes: content, crc32 } = found;
        const timestamp = versionTime(entry, found.modifiedSeconds);
        const fields = { kind: mode, name, timestamp, other: "", first: 0, second: 0 };
        return { record: { ...fields, crc32, content } };
      }
    }
  }

  /** What the peer has under the old name is not what became the new one: a change of it was passed over, since the file was gone here. */
  async #pushRenamed(record: PushedRecord, oldName: string): Promise<PushOutcome> {
    const { timestamp } = record.entry;
    const removed: SyncRecord = {
      ...{ kind: "delete", name: oldName, timestamp, other: "", first: 0, second: 0 },
      ...{ crc32: 0, content: empty },
    };
    const created = await this.#wholeFile(record, "create");
    if ("push" in created) {
      const outcome = await created.push();
      if (outcome.kind !== "done") return outcome;
    } else if ("outcome" in created) {
      if (created.outcome.kind !== "done") return created.outcome;
    } else {
      const [status = syncStatus.differs] = await this.#send([created.record]);
      const outcome = await this.#outcomeOf(created.record, status);
      if (outcome.kind !== "done") return outcome;
    }
    if (await exists(this.#parts.store, oldName)) return pushed;
    const [status = syncStatus.differs] = await this.#send([removed]);
    return outcomeOf(removed, status);
  }

  async #range(
    { entry }: PushedRecord,
    change: {
      readonly kind: "append" | "modify";
      readonly offset: number;
      readonly length: number;
    },
  ): Promise<Prepared> {
    if (change.length > maxSyncContentBytes) {
      return { push: () => this.#pushPieces(entry, change) };
    }
    const record = await this.#piece(entry, change);
    return "kind" in record ? { outcome: record } : { record: record.record };
  }

  async #piece(
    entry: { readonly name: string; readonly timestamp: number },
    change: {
      readonly kind: "append" | "modify";
      readonly offset: number;
      readonly length: number;
      readonly goesOn?: boolean;
    },
  ): Promise<PushOutcome | { readonly record: SyncRecord }> {
    const { name, timestamp } = entry;
    const { kind, offset: first } = change;
    const second = Number(change.goesOn === true);
    const found = await readRange(this.#parts.store, name, change);
    if (found.kind === "missing") return this.#cutOff(name);
    if (found.kind !== "small") {
      return found.kind === "trouble" ? found.outcome : { kind: "whole" };
    }
    const { bytes: content, crc32 } = found;
    return { record: { kind, name, timestamp, other: "", first, second, crc32, content } };
  }

  /** A later truncation took a part of what was changed: it fits there without the rest, and nothing would tell. */
  async #cutOff(name: string): Promise<PushOutcome> {
    try {
      return (await exists(this.#parts.store, name)) ? { kind: "whole" } : pushed;
    } catch (error) {
      const failed = readingFailed(error);
      return failed.kind === "trouble" ? failed.outcome : pushed;
    }
  }

  /** One after the other: each begins where the one before it ends. */
  async #pushPieces(
    entry: { readonly name: string; readonly timestamp: number },
    change: {
      readonly kind: "append" | "modify";
      readonly offset: number;
      readonly length: number;
    },
  ): Promise<PushOutcome> {
    const end = change.offset + change.length;
    for (let offset = change.offset; offset < end; offset += maxSyncContentBytes) {
      const length = Math.min(maxSyncContentBytes, end - offset);
      const goesOn = offset > change.offset;
      const piece = await this.#piece(entry, { kind: change.kind, offset, length, goesOn });
      if ("kind" in piece) {
        if (piece.kind === "done") continue;
        return piece;
      }
      const [status = syncStatus.differs] = await this.#send([piece.record]);
      const outcome = outcomeOf(piece.record, status);
      if (outcome.kind !== "done") return outcome;
    }
    return { kind: "done", bytes: change.length };
  }

  async #outcomeOf(record: SyncRecord, status: number): Promise<PushOutcome> {
    return status === syncStatus.later ? this.#adopted(record.name) : outcomeOf(record, status);
  }

  async #adopted(name: string): Promise<PushOutcome> {
    if (await this.#parts.adopt(name)) return pushed;
    const why = "the peer has a later version, which could not be fetched";
    return { kind: "failed", why, unreadable: false };
  }

  /** Whether it became so on its way, or is so here: then a good copy is to be had from a peer. */
  async #damaged(name: string): Promise<PushOutcome> {
    try {
      (await openChecked(this.#parts.store, name, true)).body.close();
    } catch (error) {
      const failed = readingFailed(error);
      if (failed.kind === "trouble") return failed.outcome;
    }
    return outcomeOfStatus(syncStatus.damaged, 0);
  }

  /** Content without a CRC-32 in the name is read once for it, and once more to be sent. */
  async #pushLarge(file: {
    readonly name: string;
    readonly timestamp: number;
    readonly mode: "create" | "replace";
    readonly crc32: number | undefined;
  }): Promise<PushOutcome> {
    const { store, client, group, ownId: id, paced } = this.#parts;
    const { name: filename, timestamp } = file;
    try {
      const crc32 = file.crc32 ?? (await store.facts(filename, { computeCrc: true })).crc32;
      const { body } = await store.open(filename, { offset: 0, length: 0 }, { emptyIsFine: true });
      const replaces = file.mode === "replace";
      const request = { filename, fileSize: body.length, timestamp, group, id, replaces };
      const check = headCheck(filename, timestamp, id, replaces, true, crc32);
      await client.uploadTo(
        syncFile,
        { ...request, hasCrc32: true, crc32, check },
        {
          source: paced(body),
          survives: () => true,
        },
      );
      return { kind: "done", bytes: body.length };
    } catch (error) {
      if (error instanceof WireStatusError) {
        if (error.status === syncStatus.later) return this.#adopted(filename);
        const isNamed = file.crc32 !== undefined;
        if (error.status === syncStatus.damaged && isNamed) return this.#damaged(filename);
        return outcomeOfStatus(error.status, 0);
      }
      if (isNetError(error)) throw error;
      const failed = readingFailed(error);
      if (failed.kind === "trouble") return failed.outcome;
      if (failed.kind === "missing") return pushed;
      return { kind: "failed", why: describeError(error), unreadable: true };
    }
  }
}

interface Statuses {
  readonly read: readonly number[];
  readonly sent: readonly number[];
}

/** An answer for each of `count` records, however many came. */
function filledTo(count: number, statuses: readonly number[]): readonly number[] {
  return Array.from({ length: count }, (_, at) => statuses[at] ?? syncStatus.differs);
}

function encoded(records: readonly SyncRecord[]): Uint8Array {
  let size = 16;
  for (const { content, name, other } of records) {
    size += content.length + name.length + other.length + syncRecordHeadBytes;
  }
  const writer = new WireWriter(size);
  for (const record of records) syncRecord.encode(record, writer, narrowAddresses);
  return writer.bytes();
}

/** A new file whose name nothing else ever gets: whoever has one by that name has this one. */
function mayBeThere({ entry, tries, whole, ...record }: PushedRecord): boolean {
  if (record.mayBeThere !== true || entry.kind !== "create") return false;
  return tries === 0 && whole === undefined && heldNameTime(entry.name) !== undefined;
}

function question({ entry: { name, timestamp } }: PushedRecord): SyncRecord {
  const none = { other: "", first: 0, second: 0, crc32: 0, content: empty };
  return { kind: "find", name, timestamp, ...none };
}

/** A file that can be changed is sent with its own time, which tells its versions apart. */
function versionTime(entry: BinlogEntry, modifiedSeconds: number): number {
  const decoded = decodeBase(parseRemoteFilename(entry.name)?.base ?? "");
  const isForGood = decoded !== undefined && !decoded.isSlave && !decoded.isAppender;
  return isForGood ? entry.timestamp : modifiedSeconds;
}

/** What the status of one record means for it. */
function outcomeOf(record: SyncRecord, status: number): PushOutcome {
  const fits = status !== syncStatus.missing && status !== syncStatus.differs;
  if (fits || record.kind === "create" || record.kind === "replace") {
    return outcomeOfStatus(status, record.content.length);
  }
  return record.kind === "delete" ? pushed : { kind: "whole" };
}

function outcomeOfStatus(status: number, bytes: number): PushOutcome {
  if (status === syncStatus.done || status === syncStatus.already) return { kind: "done", bytes };
  if (status === syncStatus.damaged) {
    const why = "its content arrived damaged";
    return { kind: "failed", why, unreadable: false };
  }
  return refusal(status);
}

/**
 * What goes into one message: the sizes of files that can change are not known before they are read, so that together they may be more
 * than was expected of them.
 */
function* batchesOf(records: readonly SyncRecord[]): Generator<readonly SyncRecord[]> {
  let batch: SyncRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    if (batch.length > 0 && bytes + record.content.length > syncBatchContentBytes) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(record);
    bytes += record.content.length;
  }
  if (batch.length > 0) yield batch;
}

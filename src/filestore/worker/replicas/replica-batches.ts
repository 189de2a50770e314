/**
 * New files that a peer sends many at a time: one request for all, whose contents stay where they were received until their changes have
 * ended. What is not simply a new file, whose name waits, or that fails, is left to the main thread, which asks for it by itself and is told
 * why. Worker thread.
 */
import { AppError } from "#base/app-error.ts";
import type { StoredOutcome } from "#filestore/replica-store.ts";
import type { RingRecord } from "#filestore/ring.ts";
import type { Answers } from "#filestore/worker/answers.ts";
import { failureOf } from "#filestore/worker/failure.ts";
import type { Change, StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { batchOutcomes } from "#filestore/worker-messages.ts";
import { maxSyncRecords, type SyncRecord, syncRecords } from "#protocol/peer/sync-record.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";

/** After a file that was here already, files of so many batches are looked for before they are created. */
const lookedBatches = 16;

export interface ReplicaBatchParts {
  readonly engine: Pick<StorePathEngine, "startWrite">;
  readonly answers: Answers;
  /** Throws where no change is taken now. */
  readonly requireChanges: () => void;
  /** A change of this name has to wait. */
  readonly isTaken: (name: string) => boolean;
  /** `id` is one of ours: below 0. */
  readonly stage: (id: number, change: Change) => void;
}

interface Batch {
  readonly id: number;
  readonly records: readonly SyncRecord[];
  /** Places in `batchOutcomes`. */
  readonly outcomes: number[];
  /** Changes that have not ended, and the staging of more. */
  open: number;
  latest: number;
  bytes: number;
}

/** True for the changes of a batch. */
export function isOfBatch(changeId: number): boolean {
  return changeId < 0;
}

export class ReplicaBatches {
  readonly #parts: ReplicaBatchParts;
  /** By their numbers, which are used again. */
  readonly #batches: (Batch | undefined)[] = [];
  /** Batches whose files are looked for. */
  #looks = 0;

  constructor(parts: ReplicaBatchParts) {
    this.#parts = parts;
  }

  /** Answers when all of its changes have ended. Throws what it is to be answered with; then nothing was begun. */
  begin(request: RingRecord): void {
    const { answers, requireChanges } = this.#parts;
    requireChanges();
    const records = recordsOf(answers.payload(request), request.a);
    const outcomes = records.map(() => 0);
    const batch = { id: request.id, records, outcomes, open: 1, latest: 0, bytes: 0 };
    const free = this.#batches.indexOf(undefined);
    const number = free < 0 ? this.#batches.length : free;
    this.#batches[number] = batch;
    const isUnlikely = this.#looks === 0;
    if (!isUnlikely) this.#looks -= 1;
    for (const [at, record] of records.entries()) {
      const change = this.#prepare(record, isUnlikely);
      if (change === undefined) continue;
      batch.open += 1;
      this.#parts.stage(-1 - (number * maxSyncRecords + at), change);
    }
    this.#close(batch, number);
  }

  /** A change that was staged has its result or its error. */
  ended(changeId: number, change: Change): void {
    const at = (-1 - changeId) % maxSyncRecords;
    const number = Math.floor((-1 - changeId) / maxSyncRecords);
    const batch = this.#batches[number];
    const record = batch?.records[at];
    if (batch === undefined || record === undefined) return;
    if (change.error === undefined) {
      batch.outcomes[at] = batchOutcomes.indexOf(outcomeOf(change));
      batch.latest = Math.max(batch.latest, record.timestamp);
      batch.bytes += record.content.length;
    } else if (change.error.details.errno === "EEXIST") {
      this.#looks = lookedBatches;
    }
    this.#close(batch, number);
  }

  #close(batch: Batch, number: number): void {
    batch.open -= 1;
    if (batch.open > 0) return;
    this.#batches[number] = undefined;
    const { id, latest: a, bytes: b } = batch;
    this.#parts.answers.done(id, { text: batch.outcomes.join(""), a, b });
  }

  /** Undefined for what is left to the main thread. */
  #prepare(record: SyncRecord, isUnlikely: boolean): Change | undefined {
    const { kind, name, timestamp, crc32, content } = record;
    if (kind !== "create" || this.#parts.isTaken(name)) return undefined;
    const target = { kind: "replica", mode: "create", versioned: true } as const;
    try {
      const file = { ...target, name, timestamp, crc32, isUnlikely };
      const handle = this.#parts.engine.startWrite(file, content.length);
      try {
        if (handle.writeWhole !== undefined) handle.writeWhole(content);
        else handle.write(content);
        return handle.finish();
      } catch (error) {
        handle.abort();
        throw error;
      }
    } catch (error) {
      // Throws our own mistakes on.
      failureOf(error);
      return undefined;
    }
  }
}

function outcomeOf({ result }: Change): StoredOutcome {
  return result === "already" || result === "later" ? result : "done";
}

function recordsOf(payload: Uint8Array, count: number): readonly SyncRecord[] {
  try {
    return syncRecords(payload, count);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new AppError("file-invalid", error.message);
  }
}

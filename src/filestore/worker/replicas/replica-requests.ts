/** Requests of replication but for those with a body, which are writes (`worker-messages.ts`). Worker thread. */
import { AppError } from "#base/app-error.ts";
import type { FilledPage } from "#filestore/binlog/binlog-pages.ts";
import type { RingRecord } from "#filestore/ring.ts";
import type { Answers } from "#filestore/worker/answers.ts";
import type { LongWork } from "#filestore/worker/long-work.ts";
import type { Change, StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { flagAtEnd, flagReplaces, flagVersioned, request } from "#filestore/worker-messages.ts";

export interface ReplicaRequestParts {
  readonly engine: StorePathEngine;
  readonly answers: Answers;
  readonly longWork: LongWork;
  /** Throws where no change is taken now. */
  readonly requireChanges: () => void;
  readonly stage: (id: number, change: Change) => void;
  readonly stageLater: (id: number, steps: Generator<undefined, Change>) => void;
  /** True where a change of this name has to wait; then `record` waits in its line. */
  readonly waits: (name: string, record: RingRecord) => boolean;
}

/** Answers the request, stages its change, or throws what it is to be answered with. */
export function performReplica(record: RingRecord, parts: ReplicaRequestParts): void {
  switch (record.kind) {
    case request.readBinlog:
    case request.binlogEnd:
    case request.readMark:
      read(record, parts);
      break;
    case request.writeMark:
    case request.removeMark:
      mark(record, parts);
      break;
    default:
      change(record, parts);
      break;
  }
}

function read(record: RingRecord, { engine, answers, longWork }: ReplicaRequestParts): void {
  const { id, a, b } = record;
  const { replication } = engine;
  if (record.kind === request.binlogEnd) {
    const { index, offset } = replication.end;
    answers.done(id, { a: index, b: offset });
    return;
  }
  const view = answers.view(record.block);
  if (record.kind === request.readMark) {
    const text = replication.marks.read(record.text, view.length);
    if (text !== undefined)
      Buffer.from(view.buffer, view.byteOffset, view.length).write(text, "latin1");
    answers.done(id, { a: text?.length ?? -1 });
    return;
  }
  const steps = replication.readBinlog({ index: a, offset: b }, view, record.blockLength);
  const done = ({ next, length, atEnd }: FilledPage): void =>
    answers.done(id, { a: next.index, b: next.offset, length, flags: atEnd ? flagAtEnd : 0 });
  const step = steps.next();
  if (step.done === true) done(step.value);
  else
    longWork.start(steps, { committed: false, done, failed: (error) => answers.fail(id, error) });
}

function mark(record: RingRecord, { engine, answers, requireChanges }: ReplicaRequestParts): void {
  requireChanges();
  const { marks } = engine.replication;
  if (record.kind === request.removeMark) marks.remove(record.text);
  else marks.write(record.text, record.block < 0 ? new Uint8Array(0) : answers.payload(record));
  answers.done(record.id);
}

function change(record: RingRecord, parts: ReplicaRequestParts): void {
  const { engine, requireChanges, stage, stageLater, waits } = parts;
  const { id, text: name, text2: other, a: timestamp } = record;
  const { changes } = engine.replication;
  requireChanges();
  if (waits(name, record)) return;
  switch (record.kind) {
    case request.replicaRecord:
      stage(id, changes.record(name, timestamp, (record.flags & flagReplaces) !== 0));
      break;
    case request.replicaRemove:
      stage(id, changes.remove(name, timestamp));
      break;
    case request.replicaTruncate:
      stage(
        id,
        changes.truncate({
          ...{ name, timestamp, oldSize: record.b, newSize: record.c },
          versioned: (record.flags & flagVersioned) !== 0,
        }),
      );
      break;
    case request.replicaLink:
      stage(id, changes.link({ name, source: other, timestamp }));
      break;
    case request.replicaRename:
      if (waits(other, record)) return;
      stageLater(id, changes.rename({ name: other, source: name, timestamp }));
      break;
    default:
      throw new AppError("file-invalid", `there is no request ${record.kind}`);
  }
}

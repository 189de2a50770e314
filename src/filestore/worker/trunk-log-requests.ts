/** Requests about the group's trunk binlog (`worker-messages.ts`). Worker thread of the first store path. */
import { AppError } from "#base/app-error.ts";
import type { RingRecord } from "#filestore/ring.ts";
import type { Answers } from "#filestore/worker/answers.ts";
import { onDisk } from "#filestore/worker/disk-failure.ts";
import type { LongWork } from "#filestore/worker/long-work.ts";
import type { TrunkBinlogFile } from "#filestore/worker/trunk-binlog-file.ts";
import { flagReplace, request, writeFlag } from "#filestore/worker-messages.ts";

export interface TrunkLogRequestsParts {
  readonly binlog: TrunkBinlogFile;
  readonly answers: Answers;
  readonly longWork: LongWork;
}

export class TrunkLogRequests {
  readonly #parts: TrunkLogRequestsParts;

  constructor(parts: TrunkLogRequestsParts) {
    this.#parts = parts;
  }

  /** Throws `file-invalid` for a request of another kind, and `disk-failed`. */
  perform(record: RingRecord): void {
    if (record.kind === request.trunkLogCompress) this.#compress(record);
    else onDisk("use the trunk binlog", () => this.#performNow(record));
  }

  #performNow(record: RingRecord): void {
    const { binlog, answers } = this.#parts;
    switch (record.kind) {
      case request.trunkLogAppend:
        answers.done(record.id, { a: binlog.append(answers.payload(record)) });
        break;
      case request.trunkLogRead: {
        const read = binlog.read(record.text, answers.view(record.block), record.a);
        answers.done(record.id, { a: read?.size ?? -1, length: read?.length ?? 0 });
        break;
      }
      case request.trunkLogMark:
        binlog.writeMark(record.text, Buffer.from(record.text2, "latin1"));
        answers.done(record.id);
        break;
      case request.trunkLogReset:
        binlog.reset(record.a, record.b);
        answers.done(record.id);
        break;
      case request.trunkLogSnapshot: {
        const piece = {
          isFirst: (record.flags & writeFlag.first) !== 0,
          isLast: (record.flags & writeFlag.last) !== 0,
          lines: answers.payload(record),
          binlogBytes: record.a,
        };
        answers.done(record.id, { a: binlog.writeSnapshot(piece) ? 1 : 0 });
        break;
      }
      case request.trunkOwed: {
        const lines = answers.payload(record);
        if ((record.flags & flagReplace) === 0) binlog.owed.append(lines);
        else binlog.owed.replace(lines);
        answers.done(record.id);
        break;
      }
      case request.trunkLogForget:
        binlog.forget();
        answers.done(record.id);
        break;
      default:
        throw new AppError("file-invalid", `unknown request ${record.kind}`);
    }
  }

  #compress(record: RingRecord): void {
    const { binlog, answers, longWork } = this.#parts;
    longWork.start(compression(binlog, record), {
      committed: false,
      done: (size) => answers.done(record.id, { a: size }),
      failed: (error) => answers.fail(record.id, error),
    });
  }
}

/** As long work hands out flushes; this flushes by itself, a few times in a day. */
function* compression(binlog: TrunkBinlogFile, record: RingRecord): Generator<undefined, number> {
  const steps = binlog.compress(record.a, record.b);
  let ended = false;
  try {
    for (;;) {
      const step = onDisk("compress the trunk binlog", () => steps.next());
      if (step.done === true) {
        ended = true;
        return step.value;
      }
      yield undefined;
    }
  } finally {
    if (!ended) steps.return(0);
  }
}

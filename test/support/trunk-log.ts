/** A trunk binlog on a disk in memory, spoken to through the requests that a worker gets; without ring and thread. */
import { Log } from "#base/log.ts";
import { blockView, makeBlockMemory } from "#filestore/block-pool.ts";
import { fileStoreError } from "#filestore/errors.ts";
import type { RingRecord, RingWriter } from "#filestore/ring.ts";
import type { RequestFields } from "#filestore/store-path-client.ts";
import { TrunkLogClient } from "#filestore/trunk-log-client.ts";
import { Answers } from "#filestore/worker/answers.ts";
import type { LongWork } from "#filestore/worker/long-work.ts";
import { TrunkBinlogFile } from "#filestore/worker/trunk-binlog-file.ts";
import { TrunkLogRequests } from "#filestore/worker/trunk-log-requests.ts";
import { completion } from "#filestore/worker-messages.ts";
import { MemoryFiles } from "./memory-files.ts";

export class MemoryTrunkLog {
  readonly files = new MemoryFiles("/d", "/d/data", "/d/data/.cairn");
  readonly client: TrunkLogClient;
  /** Kinds of the requests that came. */
  readonly asked: number[] = [];
  /** The store path is away. */
  away = false;
  readonly #file: TrunkBinlogFile;

  constructor() {
    const log = new Log("test", () => {});
    this.#file = new TrunkBinlogFile({
      ...{ files: this.files, log, data: "/d/data", own: "/d/data/.cairn", flushed: true },
    });
    const memory = makeBlockMemory();
    const largeBlock = 300;
    this.client = new TrunkLogClient(() => ({
      blocks: {
        take: async () => largeBlock,
        give: () => {},
        view: (block) => blockView(memory, block),
      },
      send: (fields) => this.#send(fields, memory),
    }));
  }

  /** The content of a file, as text; undefined where there is none. */
  text(name = "binlog"): string | undefined {
    const target = Buffer.alloc(16 * 1024 * 1024);
    const read = this.#file.read(name, target, 0);
    return read === undefined ? undefined : target.toString("latin1", 0, read.length);
  }

  append(lines: string): void {
    this.#file.append(Buffer.from(lines, "latin1"));
  }

  async #send(
    fields: RequestFields,
    memory: SharedArrayBuffer,
  ): Promise<{ readonly a: number; readonly blockLength: number }> {
    this.asked.push(fields.kind);
    if (this.away) throw fileStoreError("store-path-offline", "the store path is away");
    const completions: RingRecord[] = [];
    const writer = { push: (record: RingRecord) => completions.push(record) };
    const requests = new TrunkLogRequests({
      binlog: this.#file,
      answers: new Answers(writer as unknown as RingWriter, memory),
      longWork: { start: runAtOnce } as unknown as LongWork,
    });
    const none = { flags: 0, block: -1, blockLength: 0, a: 0, b: 0, c: 0, text: "", text2: "" };
    requests.perform({ id: 1, ...none, ...fields });
    const [answer] = completions;
    if (answer?.kind !== completion.done) throw fileStoreError("disk-failed", answer?.text2 ?? "");
    return answer;
  }
}

function runAtOnce(
  steps: Generator<undefined, number>,
  owner: { readonly done: (size: number) => void },
): void {
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) {
      owner.done(step.value);
      return;
    }
  }
}

/** Requests about inventories, and about names in the binlog (`worker-messages.ts`). Worker thread. */
import { fileStoreError } from "#filestore/errors.ts";
import { decodeHorizons } from "#filestore/inventory/horizons.ts";
import { countBytes, fanOut } from "#filestore/inventory/inventory-table.ts";
import type { RingRecord } from "#filestore/ring.ts";
import type { Answers } from "#filestore/worker/answers.ts";
import { formatAnswer, maxSearched, searchBinlog } from "#filestore/worker/binlog-search.ts";
import { stepsOnDisk } from "#filestore/worker/disk-failure.ts";
import { countNames, listLeaf } from "#filestore/worker/inventory-walk.ts";
import type { LongWork } from "#filestore/worker/long-work.ts";
import { PathNames } from "#filestore/worker/path-names.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { inventoryFlag, request } from "#filestore/worker-messages.ts";

export interface InventoryRequestParts {
  readonly engine: Pick<StorePathEngine, "world" | "inventory">;
  readonly answers: Answers;
  readonly longWork: LongWork;
}

/** True for the requests that `perform` takes. */
export function isInventoryRequest(kind: number): boolean {
  return kind >= request.inventoryBegin && kind <= request.pathNames;
}

export class InventoryRequests {
  readonly #parts: InventoryRequestParts;
  #names: PathNames | undefined;

  constructor(parts: InventoryRequestParts) {
    this.#parts = parts;
  }

  /** Throws `file-missing` for a walk that is not there any more, `file-invalid`, `disk-failed`. */
  perform(record: RingRecord): void {
    const { answers } = this.#parts;
    const walk = this.#parts.engine.inventory;
    switch (record.kind) {
      case request.inventoryBegin: {
        const horizons = decodeHorizons(answers.payload(record));
        answers.done(record.id, { a: walk.begin(horizons, record.a) });
        break;
      }
      case request.inventoryRead:
        this.#read(record);
        break;
      case request.inventoryEnd:
        walk.end(record.a);
        answers.done(record.id);
        break;
      case request.inventoryLeaf:
        this.#leaf(record);
        break;
      case request.binlogSearch:
        this.#search(record);
        break;
      default:
        this.#listNames(record);
        break;
    }
  }

  close(): void {
    this.#names?.close();
  }

  #read(record: RingRecord): void {
    const { answers } = this.#parts;
    if (record.a === 0) {
      this.#count(record);
      return;
    }
    const walk = this.#parts.engine.inventory;
    const state = walk.state(record.a);
    if (state === undefined) throw fileStoreError("file-missing", "there is no such inventory");
    if (state.problem !== undefined) {
      throw fileStoreError("disk-failed", `the inventory ended early: ${state.problem}`);
    }
    const length = record.block < 0 ? 0 : state.table.write(record.b, answers.view(record.block));
    answers.done(record.id, { a: state.leavesDone, b: state.files, length });
  }

  #count(record: RingRecord): void {
    const { answers, engine } = this.#parts;
    const view = answers.view(record.block);
    const upper = record.b < fanOut ? record.b : undefined;
    this.#start(record.id, countNames(engine.world, upper), (counts) => {
      const bytes = Buffer.from(view.buffer, view.byteOffset, view.length);
      for (const [at, count] of counts.entries()) bytes.writeUInt32BE(count, at * countBytes);
      answers.done(record.id, { length: counts.length * countBytes });
    });
  }

  #leaf(record: RingRecord): void {
    const { answers, engine } = this.#parts;
    const horizons = decodeHorizons(answers.payload(record));
    const view = answers.view(record.block);
    const how = { after: record.text, horizons, room: view.length };
    this.#start(record.id, listLeaf(engine.world, record.a, how), ({ lines, more }) => {
      const length = Buffer.from(view.buffer, view.byteOffset, view.length).write(lines, "latin1");
      answers.done(record.id, { length, flags: more ? inventoryFlag.more : 0 });
    });
  }

  #search(record: RingRecord): void {
    const { answers } = this.#parts;
    const view = answers.view(record.block);
    const bytes = Buffer.from(view.buffer, view.byteOffset, view.length);
    const wanted = bytes.toString("latin1", 0, record.blockLength).split("\n").slice(0, -1);
    if (wanted.length > maxSearched) throw fileStoreError("file-invalid", "too many names");
    this.#start(record.id, searchBinlog(this.#binlog, wanted), (found) => {
      const text = found.map((answer) => `${formatAnswer(answer)}\n`).join("");
      answers.done(record.id, { length: bytes.write(text, "latin1") });
    });
  }

  #listNames(record: RingRecord): void {
    const { answers, engine } = this.#parts;
    const view = answers.view(record.block);
    const bytes = Buffer.from(view.buffer, view.byteOffset, view.length);
    const { layout } = engine.world;
    this.#names ??= new PathNames({ binlog: this.#binlog, layout });
    this.#start(record.id, this.#names.page({ index: record.a, offset: record.b }), (page) => {
      const length = bytes.write(page.lines, "latin1");
      if (length < page.lines.length) {
        throw fileStoreError("file-invalid", "the block is too small");
      }
      const { index: a, offset: b } = page.next;
      answers.done(record.id, { a, b, length, flags: page.atEnd ? 0 : inventoryFlag.more });
    });
  }

  get #binlog() {
    const { files, layout } = this.#parts.engine.world;
    return { files, directory: layout.sync, scratch: layout.tmp };
  }

  #start<Result>(
    id: number,
    steps: Generator<undefined, Result>,
    done: (result: Result) => void,
  ): void {
    this.#parts.longWork.start(stepsOnDisk("look through the store path", steps), {
      committed: false,
      done,
      failed: (error) => this.#parts.answers.fail(id, error),
    });
  }
}

/** What an engine does for replication: its binlog for those who read it, their marks, and peers' changes without bodies. Worker thread. */
import { BinlogPages, type FilledPage, minPageBytes } from "#filestore/binlog/binlog-pages.ts";
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { stepsOnDisk } from "#filestore/worker/disk-failure.ts";
import type { FileReader } from "#filestore/worker/file-reader.ts";
import { ReplicaPreparer } from "#filestore/worker/replicas/replica-preparer.ts";
import { SyncMarks } from "#filestore/worker/replicas/sync-marks.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";

export class Replication {
  readonly marks: SyncMarks;
  readonly changes: ReplicaPreparer;
  readonly #pages: BinlogPages;
  readonly #end: () => BinlogPosition;

  /** `end`: all records before it are carried out, and stay. */
  constructor(store: StorePath, reader: FileReader, end: () => BinlogPosition) {
    const { files, layout } = store;
    this.marks = new SyncMarks(store);
    this.changes = new ReplicaPreparer(store, reader);
    this.#pages = new BinlogPages({ files, directory: layout.sync, scratch: layout.tmp });
    this.#end = end;
  }

  get end(): BinlogPosition {
    return this.#end();
  }

  /** As `BinlogPages.read`; `target` has room for `minPageBytes` at least. Throws `binlog-gone`, `disk-failed`. */
  readBinlog(
    from: BinlogPosition,
    target: Uint8Array,
    maxBytes: number,
  ): Generator<undefined, FilledPage> {
    const room = target.subarray(0, Math.max(minPageBytes, maxBytes));
    return stepsOnDisk("read the binlog", this.#pages.read(from, this.#end(), room));
  }

  close(): void {
    this.#pages.close();
  }
}

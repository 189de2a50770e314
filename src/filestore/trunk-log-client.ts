/**
 * The group's trunk binlog as the main thread sees it: kept by the worker of the first store path, read and written in pieces. Main thread;
 * all calls reject with `AppError<FileStoreErrorCode>` when that path is away.
 */

import { largeBlockBytes } from "#filestore/block-pool.ts";
import { fileStoreError } from "#filestore/errors.ts";
import type { RequestFields } from "#filestore/store-path-client.ts";
import type { SnapshotPiece } from "#filestore/worker/trunk-snapshot-file.ts";
import { flagReplace, request, writeFlag } from "#filestore/worker-messages.ts";

/** In one append or one read, in bytes. */
export const maxTrunkLogPieceBytes = largeBlockBytes;

/** What this needs of a store path's client. */
export interface TrunkLogPath {
  readonly blocks: {
    take(size: "large"): Promise<number>;
    give(block: number): void;
    view(block: number): Uint8Array;
  };
  send(fields: RequestFields): Promise<{ readonly a: number; readonly blockLength: number }>;
}

export interface TrunkLogPiece {
  /** Of the whole file. */
  readonly sizeBytes: number;
  readonly bytes: Uint8Array;
}

export class TrunkLogClient {
  readonly #find: () => TrunkLogPath | undefined;

  /** `find`: the first store path. */
  constructor(find: () => TrunkLogPath | undefined) {
    this.#find = find;
  }

  get #path(): TrunkLogPath {
    const path = this.#find();
    if (path !== undefined) return path;
    throw fileStoreError("store-path-offline", "there is no store path for the trunk binlog");
  }

  /** `lines` are whole ones, at most `maxTrunkLogPieceBytes`. Resolves to the size of the binlog. */
  append(lines: Uint8Array): Promise<number> {
    return this.#withBlock(async (block, view) => {
      view.set(lines);
      const fields = { kind: request.trunkLogAppend, block, blockLength: lines.length };
      return (await this.#path.send(fields)).a;
    });
  }

  /** At most `limitBytes` from `offset` on; undefined where there is no such file. `name`: `binlog`, `snapshot`, `owed` or `….mark`. */
  read(name: string, offset: number, limitBytes: number): Promise<TrunkLogPiece | undefined> {
    return this.#withBlock(async (block, view) => {
      const fields = { kind: request.trunkLogRead, text: name, a: offset, block };
      const read = await this.#path.send({ ...fields, blockLength: view.length });
      if (read.a < 0) return undefined;
      const bytes = Buffer.from(view.subarray(0, Math.min(read.blockLength, limitBytes)));
      return { sizeBytes: read.a, bytes };
    });
  }

  /** A piece of a snapshot, at most `maxTrunkLogPieceBytes` of lines. Resolves to false where the binlog is another one by now. */
  writeSnapshot({ isFirst, isLast, lines, binlogBytes }: SnapshotPiece): Promise<boolean> {
    return this.#withBlock(async (block, view) => {
      view.set(lines);
      const flags = (isFirst ? writeFlag.first : 0) | (isLast ? writeFlag.last : 0);
      const fields = { kind: request.trunkLogSnapshot, block, blockLength: lines.length, flags };
      return (await this.#path.send({ ...fields, a: binlogBytes })).a === 1;
    });
  }

  /** Adds lines to what the trunk server has still to be told. */
  appendOwed(lines: Uint8Array): Promise<void> {
    return this.#writeOwed(lines, 0);
  }

  /** These lines alone are what it has still to be told. */
  replaceOwed(lines: Uint8Array): Promise<void> {
    return this.#writeOwed(lines, flagReplace);
  }

  /** Bytes of the binlog, 0 where there is none. */
  async size(): Promise<number> {
    return (await this.read("binlog", 0, 0))?.sizeBytes ?? 0;
  }

  async writeMark(name: string, content: string): Promise<void> {
    await this.#path.send({ kind: request.trunkLogMark, text: name, text2: content });
  }

  /** The binlog begins anew. */
  async reset(maxBackups: number, nowSeconds: number): Promise<void> {
    await this.#path.send({ kind: request.trunkLogReset, a: maxBackups, b: nowSeconds });
  }

  /** Nobody has read the binlog, and there is no snapshot. */
  async forget(): Promise<void> {
    await this.#path.send({ kind: request.trunkLogForget });
  }

  /** Resolves to the size of the binlog, which has nothing but what is free. Marks are gone. */
  async compress(maxBackups: number, nowSeconds: number): Promise<number> {
    const fields = { kind: request.trunkLogCompress, a: maxBackups, b: nowSeconds };
    return (await this.#path.send(fields)).a;
  }

  #writeOwed(lines: Uint8Array, flags: number): Promise<void> {
    return this.#withBlock(async (block, view) => {
      view.set(lines);
      await this.#path.send({ kind: request.trunkOwed, block, blockLength: lines.length, flags });
    });
  }

  async #withBlock<Result>(
    use: (block: number, view: Uint8Array) => Promise<Result>,
  ): Promise<Result> {
    const { blocks } = this.#path;
    const block = await blocks.take("large");
    try {
      return await use(block, blocks.view(block));
    } finally {
      blocks.give(block);
    }
  }
}

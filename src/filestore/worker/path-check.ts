/**
 * Whether a store path can be trusted again after its disk hung or one of its flushes failed: it is still the file system that was
 * opened and ours alone, takes a file, keeps it and gives it back, and the binlog ends where it should. After a failed flush the
 * kernel may have dropped what was written, and says so once only; hence the end of the binlog is written again, and what was
 * stored since the checkpoint is read again and compared with the size and the CRC-32 in its name.
 *
 * What this cannot see: reading goes through the kernel's cache, so a file may be well there and not on the disk. Acknowledged
 * files are not in doubt in the flushed mode, since each had a flush of its own that succeeded, if only in the journal, from which they are
 * written again; in the relaxed mode they are, as they always are there. Worker thread.
 */
import { hasCode } from "#base/app-error.ts";
import { binlogPath } from "#filestore/binlog/binlog-files.ts";
import { BinlogReader, type BinlogRecord, readRecords } from "#filestore/binlog/binlog-reader.ts";
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { type FileStoreErrorCode, fileStoreError } from "#filestore/errors.ts";
import { diskFailure, type FileStoreError, onDisk } from "#filestore/worker/disk-failure.ts";
import { type FilePlace, isMetadataBase, lockKey } from "#filestore/worker/file-layout.ts";
import type { FileReader } from "#filestore/worker/file-reader.ts";
import { type FlushSteps, flushAll } from "#filestore/worker/flush-steps.ts";
import { replayRecords, replaySlots } from "#filestore/worker/journal/journal-replay.ts";
import { damagedTailBytes, maxFilesReadAgain, stepBytes } from "#filestore/worker/limits.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { decodeBase } from "#model/file-id.ts";

/** Size of the test file. */
const testBytes = 4096;
const lineFeed = 0x0a;
/** Damaged files that are named in the log. */
const maxNamed = 20;

export class PathCheck {
  readonly #store: StorePath;
  readonly #reader: FileReader;
  readonly #identity: string;
  /** Of the engine's own directory alone: one call. */
  readonly #own: string;

  /** Notes what the path is now. Throws `disk-failed`. */
  constructor(store: StorePath, reader: FileReader) {
    this.#store = store;
    this.#reader = reader;
    this.#identity = this.#identify();
    this.#own = this.#identifyOwn();
  }

  get isPresent(): boolean {
    try {
      return this.#identifyOwn() === this.#own;
    } catch (error) {
      // Whatever its disk says of it: nobody can say that something is not there.
      diskFailure(error, "look at the store path");
      return false;
    }
  }

  #identifyOwn(): string {
    const stat = this.#store.files.stat(this.#store.layout.own, true);
    return `${stat?.device}:${stat?.inode}`;
  }

  /**
   * `suspectSince`: the checkpoint, where a flush failed; undefined where the disk only hung. Returns how many files were read again.
   * Throws `AppError` with what is wrong.
   */
  *steps(suspectSince: BinlogPosition | undefined): FlushSteps<number> {
    if (this.#identify() !== this.#identity) {
      const { directory } = this.#store.layout;
      throw unfit(`${directory} is not what was opened: mount its disk there, or restart the node`);
    }
    try {
      yield* this.#testFile();
    } catch (error) {
      // A full disk must take deletes again.
      if (!hasCode<FileStoreErrorCode>(error, "store-full")) throw error;
      this.#store.log.notice("path-checked-without-test-file", { why: error.message });
    }
    yield* this.#directories();
    // First: the kernel may give back the binlog as it is on the disk.
    if (suspectSince !== undefined) this.#replayJournal(suspectSince);
    yield* this.#binlogTail(suspectSince);
    if (suspectSince !== undefined) this.#store.journal.trust();
    return suspectSince === undefined ? 0 : yield* this.#readAgain(suspectSince);
  }

  /** Which file system and directories these are, and whose claim lies there. */
  #identify(): string {
    const { files, layout } = this.#store;
    return onDisk("look at the store path", () => {
      const paths = [layout.directory, layout.data, layout.own, `${layout.own}/claim`];
      const stats = paths.map((path) => files.stat(path, true));
      return stats.map((stat) => `${stat?.device}:${stat?.inode}`).join(" ");
    });
  }

  *#testFile(): FlushSteps<void> {
    const { files, staged } = this.#store;
    const path = staged.newPart();
    const bytes = Buffer.alloc(testBytes, `cairn checks ${path} at ${this.#store.clock.nowMs()}\n`);
    const descriptor = onDisk("write a test file", () => files.open(path, "create"));
    let found: Buffer;
    try {
      try {
        onDisk("write a test file", () => files.write(descriptor, bytes));
        yield* this.#flush([{ kind: "file", path, descriptor }], "a test file");
      } finally {
        staged.close(descriptor);
      }
      found = onDisk("read a test file", () => this.#read(path, 0, testBytes));
    } catch (error) {
      staged.drop(path);
      throw error;
    }
    onDisk("remove a test file", () => files.remove(path));
    if (!found.equals(bytes)) throw unfit("a test file was read back with another content");
  }

  /** Those that were made since they were last flushed, and that of the test file. */
  *#directories(): FlushSteps<void> {
    const { layout } = this.#store;
    const directories = this.#store.tree.takeUnflushed();
    try {
      const own = { kind: "directory", path: layout.tmp } as const;
      yield* this.#flush([...directories, own], "directories");
    } catch (error) {
      this.#store.tree.leaveUnflushed(directories);
      throw error;
    }
  }

  /**
   * What commits flushed in the journal alone is written again: nobody else may have it. Records only where they cannot be read, see
   * `#binlogTail` for those that can.
   */
  #replayJournal(since: BinlogPosition): void {
    const { files, layout, log } = this.#store;
    onDisk("complete what the journal has", () => {
      const parts = { files, layout, log };
      const entries = replayRecords(parts, since);
      const binlog = { files, log, directory: layout.sync, scratch: layout.tmp };
      if (entries.length > 0) replaySlots(parts, entries, readRecords(binlog, since));
    });
  }

  /** Its last pages are made dirty again, and flushed: what a failed flush dropped of them is written after all. */
  *#binlogTail(suspectSince: BinlogPosition | undefined): FlushSteps<void> {
    const { files, binlog, layout } = this.#store;
    const { index, offset } = binlog.position;
    const path = binlogPath(layout.sync, index);
    const size = onDisk("look at the binlog", () => files.stat(path, true)?.sizeBytes);
    if (size === undefined || size < offset) {
      throw unfit(`the binlog ${path} has ${size ?? "no"} bytes of ${offset}`);
    }
    if (offset === 0) return;
    const suspect = suspectSince?.index === index ? suspectSince.offset : 0;
    const from = Math.max(0, offset - damagedTailBytes, Math.min(offset - stepBytes, suspect));
    const descriptor = onDisk("open the binlog", () => files.open(path, "read-write"));
    try {
      const tail = onDisk("read the binlog", () => this.#read(path, from, offset - from));
      if (tail.at(-1) !== lineFeed) throw unfit(`the binlog ${path} does not end with a record`);
      onDisk("write the binlog again", () => files.write(descriptor, tail, from));
      yield* this.#flush([{ kind: "file", path, descriptor }], "the binlog");
    } finally {
      files.close(descriptor);
    }
  }

  *#readAgain(since: BinlogPosition): FlushSteps<number> {
    const { log, layout, locks } = this.#store;
    const names = yield* this.#storedSince(since);
    const damaged: string[] = [];
    let count = 0;
    for (const name of names) {
      const place = layout.find(name);
      if (place === undefined || locks.has(lockKey(name))) continue;
      count += 1;
      if (!(yield* this.#isWell(place))) damaged.push(name);
      yield;
    }
    if (damaged.length === 0) return count;
    const files = damaged.slice(0, maxNamed).join(" ");
    log.error("files-damaged", { count: damaged.length, files });
    throw unfit(
      `${damaged.length} of ${count} files stored last are damaged, such as ${damaged[0]}`,
    );
  }

  /** Names of files that are there according to the binlog, the latest last. */
  *#storedSince(since: BinlogPosition): FlushSteps<readonly string[]> {
    const { files, layout } = this.#store;
    const parts = { files, directory: layout.sync, scratch: layout.tmp };
    const reader = new BinlogReader(parts, since);
    const there = new Set<string>();
    try {
      for (;;) {
        const chunk = onDisk("read the binlog", () => reader.read());
        for (const record of chunk.records) note(there, record);
        if (chunk.records.length === 0 && chunk.invalid.length === 0) break;
        yield;
      }
    } finally {
      reader.close();
    }
    return [...there].slice(-maxFilesReadAgain);
  }

  /** There, and with the size and the CRC-32 that its name tells, where it tells them. */
  *#isWell(place: FilePlace): Generator<undefined, boolean> {
    try {
      if (isMetadataBase(place.base)) {
        return this.#store.files.stat(place.path, true) !== undefined;
      }
      const facts = this.#reader.facts(place.name);
      const told = decodeBase(place.base);
      const crc = yield* this.#reader.crc(place.name);
      if (facts.crc32 === undefined) return true;
      return facts.crc32 === crc && (told?.size === undefined || told.size === facts.sizeBytes);
    } catch (error) {
      // Bugs are thrown on; whatever else keeps it from being read is damage.
      diskFailure(error, "read a file again");
      return false;
    }
  }

  #read(path: string, from: number, length: number): Buffer {
    const { files } = this.#store;
    const descriptor = files.open(path, "read");
    try {
      const bytes = Buffer.allocUnsafe(length);
      return bytes.subarray(0, files.read(descriptor, bytes, from));
    } finally {
      files.close(descriptor);
    }
  }

  *#flush(targets: Parameters<typeof flushAll>[1], what: string): FlushSteps<void> {
    const error = yield* flushAll(this.#store, targets);
    if (error !== undefined) throw diskFailure(error, `flush ${what}`);
  }
}

function note(there: Set<string>, { entry }: BinlogRecord): void {
  there.delete(entry.name);
  if (entry.kind === "rename") there.delete(entry.oldName);
  if (entry.kind === "delete" || entry.kind === "link") return;
  there.add(entry.name);
}

function unfit(problem: string): FileStoreError {
  return fileStoreError("disk-failed", problem);
}

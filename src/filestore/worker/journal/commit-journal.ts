/**
 * Where a commit is flushed to first: its binlog records and the slots of trunk files that it wrote stand once more, side by side, in a
 * file whose blocks were written before. Flushing that is one write to the disk without a commit of the file system's journal, where
 * binlog and trunk files would need two flushes and, since the binlog grows, such a commit. They reach the disk later, all together,
 * before the checkpoint moves on; what a crash leaves of them the next start completes from here (`journal-replay.ts`).
 *
 * Records of a segment count as long as the checkpoint is not behind them; then it is written again from its begin. Where a record has no
 * room, and after any failure, the journal refuses, and the commit flushes what it wrote itself, which is always right. Worker thread.
 */
import type { Log } from "#base/log.ts";
import type { BinlogWriter } from "#filestore/binlog/binlog-writer.ts";
import { type BinlogPosition, comparePositions } from "#filestore/binlog/position.ts";
import {
  type JournalSlot,
  journalHeaderBytes,
  journalRecordBytes,
  journalTableBytes,
  maxJournalTableBytes,
  writeJournalTable,
} from "#filestore/formats/journal-record.ts";
import type { JournaledBinlog } from "#filestore/worker/checkpoint.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import {
  removeSegments,
  SegmentMaker,
  segmentPath,
} from "#filestore/worker/journal/segment-maker.ts";
import { type FileDescriptor, FileError, type Files } from "#platform/files.ts";
import type { FlushTarget } from "#platform/flusher.ts";
import type { Random } from "#platform/random.ts";

/** Commits that would have used it before it is made: a path that is hardly written to needs none. */
const commitsBeforeMaking = 64;
/** The part of the second segment that may be used before the checkpoint must follow, whatever was flushed until then. */
const lastCallPart = 3 / 4;
/** Records, in bytes, after which what they are about is brought to the disk beside further commits; of a small segment a part. */
const earlyFlushBytes = 4 * 1024 * 1024;
const earlyFlushPart = 1 / 4;
/** How often a checkpoint is tried while one segment is filled. */
const retriesPerSegment = 16;
const firstBufferBytes = 64 * 1024;
const epochLimit = 2 ** 32;

export interface CommitJournalParts {
  readonly files: Files;
  readonly layout: FileLayout;
  readonly log: Log;
  readonly random: Random;
  /** Of both segments together; 0 where there is to be none. */
  readonly bytes: number;
}

/** What one commit wrote. */
export interface JournaledCommit {
  readonly position: BinlogPosition;
  readonly lines: string;
  readonly slots: readonly JournalSlot[];
  /** Fills `target` with what stands in that slot. Throws `FileError`. */
  readonly read: (slot: JournalSlot, target: Uint8Array) => void;
}

interface Segment {
  readonly path: string;
  readonly descriptor: FileDescriptor;
  readonly sizeBytes: number;
  used: number;
  /** Where the lines of its first record stand, and behind those of its last; undefined where it holds none that counts. */
  first: BinlogPosition | undefined;
  end: BinlogPosition | undefined;
}

export class CommitJournal {
  /** In the background. */
  readonly maker: SegmentMaker;
  readonly #parts: CommitJournalParts;
  #state: "waiting" | "on" | "off";
  #segments: readonly Segment[] = [];
  #current = 0;
  #commits = 0;
  #epoch = 0;
  #sequence = 0;
  #buffer = Buffer.alloc(0);
  /** Where the last record begins. */
  #lastAt = 0;
  /** Bytes of records since the start; as of the last change of segments, and of the begin of an early flush, under way and done. */
  #written = 0;
  #changedAt = 0;
  #earlyAt = 0;
  #earlyDone = 0;
  /** How much of the present segment is used before a checkpoint is due again. */
  #askAgainAt = 0;
  #isSuspect = false;

  constructor(parts: CommitJournalParts) {
    this.#parts = parts;
    this.#state = parts.bytes > 0 ? "waiting" : "off";
    this.maker = new SegmentMaker(parts, (ok) => this.#made(ok));
  }

  /** One that the last run made is used from the start. Throws `FileError`. */
  look(): void {
    if (this.#state === "waiting" && this.maker.isThere) this.maker.begin();
  }

  /** Where there is to be none: removes those of an earlier run. Only when the checkpoint is behind all of their records. */
  removeUnwanted(): void {
    if (this.#parts.bytes === 0) removeSegments(this.#parts);
  }

  /** What a failed start left counts still: nothing may be written over it. */
  refuse(): void {
    this.#state = "off";
    this.maker.stop();
  }

  /** What `add` wrote last. Only after it returned true. */
  get flushTarget(): FlushTarget {
    const { path, descriptor } = this.#segments[this.#current] as Segment;
    return { kind: "file", path, descriptor };
  }

  /** False where the commit is to flush what it wrote itself. */
  add(commit: JournaledCommit): boolean {
    if (this.#state !== "on") {
      this.#wait();
      return false;
    }
    const tableBytes = journalTableBytes(commit);
    // A start would not believe it.
    if (tableBytes > maxJournalTableBytes) return false;
    const slotBytes = commit.slots.reduce((sum, { length }) => sum + length, 0);
    const bytes = journalRecordBytes(tableBytes, slotBytes);
    const segment = this.#segmentFor(bytes);
    if (segment === undefined) return false;
    try {
      this.#parts.files.write(segment.descriptor, this.#fill(commit, bytes), segment.used);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#fail(error);
      return false;
    }
    this.#lastAt = segment.used;
    segment.used += bytes;
    this.#written += bytes;
    segment.first ??= commit.position;
    const { index, offset } = commit.position;
    segment.end = { index, offset: offset + commit.lines.length };
    return true;
  }

  /** The flush of the last record failed: it is not to count, and the journal is not used again by this run. */
  takeBack(): void {
    const segment = this.#segments[this.#current];
    if (this.#state !== "on" || segment === undefined) return;
    this.#state = "off";
    const { files, log } = this.#parts;
    try {
      files.write(segment.descriptor, Buffer.alloc(journalHeaderBytes), this.#lastAt);
      files.flush(segment.descriptor);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      log.warn("journal-record-not-taken-back", { problem: error.message });
    }
  }

  /**
   * True where enough was written that it is worth bringing binlog and trunk files to the disk beside further commits, so that the next
   * checkpoint, for which commits wait, finds little left to do. Once, until `earlyFlushEnded`.
   */
  beginsEarlyFlush(): boolean {
    const segment = this.#segments[this.#current];
    if (segment === undefined || this.#earlyAt !== this.#earlyDone) return false;
    const enough = Math.min(earlyFlushBytes, segment.sizeBytes * earlyFlushPart);
    if (this.#written - this.#earlyAt < enough) return false;
    this.#earlyAt = this.#written;
    return true;
  }

  /** As well as it went. */
  earlyFlushEnded(): void {
    this.#earlyDone = this.#earlyAt;
  }

  /** The other segment could be used again. */
  get isCheckpointDue(): boolean {
    const segment = this.#segments[this.#current];
    if (segment === undefined || this.#next?.end === undefined) return false;
    if (segment.used < this.#askAgainAt) return false;
    return this.#earlyDone > this.#changedAt || segment.used > segment.sizeBytes * lastCallPart;
  }

  /** Whether it works out or not: the next try has time. */
  checkpointBegins(): void {
    const segment = this.#segments[this.#current];
    if (segment !== undefined)
      this.#askAgainAt = segment.used + segment.sizeBytes / retriesPerSegment;
  }

  /** All that was recorded before `position` is on the disk by itself. */
  checkpointed(position: BinlogPosition): void {
    for (const [number, segment] of this.#segments.entries()) {
      if (number === this.#current || segment.end === undefined) continue;
      if (comparePositions(segment.end, position) > 0) continue;
      segment.first = undefined;
      segment.end = undefined;
      segment.used = 0;
    }
  }

  /**
   * A flush of the path failed: the kernel may have dropped what the journal has, and nobody else has it. Until `trust` the checkpoint stays
   * before it.
   */
  distrust(): void {
    this.#isSuspect = true;
  }

  /** What the journal has was written and flushed again. */
  trust(): void {
    this.#isSuspect = false;
  }

  /** Where the checkpoint must stay before; undefined where it need not. */
  get owedSince(): BinlogPosition | undefined {
    if (!this.#isSuspect) return undefined;
    return this.#next?.first ?? this.#segments[this.#current]?.first;
  }

  close(): void {
    this.maker.stop();
    for (const { descriptor } of this.#segments) this.#parts.files.close(descriptor);
    this.#segments = [];
    this.#state = "off";
  }

  get #next(): Segment | undefined {
    return this.#segments[(this.#current + 1) % this.#segments.length];
  }

  #wait(): void {
    if (this.#state === "off") return;
    this.#commits += 1;
    if (this.#commits === commitsBeforeMaking) this.maker.begin();
  }

  #segmentFor(bytes: number): Segment | undefined {
    const current = this.#segments[this.#current];
    if (current !== undefined && current.used + bytes <= current.sizeBytes) return current;
    const next = this.#next;
    if (next === undefined || next.end !== undefined || bytes > next.sizeBytes) return undefined;
    this.#current = (this.#current + 1) % this.#segments.length;
    this.#changedAt = this.#written;
    this.#askAgainAt = 0;
    return next;
  }

  /** Throws `FileError`. */
  #fill(commit: JournaledCommit, bytes: number): Buffer {
    if (this.#buffer.length < bytes) {
      this.#buffer = Buffer.alloc(Math.max(bytes, 2 * this.#buffer.length, firstBufferBytes));
    }
    const { position, lines, slots } = commit;
    const entry = { epoch: this.#epoch, sequence: this.#sequence, position, lines, slots };
    let at = writeJournalTable(this.#buffer, entry);
    for (const slot of slots) {
      commit.read(slot, this.#buffer.subarray(at, at + slot.length));
      at += slot.length;
    }
    this.#sequence += 1;
    return this.#buffer.subarray(0, bytes);
  }

  #fail(error: FileError): void {
    this.#state = "off";
    this.#parts.log.error("journal-failed", { problem: error.message });
  }

  #made(
    segments:
      | readonly { readonly descriptor: FileDescriptor; readonly sizeBytes: number }[]
      | undefined,
  ): void {
    if (segments === undefined) return;
    const { layout, random, log } = this.#parts;
    this.#segments = segments.map((segment, number) => ({
      ...segment,
      path: segmentPath(layout, number),
      used: 0,
      first: undefined,
      end: undefined,
    }));
    this.#epoch = random.below(epochLimit);
    this.#state = "on";
    log.info("journal-on", { bytes: this.#parts.bytes });
  }
}

/** What a checkpoint needs of a binlog whose records reach stable storage in the journal first. */
export function journaledBinlog(binlog: BinlogWriter, journal: CommitJournal): JournaledBinlog {
  return {
    get isCheckpointDue() {
      return journal.isCheckpointDue;
    },
    get flushTarget() {
      return binlog.flushTarget;
    },
    checkpointBegins: () => journal.checkpointBegins(),
    checkpointed: (position) => journal.checkpointed(position),
  };
}

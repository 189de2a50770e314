/**
 * At a start after a crash: completes binlog and trunk files from the journal (`commit-journal.ts`). First the records, so that the binlog
 * has all that was acknowledged; then, when the records since the checkpoint are known, the slots, but for space that a later record freed,
 * or gave to another file, which may have reached the disk without the journal. Doing it twice does the same again. Worker thread.
 */
import type { Log } from "#base/log.ts";
import { binlogPath } from "#filestore/binlog/binlog-files.ts";
import type { BinlogRecord } from "#filestore/binlog/binlog-reader.ts";
import { type BinlogPosition, comparePositions } from "#filestore/binlog/position.ts";
import {
  type JournalEntry,
  journalHeaderBytes,
  journalRecordBytes,
  readJournalEntry,
  readJournalTableBytes,
} from "#filestore/formats/journal-record.ts";
import { FreeExtents } from "#filestore/trunk/free-extents.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import { segmentCount, segmentPath } from "#filestore/worker/journal/segment-maker.ts";
import { stepBytes } from "#filestore/worker/limits.ts";
import { slotOfEntry } from "#filestore/worker/trunk-slot.ts";
import type { FileDescriptor, Files } from "#platform/files.ts";

/** As `PackedFiles` names trunk files; nothing else is ever written. */
const trunkFilePath = /^[0-9A-F]{2}\/[0-9A-F]{2}\/\d{6,10}$/;

export interface ReplayParts {
  readonly files: Files;
  readonly layout: FileLayout;
  readonly log: Log;
}

/** A record of the journal, and where it stands there. */
export interface FoundEntry extends JournalEntry {
  readonly segment: string;
  /** Of the slots' bytes. */
  readonly slotsAt: number;
}

/** Completes the binlog; returns the entries whose slots are to be written again, the oldest first. Throws `FileError`. */
export function replayRecords(parts: ReplayParts, from: BinlogPosition): readonly FoundEntry[] {
  const applied: FoundEntry[] = [];
  for (const entry of entriesSince(parts, from)) {
    if (!completeBinlog(parts, entry)) {
      parts.log.error("journal-stale", { sequence: entry.sequence });
      break;
    }
    applied.push(entry);
  }
  if (applied.length > 0) parts.log.notice("journal-replayed", { commits: applied.length });
  return applied;
}

/** Writes the slots again that `tail` has not given to others since. What was written is flushed. Throws `FileError`. */
export function replaySlots(
  parts: ReplayParts,
  entries: readonly FoundEntry[],
  tail: readonly BinlogRecord[],
): void {
  const replay = new SlotReplay(parts, tail);
  for (const entry of [...entries].reverse()) replay.write(entry);
  replay.flush();
}

/** What counts still, in order, without a gap. */
function entriesSince(parts: ReplayParts, from: BinlogPosition): readonly FoundEntry[] {
  const found: FoundEntry[] = [];
  for (let segment = 0; segment < segmentCount; segment += 1) {
    for (const entry of readSegment(parts, segmentPath(parts.layout, segment))) {
      if (comparePositions(entry.position, from) >= 0) found.push(entry);
    }
  }
  const newest = found.reduce<FoundEntry | undefined>(
    (last, entry) =>
      last === undefined || comparePositions(entry.position, last.position) > 0 ? entry : last,
    undefined,
  );
  const entries = found
    .filter(({ epoch }) => epoch === newest?.epoch)
    .sort((left, right) => left.sequence - right.sequence);
  const first = entries[0]?.sequence ?? 0;
  const gap = entries.findIndex(({ sequence }, at) => sequence !== first + at);
  if (gap < 0) return entries;
  parts.log.error("journal-incomplete", { missing: first + gap });
  return entries.slice(0, gap);
}

/** The records from the segment's begin, as far as they follow each other. */
function readSegment({ files }: ReplayParts, path: string): readonly FoundEntry[] {
  if (files.stat(path, false)?.kind !== "file") return [];
  const descriptor = files.open(path, "read");
  try {
    const entries: FoundEntry[] = [];
    for (let at = 0; ; ) {
      const entry = readEntry(files, descriptor, at);
      const last = entries.at(-1);
      if (entry === undefined) return entries;
      if (last !== undefined && entry.epoch !== last.epoch) return entries;
      if (last !== undefined && entry.sequence !== last.sequence + 1) return entries;
      entries.push({ ...entry, segment: path });
      const slotBytes = entry.slots.reduce((sum, { length }) => sum + length, 0);
      at += journalRecordBytes(entry.slotsAt - at, slotBytes);
    }
  } finally {
    files.close(descriptor);
  }
}

function readEntry(
  files: Files,
  descriptor: FileDescriptor,
  at: number,
): Omit<FoundEntry, "segment"> | undefined {
  const header = Buffer.alloc(journalHeaderBytes);
  if (files.read(descriptor, header, at) < header.length) return undefined;
  const tableBytes = readJournalTableBytes(header);
  if (tableBytes === undefined) return undefined;
  const table = Buffer.alloc(tableBytes);
  if (files.read(descriptor, table, at) < tableBytes) return undefined;
  const entry = readJournalEntry(table);
  return entry === undefined ? undefined : { ...entry, slotsAt: at + tableBytes };
}

/**
 * True where the binlog has these records now. What stands there otherwise was appended and flushed by a run that had given the journal up:
 * then nothing of it counts. Nothing but zeros may be there where they did not reach the disk.
 */
function completeBinlog({ files, layout }: ReplayParts, entry: FoundEntry): boolean {
  const { index, offset } = entry.position;
  const path = binlogPath(layout.sync, index);
  const size = files.stat(path, false)?.sizeBytes;
  if (size === undefined || size < offset) return false;
  const wanted = Buffer.from(entry.lines, "latin1");
  const descriptor = files.open(path, "read-write");
  try {
    const there = Buffer.alloc(wanted.length);
    const got = files.read(descriptor, there, offset);
    if (got === wanted.length && there.equals(wanted)) return true;
    for (let at = 0; at < got; at += 1) {
      if (there[at] !== 0 && there[at] !== wanted[at]) return false;
    }
    files.write(descriptor, wanted, offset);
    files.flush(descriptor);
    return true;
  } finally {
    files.close(descriptor);
  }
}

class SlotReplay {
  readonly #parts: ReplayParts;
  /** The newest last; those behind the entry that is written next are gone. */
  readonly #tail: BinlogRecord[];
  /** Space of files that were stored or deleted later, by the paths of their trunk files. */
  readonly #taken = new Map<string, FreeExtents>();
  readonly #open = new Map<string, FileDescriptor | undefined>();

  constructor(parts: ReplayParts, tail: readonly BinlogRecord[]) {
    this.#parts = parts;
    this.#tail = [...tail];
  }

  /** The entries come newest first. */
  write(entry: FoundEntry): void {
    this.#takeAfter(entry);
    if (entry.slots.length === 0) return;
    const source = this.#parts.files.open(entry.segment, "read");
    try {
      let from = entry.slotsAt;
      for (const { path, offset, length } of entry.slots) {
        const target = this.#trunkFile(path);
        const taken = this.#takenIn(this.#pathOf(path));
        for (const gap of target === undefined ? [] : taken.gaps(offset, length)) {
          this.#copy({ source, from: from + gap.offset - offset }, { ...gap, target });
        }
        taken.merge(offset, length);
        from += length;
      }
    } finally {
      this.#parts.files.close(source);
    }
  }

  flush(): void {
    const { files } = this.#parts;
    for (const descriptor of this.#open.values()) {
      if (descriptor === undefined) continue;
      files.flush(descriptor);
      files.close(descriptor);
    }
    this.#open.clear();
  }

  /** Notes what the records behind `entry` say is in use. */
  #takeAfter({ position, lines }: FoundEntry): void {
    const end = { index: position.index, offset: position.offset + lines.length };
    for (;;) {
      const record = this.#tail.at(-1);
      if (record === undefined || comparePositions(record.start, end) < 0) return;
      this.#tail.pop();
      const slot = slotOfEntry(this.#parts.layout, record.entry);
      if (slot !== undefined) this.#takenIn(slot.path).merge(slot.offset, slot.size);
    }
  }

  #copy(
    { source, from }: { readonly source: FileDescriptor; readonly from: number },
    to: {
      readonly target: FileDescriptor | undefined;
      readonly offset: number;
      readonly size: number;
    },
  ): void {
    const { files } = this.#parts;
    if (to.target === undefined) return;
    const buffer = Buffer.allocUnsafe(Math.min(stepBytes, to.size));
    for (let done = 0; done < to.size; ) {
      const piece = buffer.subarray(0, Math.min(buffer.length, to.size - done));
      const got = files.read(source, piece, from + done);
      // A segment that ends early holds a record that nobody was told of.
      if (got === 0) return;
      files.write(to.target, piece.subarray(0, got), to.offset + done);
      done += got;
    }
  }

  /** Undefined where there is no such file any more, so that nothing of it is in use. */
  #trunkFile(path: string): FileDescriptor | undefined {
    if (this.#open.has(path)) return this.#open.get(path);
    const { files } = this.#parts;
    const full = this.#pathOf(path);
    const isThere = trunkFilePath.test(path) && files.stat(full, true)?.kind === "file";
    const descriptor = isThere ? files.open(full, "read-write") : undefined;
    this.#open.set(path, descriptor);
    return descriptor;
  }

  #pathOf(path: string): string {
    return `${this.#parts.layout.data}/${path}`;
  }

  #takenIn(path: string): FreeExtents {
    const there = this.#taken.get(path) ?? new FreeExtents();
    this.#taken.set(path, there);
    return there;
  }
}

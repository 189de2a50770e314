/**
 * Brings the records of a commit to stable storage, and with them the slots that a start could tell to be missing: by the journal where it
 * takes them, or else each to its own file. Worker thread.
 */
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import type { JournalSlot } from "#filestore/formats/journal-record.ts";
import type { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { type FlushSteps, flushAll } from "#filestore/worker/flush-steps.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { FileError } from "#platform/files.ts";

/** With more bytes of slots writing them twice costs more than the second flush. */
const maxJournaledBytes = 1024 * 1024;

export interface RecordedCommit {
  readonly position: BinlogPosition;
  readonly lines: string;
  /** Whose content is flushed with their records. */
  readonly together: readonly StagedChange[];
}

/** In the journal a stretch of a trunk file; several slots where they lie side by side. */
interface Stretch extends JournalSlot {
  length: number;
  /** Of the trunk file, as it is opened. */
  readonly file: string;
}

/** Ends with the failure, if any: then none of the records is to count. */
export function* flushRecords(
  store: StorePath,
  commit: RecordedCommit,
): FlushSteps<FileError | undefined> {
  const { position, lines, together } = commit;
  const slots = stretchesOf(store, together);
  const isJournaled = store.journal.add({
    ...{ position, lines, slots: slots ?? [] },
    read: (slot, target) => readStretch(store, slot as Stretch, target),
  });
  // In flight at the same time, so that one journal commit of the file system serves them all; the content first, whose space is
  // given to it before the short write of the records ends (the other order: a fifth to a third less a second, measured on ext4).
  const content =
    isJournaled && slots !== undefined ? [] : together.flatMap((change) => change.contentTargets());
  const records = isJournaled ? store.journal.flushTarget : store.binlog.flushTarget;
  const error = yield* flushAll(store, [...content, records]);
  if (error !== undefined && isJournaled) store.journal.takeBack();
  return error;
}

/** Undefined where the slots are better flushed themselves. */
function stretchesOf(
  store: StorePath,
  changes: readonly StagedChange[],
): readonly Stretch[] | undefined {
  const stretches: Stretch[] = [];
  const prefix = `${store.layout.data}/`;
  let bytes = 0;
  for (const { slotWritten } of changes) {
    if (slotWritten === undefined) return undefined;
    const { path, offset, size } = slotWritten;
    bytes += size;
    if (bytes > maxJournaledBytes) return undefined;
    const last = stretches.at(-1);
    if (last?.file === path && last.offset + last.length === offset) last.length += size;
    else stretches.push({ file: path, path: path.slice(prefix.length), offset, length: size });
  }
  return remembered(store, stretches) ? stretches : undefined;
}

/** Before the next checkpoint their trunk files are flushed. False where there are too many of them. */
function remembered(store: StorePath, stretches: readonly Stretch[]): boolean {
  try {
    return stretches.every(({ file }) => store.packed.unflushed.add(file));
  } catch (error) {
    if (error instanceof FileError) return false;
    throw error;
  }
}

/** Throws `FileError`. */
function readStretch(
  store: StorePath,
  { file, offset, length }: Stretch,
  target: Uint8Array,
): void {
  const descriptor = store.packed.descriptors.peek(file);
  const got = descriptor === undefined ? 0 : store.files.read(descriptor, target, offset);
  if (got < length) throw new FileError("EIO", `EIO: ${file} ends before what was written`, file);
}

/**
 * `.cairn/recheck`: files of this store path may have been lost or cut off, and are looked at again. It is there until that is done and
 * what was lost is back, whatever happens in between. Pure.
 */
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import {
  formatKeyValueLines,
  parseCount,
  parseKeyValueLines,
} from "#filestore/formats/key-value-lines.ts";

/** What files are in doubt for: an end that nothing vouches for, in the relaxed mode; or the end of the binlog is gone. */
export type RecheckReason = "power-cut" | "binlog-lost";

export interface RecheckNote {
  readonly why: RecheckReason;
  /** Unix seconds, by the system's clock: of files that changed since, the content is read as well. */
  readonly since: number;
  /** The files of the records from here on are looked at first. */
  readonly tail: BinlogPosition;
  readonly isTailDone: boolean;
  /** All files are looked at, not only those of the tail: records may be lost. */
  readonly walks: boolean;
  /** Directories that were looked through, of 65,536. */
  readonly leavesDone: number;
  /** Files that were found to be missing, or other than their names say. */
  readonly lost: number;
}

export function formatRecheckNote(note: RecheckNote): string {
  return formatKeyValueLines([
    ["why", note.why],
    ["since", note.since],
    ["tail_index", note.tail.index],
    ["tail_offset", note.tail.offset],
    ["tail_done", note.isTailDone ? 1 : 0],
    ["walks", note.walks ? 1 : 0],
    ["leaves_done", note.leavesDone],
    ["lost", note.lost],
  ]);
}

/** Undefined where a value is missing or is no number: then everything is to be looked at. */
export function parseRecheckNote(text: string): RecheckNote | undefined {
  const values = parseKeyValueLines(text);
  const why = values.get("why");
  const since = parseCount(values.get("since"));
  const index = parseCount(values.get("tail_index"));
  const offset = parseCount(values.get("tail_offset"));
  const leavesDone = parseCount(values.get("leaves_done"));
  const lost = parseCount(values.get("lost"));
  if (why !== "power-cut" && why !== "binlog-lost") return undefined;
  if (since === undefined || index === undefined || offset === undefined) return undefined;
  if (leavesDone === undefined || lost === undefined) return undefined;
  const isTailDone = values.get("tail_done") === "1";
  const walks = values.get("walks") === "1";
  return { why, since, tail: { index, offset }, isTailDone, walks, leavesDone, lost };
}

/**
 * What a file in `.cairn/tmp` says by its name about what it is for, so that a start can finish or drop what was interrupted:
 *
 * - `17.part`: being received; no record can refer to it.
 * - `0A.FF.<base>`: the whole of a new file whose name nothing had before. Its record is the only one that creates that name.
 * - `3.4096@0A.FF.<base>`: what the record at byte 4096 of `binlog.003` puts into place or into the file. The position is part of
 *   the name because a name may have many such records: only the very one that was being carried out may take the content.
 *
 * Pure.
 */
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { directoryName } from "#model/remote-filename.ts";

export interface StagedPlace {
  readonly high: number;
  readonly low: number;
  readonly base: string;
}

export type StagedName =
  | { readonly kind: "part" }
  | { readonly kind: "new"; readonly place: StagedPlace }
  | { readonly kind: "bound"; readonly place: StagedPlace; readonly position: BinlogPosition };

export function formatPart(count: number): string {
  return `${count}.part`;
}

export function formatNew(place: StagedPlace): string {
  return `${directoryName(place.high)}.${directoryName(place.low)}.${place.base}`;
}

export function formatBound(place: StagedPlace, position: BinlogPosition): string {
  return `${position.index}.${position.offset}@${formatNew(place)}`;
}

const partPattern = /^\d{1,15}\.part$/;
const placePattern = /^(?:(\d{1,9})\.(\d{1,15})@)?([0-9A-F]{2})\.([0-9A-F]{2})\.([^/\0]+)$/;

/** Undefined for names that no engine gives. */
export function parseStagedName(name: string): StagedName | undefined {
  if (partPattern.test(name)) return { kind: "part" };
  const match = placePattern.exec(name);
  const [, index, offset, high = "", low = "", base = ""] = match ?? [];
  if (match === null || base === "." || base === "..") return undefined;
  const place = { high: Number.parseInt(high, 16), low: Number.parseInt(low, 16), base };
  if (index === undefined || offset === undefined) return { kind: "new", place };
  return { kind: "bound", place, position: { index: Number(index), offset: Number(offset) } };
}

/**
 * The files of a store path as another storage is told them for its recovery: the create, link and rename records of the binlog, in
 * their order, of what is still there (protocol §2.7/26). A piece of the binlog at a time. Worker thread.
 */
import { BinlogReader, type BinlogReaderParts } from "#filestore/binlog/binlog-reader.ts";
import { type BinlogEntry, encodeEntry } from "#filestore/binlog/entry.ts";
import { type BinlogPosition, comparePositions } from "#filestore/binlog/position.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import { isTrunkBase } from "#model/file-id.ts";
import { FileError } from "#platform/files.ts";

export interface PathNamesParts {
  readonly binlog: BinlogReaderParts;
  readonly layout: FileLayout;
}

export interface PathNamesPage {
  /** Whole lines. */
  readonly lines: string;
  readonly next: BinlogPosition;
  readonly atEnd: boolean;
}

export class PathNames {
  readonly #parts: PathNamesParts;
  /** Of whoever asked last: the next page goes on from there, in a file that may have been expanded for it. */
  #reader: BinlogReader | undefined;

  constructor(parts: PathNamesParts) {
    this.#parts = parts;
  }

  /** The lines from one piece of the binlog on; in steps where that has to be expanded. Throws `FileError`. */
  *page(from: BinlogPosition): Generator<undefined, PathNamesPage> {
    const reader = this.#take(from) ?? new BinlogReader(this.#parts.binlog, from);
    let goesOn = false;
    try {
      const { records, invalid } = yield* reader.readSteps();
      const lines = records.map(({ entry }) => lineOf(this.#parts, entry) ?? "");
      goesOn = records.length > 0 || invalid.length > 0;
      return { lines: lines.join(""), next: reader.cursor, atEnd: !goesOn };
    } finally {
      if (goesOn) this.#keep(reader);
      else reader.close();
    }
  }

  close(): void {
    this.#reader?.close();
    this.#reader = undefined;
  }

  #take(from: BinlogPosition): BinlogReader | undefined {
    const kept = this.#reader;
    if (kept === undefined || comparePositions(kept.cursor, from) !== 0) return undefined;
    this.#reader = undefined;
    return kept;
  }

  #keep(reader: BinlogReader): void {
    this.#reader?.close();
    this.#reader = reader;
  }
}

function lineOf({ binlog, layout }: PathNamesParts, entry: BinlogEntry): string | undefined {
  if (entry.kind !== "create" && entry.kind !== "link" && entry.kind !== "rename") return undefined;
  const place = layout.find(entry.name);
  if (place === undefined) return undefined;
  const created = { ...headOf(entry), kind: "create" } as const;
  if (isTrunkBase(place.base)) return encodeEntry(created);
  const { files } = binlog;
  try {
    const stat = files.stat(place.path, false);
    if (stat?.kind === "file") return encodeEntry(created);
    if (stat?.kind !== "link" || files.stat(place.path, true)?.kind !== "file") return undefined;
    const target = nameOf(layout, files.readLink(place.path), entry.name);
    return target && encodeEntry({ ...created, kind: "link", target });
  } catch (error) {
    if (error instanceof FileError && error.code !== "EIO") return undefined;
    throw error;
  }
}

function headOf({ timestamp, replica, name }: BinlogEntry) {
  return { timestamp, replica, name };
}

/** Links hold absolute paths; undefined for one that leads out of this store path. */
function nameOf(layout: FileLayout, path: string, link: string): string | undefined {
  const prefix = `${layout.data}/`;
  if (!path.startsWith(prefix)) return undefined;
  return layout.find(link.slice(0, 4) + path.slice(prefix.length))?.name;
}

/**
 * The files of one binlog in their directory: which there are, which is written, and the small file that says so. Shared by
 * writer, reader and adoption. Worker threads.
 */
import {
  type BinlogIndex,
  binlogIndexFilename,
  formatBinlogFilename,
  formatBinlogIndex,
  oldBinlogIndexFilename,
  parseBinlogFilename,
  parseBinlogIndex,
} from "#filestore/formats/binlog-index.ts";
import type { Files } from "#platform/files.ts";

/** Larger index files are none. */
const maxIndexBytes = 4096;

export function binlogPath(directory: string, index: number): string {
  return `${directory}/${formatBinlogFilename(index)}`;
}

/** The numbers of the files that are there, compressed ones too, in order. */
export function listBinlogs(files: Files, directory: string): readonly number[] {
  const found = new Set<number>();
  for (const name of files.list(directory) ?? []) {
    const index = parseBinlogFilename(name);
    if (index !== undefined) found.add(index);
  }
  return [...found].sort((left, right) => left - right);
}

/**
 * Which file is to be written. A file beyond the noted number means that the end came between making it and noting it; none at
 * all that the binlog is to begin.
 */
export function findBinlogIndex(files: Files, directory: string): BinlogIndex {
  const noted =
    readIndex(files, `${directory}/${binlogIndexFilename}`) ??
    readIndex(files, `${directory}/${oldBinlogIndexFilename}`);
  const newest = listBinlogs(files, directory).at(-1) ?? 0;
  if (noted === undefined) return { currentWrite: newest, currentCompress: 0 };
  return { ...noted, currentWrite: Math.max(noted.currentWrite, newest) };
}

/** Replaces the index file in one step, durably. */
export function writeBinlogIndex(files: Files, directory: string, index: BinlogIndex): void {
  const path = `${directory}/${binlogIndexFilename}`;
  replaceFile(files, path, { temporary: `${path}.tmp`, text: formatBinlogIndex(index) });
  files.flushDirectory(directory);
}

/** A small file with new content, or with the old one: never with a part. The directory is not flushed. */
export function replaceFile(
  files: Files,
  path: string,
  content: { readonly temporary: string; readonly text: string },
): void {
  const descriptor = files.open(content.temporary, "write");
  try {
    files.write(descriptor, Buffer.from(content.text, "latin1"));
    files.flush(descriptor);
  } finally {
    files.close(descriptor);
  }
  files.rename(content.temporary, path);
}

/** The text of a small file; undefined where there is none. Longer ones are cut. */
export function readSmallFile(files: Files, path: string, maxBytes: number): string | undefined {
  if (files.stat(path, true)?.kind !== "file") return undefined;
  const descriptor = files.open(path, "read");
  try {
    const buffer = Buffer.allocUnsafe(maxBytes);
    return buffer.toString("latin1", 0, files.read(descriptor, buffer, 0));
  } finally {
    files.close(descriptor);
  }
}

function readIndex(files: Files, path: string): BinlogIndex | undefined {
  const text = readSmallFile(files, path, maxIndexBytes);
  return text === undefined ? undefined : parseBinlogIndex(text);
}

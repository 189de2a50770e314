/**
 * Taking over the store path of a C storage, in place (protocol §5). Its files, metadata, links and trunk files stay as they
 * are. Its binlog goes on where it is when it lies on this store path; else the records of this path are copied out of it, because
 * here each path has a binlog of its own. Nothing of the C storage is changed, and it can have the path back. Worker thread.
 */
import type { Log } from "#base/log.ts";
import {
  binlogPath,
  listBinlogs,
  readSmallFile,
  writeBinlogIndex,
} from "#filestore/binlog/binlog-files.ts";
import { BinlogReader } from "#filestore/binlog/binlog-reader.ts";
import { rotationBytes } from "#filestore/binlog/binlog-writer.ts";
import { binlogStart } from "#filestore/binlog/position.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { parseCount } from "#filestore/formats/key-value-lines.ts";
import { directoryNumbers, makeIfMissing } from "#filestore/worker/directory-tree.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import { type FileDescriptor, FileError, type Files } from "#platform/files.ts";

const storageProcess = "fdfs_storaged";
const maxPidFileBytes = 64;

interface AdoptionParts {
  readonly files: Files;
  readonly log: Log;
  readonly layout: FileLayout;
}

/** Throws `store-path-busy` while a C storage runs on `basePath`: two that write one path destroy it. */
export function refuseRunningStorage(files: Files, basePath: string): void {
  if (basePath === "") return;
  const pidFile = `${basePath}/data/fdfs_storaged.pid`;
  const pid = parseCount(readSmallFile(files, pidFile, maxPidFileBytes)?.trim());
  if (pid === undefined) return;
  const name = readSmallFile(files, `/proc/${pid}/comm`, maxPidFileBytes)?.trim();
  if (name !== storageProcess) return;
  throw fileStoreError(
    "store-path-busy",
    `${storageProcess} runs on ${basePath} as process ${pid}: stop it first`,
  );
}

/** True where a C storage used the store path. For the first start alone; may be interrupted and run again. Throws `FileError`. */
export function adoptStorePath(parts: AdoptionParts, basePath: string): boolean {
  const { files, layout, log } = parts;
  const own = listBinlogs(files, layout.sync).length > 0;
  const foreign = `${basePath}/data/sync`;
  const elsewhere = basePath !== "" && !samePath(basePath, layout.directory);
  const copies = !own && elsewhere && listBinlogs(files, foreign).length > 0;
  if (copies) copyRecords(parts, foreign);
  const used =
    own ||
    copies ||
    files.stat(`${layout.data}/.fastdfs_vars`, false) !== undefined ||
    directoryNumbers(files, layout.data).length > 0;
  if (used)
    log.notice("store-path-adopted", { directory: layout.directory, binlog: own || copies });
  return used;
}

/** Builds the binlog beside its place, and moves it there as a whole. */
function copyRecords(parts: AdoptionParts, foreign: string): void {
  const { files, layout, log } = parts;
  const building = `${layout.own}/adopting`;
  for (const name of files.list(building) ?? []) files.remove(`${building}/${name}`);
  makeIfMissing(files, building);
  const reader = new BinlogReader(
    { files, directory: foreign, scratch: layout.tmp },
    { ...binlogStart, index: listBinlogs(files, foreign)[0] ?? 0 },
  );
  const copy = new RecordCopy(files, building);
  let invalid = 0;
  try {
    for (;;) {
      const chunk = reader.read();
      if (chunk.records.length === 0 && chunk.invalid.length === 0) break;
      invalid += chunk.invalid.length;
      const mine = chunk.records.filter(({ entry }) => layout.find(entry.name) !== undefined);
      copy.append(mine.map(({ line }) => `${line}\n`).join(""));
    }
    copy.finish();
  } finally {
    reader.close();
    copy.close();
  }
  if (invalid > 0) log.warn("binlog-lines-not-adopted", { directory: foreign, lines: invalid });
  moveIntoPlace(parts, building);
}

class RecordCopy {
  readonly #files: Files;
  readonly #directory: string;
  #index = 0;
  #descriptor: FileDescriptor | undefined;
  #size = 0;

  constructor(files: Files, directory: string) {
    this.#files = files;
    this.#directory = directory;
    this.#descriptor = files.open(binlogPath(directory, 0), "create");
  }

  append(lines: string): void {
    if (lines === "" || this.#descriptor === undefined) return;
    if (this.#size >= rotationBytes) {
      this.finish();
      this.#index += 1;
      this.#size = 0;
      this.#descriptor = this.#files.open(binlogPath(this.#directory, this.#index), "create");
    }
    const bytes = Buffer.from(lines, "latin1");
    this.#files.write(this.#descriptor, bytes);
    this.#size += bytes.length;
  }

  finish(): void {
    if (this.#descriptor === undefined) return;
    this.#files.flush(this.#descriptor);
    this.close();
    const index = { currentWrite: this.#index, currentCompress: 0 };
    writeBinlogIndex(this.#files, this.#directory, index);
  }

  close(): void {
    if (this.#descriptor !== undefined) this.#files.close(this.#descriptor);
    this.#descriptor = undefined;
  }
}

function moveIntoPlace(parts: AdoptionParts, building: string): void {
  const { files, layout } = parts;
  try {
    files.rename(building, layout.sync);
  } catch (error) {
    if (!(error instanceof FileError) || !["ENOTEMPTY", "EEXIST"].includes(error.code)) throw error;
    throw fileStoreError(
      "store-path-unfit",
      `${layout.sync} holds something that is not a binlog: move it away, so that the records of ` +
        "the former storage can be put there",
    );
  }
  files.flushDirectory(layout.data);
  files.flushDirectory(layout.own);
}

function samePath(left: string, right: string): boolean {
  const trim = (path: string): string => path.replace(/\/+$/, "");
  return trim(left) === trim(right);
}

/** Files through `node:fs/promises`. */
import { randomBytes } from "node:crypto";
import { constants, type Stats } from "node:fs";
import {
  type FileHandle,
  open,
  readFile,
  rename,
  stat,
  statfs,
  unlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { FileError } from "#platform/files.ts";
import type {
  FileSystemFacts,
  LocalFile,
  LocalFileStat,
  LocalFiles,
  LocalOpenMode,
} from "#platform/local-files.ts";
import { type Mount, mountOf, parseMounts } from "#platform/mount-table.ts";

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL } = constants;
const flags: Readonly<Record<LocalOpenMode, number>> = {
  read: O_RDONLY,
  create: O_RDWR | O_CREAT | O_EXCL,
  update: O_RDWR | O_CREAT,
};
const newFileMode = 0o666;
const privateMode = 0o600;

export const nodeLocalFiles: LocalFiles = {
  open: (path, mode) => guarded(path, async () => openFile(path, flags[mode], newFileMode)),
  stat: (path) => absentIsUndefined(path, async () => describeStats(await stat(path))),
  rename: (from, to) => guarded(to, () => rename(from, to)),
  remove: async (path) => {
    const removed = await absentIsUndefined(path, async () => {
      await unlink(path);
      return true;
    });
    return removed === true;
  },
  readText: (path) => absentIsUndefined(path, () => readFile(path, "utf8")),
  writeText: (path, text) =>
    guarded(path, async () => {
      const draft = `${path}.${randomBytes(4).toString("hex")}.new`;
      await writeFile(draft, text);
      await rename(draft, path);
    }),
  openTemporary: async () => {
    const path = join(tmpdir(), `cairn-${randomBytes(8).toString("hex")}`);
    return await guarded(path, async () => {
      const file = await openFile(path, flags.create, privateMode);
      await unlink(path);
      return file;
    });
  },
  fileSystemOf: (path) => guarded(path, () => fileSystemOf(resolve(path))),
  probeWrite: (directory) => {
    const path = join(directory, `.cairn-doctor-${randomBytes(4).toString("hex")}`);
    return guarded(path, async () => {
      const file = await openFile(path, flags.create, privateMode);
      await file.close();
      await unlink(path);
    });
  },
};

class NodeLocalFile implements LocalFile {
  readonly #path: string;
  readonly #handle: FileHandle;

  constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return guarded(this.#path, async () => {
      return (await this.#handle.read(target, 0, target.length, position)).bytesRead;
    });
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return guarded(this.#path, async () => {
      for (let done = 0; done < bytes.length; ) {
        const rest = bytes.length - done;
        const { bytesWritten } = await this.#handle.write(bytes, done, rest, position + done);
        done += bytesWritten;
      }
    });
  }

  truncate(sizeBytes: number): Promise<void> {
    return guarded(this.#path, () => this.#handle.truncate(sizeBytes));
  }

  flush(): Promise<void> {
    return guarded(this.#path, () => this.#handle.datasync());
  }

  stat(): Promise<LocalFileStat> {
    return guarded(this.#path, async () => describeStats(await this.#handle.stat()));
  }

  close(): Promise<void> {
    return guarded(this.#path, () => this.#handle.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function openFile(path: string, how: number, mode: number): Promise<LocalFile> {
  return new NodeLocalFile(path, await open(path, how, mode));
}

function describeStats(stats: Stats): LocalFileStat {
  const kind = stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "other";
  return { kind, sizeBytes: stats.size, modifiedMs: stats.mtimeMs };
}

async function fileSystemOf(path: string): Promise<FileSystemFacts> {
  for (let directory = path; ; directory = dirname(directory)) {
    try {
      const [space, stats] = await Promise.all([statfs(directory), stat(directory)]);
      const mount = await findMount(directory);
      return {
        type: mount?.type ?? "",
        mountPoint: mount?.point ?? "",
        source: mount?.source ?? "",
        totalBytes: space.blocks * space.bsize,
        freeBytes: space.bavail * space.bsize,
        freeInodes: space.files === 0 ? undefined : space.ffree,
        device: stats.dev,
      };
    } catch (error) {
      if (codeOf(error) !== "ENOENT" || directory === "/") throw error;
    }
  }
}

async function findMount(directory: string): Promise<Mount | undefined> {
  try {
    return mountOf(directory, parseMounts(await readFile("/proc/self/mountinfo", "utf8")));
  } catch {
    // Without /proc the type stays unknown.
    return undefined;
  }
}

async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError(error, path);
  }
}

async function absentIsUndefined<T>(path: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw fileError(error, path);
  }
}

const sentences: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "no such file or directory"],
  ["EACCES", "permission denied"],
  ["EPERM", "not permitted"],
  ["EEXIST", "the file exists already"],
  ["EISDIR", "it is a directory"],
  ["ENOTDIR", "a part of the path is not a directory"],
  ["ENOSPC", "no space left on the device"],
  ["EROFS", "the file system is read-only"],
  ["EMFILE", "too many open files"],
  ["EIO", "the device failed"],
  ["EFBIG", "the file would be too large for this file system"],
  ["EDQUOT", "the disk quota is used up"],
]);

function fileError(error: unknown, path: string): FileError {
  const code = codeOf(error);
  return new FileError(code, `${path}: ${sentences.get(code) ?? code}`, path);
}

function codeOf(error: unknown): string {
  return (error as { readonly code?: string }).code ?? "EIO";
}

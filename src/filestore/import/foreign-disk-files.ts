/**
 * Files of a disk that somebody else has filled, which is only read, and where nothing is believed: no symbolic link below `root` is followed,
 * by whatever part of a path it is met, nothing is opened but plain files, and nothing outside of `root` is reached. What a link leads to may
 * be a key of this node, and would be everybody's to download. Pure.
 */
import { readOnlyFiles } from "#filestore/scrub/read-only-files.ts";
import { FileError, type Files } from "#platform/files.ts";

/** `root` itself may be a link: whoever named it meant what it leads to. What a path is refused for is a `FileError` with ELOOP. */
export function foreignDiskFiles(files: Files, root: string): Files {
  const guarded = Object.create(readOnlyFiles(files)) as Files;
  const guard = new Guard(files, root);
  const replace: Pick<Files, "open" | "stat" | "list" | "readLink"> = {
    open: (path) => guard.open(path),
    stat: (path) => (guard.reaches(path) ? files.stat(path, path === root) : undefined),
    list: (path) => {
      if (!guard.reaches(path)) return undefined;
      const kind = files.stat(path, path === root)?.kind;
      if (kind === "link") throw refused(path);
      return files.list(path);
    },
    readLink: (path) => {
      if (guard.reaches(path)) return files.readLink(path);
      throw new FileError("ENOENT", `${path} has gone`, path);
    },
  };
  for (const [name, value] of Object.entries(replace)) {
    Object.defineProperty(guarded, name, { value });
  }
  return guarded;
}

class Guard {
  readonly #files: Files;
  readonly #root: string;
  /** Was looked at last: files come directory by directory. */
  #known = "";

  constructor(files: Files, root: string) {
    this.#files = files;
    this.#root = root;
  }

  /** False where a directory on the way is not there. Throws where one is a link, or none. */
  reaches(path: string): boolean {
    if (path === this.#root) return true;
    const isInside = path.startsWith(this.#root === "/" ? "/" : `${this.#root}/`);
    if (!isInside || path.split("/").includes("..")) throw refused(path);
    const parent = path.slice(0, path.lastIndexOf("/"));
    if (parent === this.#known || parent.length <= this.#root.length) return true;
    if (!this.reaches(parent)) return false;
    const kind = this.#files.stat(parent, false)?.kind;
    if (kind === undefined) return false;
    if (kind === "link") throw refused(parent);
    if (kind !== "directory") {
      throw new FileError("ENOTDIR", `${parent} is no directory`, parent);
    }
    this.#known = parent;
    return true;
  }

  open(path: string): number {
    const stat = this.reaches(path) ? this.#files.stat(path, false) : undefined;
    if (stat === undefined) throw new FileError("ENOENT", `${path} has gone`, path);
    if (stat.kind !== "file") throw refused(path);
    const descriptor = this.#files.open(path, "read");
    let isIt = false;
    try {
      const opened = this.#files.statDescriptor(descriptor);
      // Somebody may have put a link there in between.
      isIt = opened.inode === stat.inode && opened.device === stat.device;
    } finally {
      if (!isIt) this.#files.close(descriptor);
    }
    if (isIt) return descriptor;
    throw refused(path);
  }
}

function refused(path: string): FileError {
  return new FileError("ELOOP", `${path} is a link, or no plain file: it is not followed`, path);
}

/** How far peers have come in the binlog of this store path: small files beside it, in C's place (protocol §5.2). Worker thread. */
import { readSmallFile } from "#filestore/binlog/binlog-files.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { onDisk } from "#filestore/worker/disk-failure.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";

/**
 * What is flushed: what a mark passes over, of which nobody would know if it were lost and the mark not; and what we note about the path itself,
 * such as that it is being rebuilt.
 */
const flushedName = /^cairn-|\.aside\.mark$/;
const markName = /^[A-Za-z0-9._:-]{1,100}\.mark$/;

export class SyncMarks {
  readonly #store: Pick<StorePath, "files" | "layout" | "staged">;

  constructor(store: Pick<StorePath, "files" | "layout" | "staged">) {
    this.#store = store;
  }

  /** At most `maxBytes` of it; undefined where there is none. Throws `file-invalid`, `disk-failed`. */
  read(name: string, maxBytes: number): string | undefined {
    const path = this.#path(name);
    return onDisk(`read ${name}`, () => readSmallFile(this.#store.files, path, maxBytes));
  }

  /**
   * As a whole or not at all. A peer's mark is not flushed: after a power cut it may be an older one, or empty. Lists of what was set aside
   * are, since the mark that is written next counts on them, and so are our own notes. Throws as `read` does.
   */
  write(name: string, content: Uint8Array): void {
    const path = this.#path(name);
    const { files, layout, staged } = this.#store;
    const isFlushed = flushedName.test(name);
    const draft = staged.newPart();
    onDisk(`write ${name}`, () => {
      const descriptor = files.open(draft, "create");
      try {
        files.write(descriptor, content);
        if (isFlushed) files.flush(descriptor);
      } finally {
        files.close(descriptor);
      }
      files.rename(draft, path);
      if (isFlushed) files.flushDirectory(layout.sync);
    });
  }

  remove(name: string): void {
    const path = this.#path(name);
    onDisk(`remove ${name}`, () => this.#store.files.remove(path));
  }

  #path(name: string): string {
    if (markName.test(name) && !name.startsWith(".")) return `${this.#store.layout.sync}/${name}`;
    throw fileStoreError("file-invalid", `"${name.slice(0, 120)}" is no name of a mark`);
  }
}

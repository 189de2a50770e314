/** Gives a regenerated appender file its new name, in the same directory. Worker thread. */
import { sourceLine } from "#filestore/binlog/entry.ts";
import { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { type FilePlace, lockKey } from "#filestore/worker/file-layout.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";

export interface Renaming {
  readonly old: FilePlace;
  readonly new: FilePlace;
  /** Unix seconds, as in the new name. */
  readonly timestamp: number;
}

export class RenameChange extends StagedChange {
  readonly #store: StorePath;
  readonly #renaming: Renaming;

  constructor(store: StorePath, renaming: Renaming) {
    super({
      key: lockKey(renaming.old.name),
      secondKey: lockKey(renaming.new.name),
      lines: sourceLine("rename", renaming.timestamp, `${renaming.new.name} ${renaming.old.name}`),
      doing: `rename ${renaming.old.name}`,
      made: renaming.new.name,
    });
    this.#store = store;
    this.#renaming = renaming;
  }

  apply(): void {
    this.#store.files.rename(this.#renaming.old.path, this.#renaming.new.path);
  }

  amends(): string {
    const { old, new: renamed, timestamp } = this.#renaming;
    return sourceLine("rename", timestamp, `${old.name} ${renamed.name}`);
  }

  override touchedDirectories(): readonly string[] {
    return [this.#store.layout.directoryOf(this.#renaming.new)];
  }
}

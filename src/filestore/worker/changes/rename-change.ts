/** Gives a regenerated appender file its new name, in the same directory. Worker thread. */
import { recordLine } from "#filestore/binlog/entry.ts";
import { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { type FilePlace, lockKey } from "#filestore/worker/file-layout.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { FileError } from "#platform/files.ts";
import type { FlushTarget } from "#platform/flusher.ts";

export interface Renaming {
  readonly old: FilePlace;
  readonly new: FilePlace;
  /** Unix seconds, as in the new name. */
  readonly timestamp: number;
  /** See `StagedChange.namedMs`. */
  readonly namedMs?: number;
  /** A peer did it first. */
  readonly replica?: boolean;
}

export class RenameChange extends StagedChange {
  readonly #store: StorePath;
  readonly #renaming: Renaming;

  constructor(store: StorePath, renaming: Renaming) {
    super({
      key: lockKey(renaming.old.name),
      secondKey: lockKey(renaming.new.name),
      lines: recordLine("rename", renaming, `${renaming.new.name} ${renaming.old.name}`),
      doing: `rename ${renaming.old.name}`,
      made: renaming.replica === true ? "" : renaming.new.name,
      namedMs: renaming.namedMs,
    });
    this.#store = store;
    this.#renaming = renaming;
  }

  apply(): void {
    this.#store.files.rename(this.#renaming.old.path, this.#renaming.new.path);
  }

  amends(): string {
    const { old, new: renamed } = this.#renaming;
    return recordLine("rename", this.#renaming, `${old.name} ${renamed.name}`);
  }

  override succeed(): void {
    const { old, timestamp } = this.#renaming;
    this.#store.removed.note(old.name, timestamp);
    super.succeed();
  }

  override appliedTargets(): readonly FlushTarget[] {
    const path = this.#store.layout.directoryOf(this.#renaming.new);
    return [{ kind: "directory", path }];
  }

  /** Nobody was told the new name. */
  override giveUp(): string {
    const { files, log } = this.#store;
    const { old, new: renamed } = this.#renaming;
    try {
      files.rename(renamed.path, old.path);
      return this.amends();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      log.error("rename-not-undone", { name: renamed.name, problem: error.message });
      return "";
    }
  }
}

/**
 * Puts a staged file into its place, as a new file or over one that it replaces: uploads, slaves, metadata. Worker thread.
 */
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { formatBound } from "#filestore/formats/staged-name.ts";
import { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import type { FilePlace } from "#filestore/worker/file-layout.ts";
import { flushFile } from "#filestore/worker/staged-files.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { FileError } from "#platform/files.ts";

export interface Placing {
  readonly key: string;
  /** Path of the staged file, closed. */
  readonly staged: string;
  readonly target: FilePlace;
  readonly line: string;
  /** See `StagedChange.amends`. */
  readonly amends: string;
  /** The logical name to answer with. */
  readonly made: string;
  /** False for names that nothing had before: their staged file already says all (see `staged-name.ts`). */
  readonly bound: boolean;
}

export class PlaceChange extends StagedChange {
  readonly #store: StorePath;
  readonly #target: FilePlace;
  readonly #amends: string;
  readonly #bound: boolean;
  #staged: string;
  #placed = false;

  constructor(store: StorePath, placing: Placing) {
    super({
      key: placing.key,
      lines: placing.line,
      doing: `store ${placing.target.name}`,
      made: placing.made,
    });
    this.#store = store;
    this.#staged = placing.staged;
    this.#target = placing.target;
    this.#amends = placing.amends;
    this.#bound = placing.bound;
  }

  override bind(position: BinlogPosition): void {
    if (!this.#bound) return;
    const { files, layout } = this.#store;
    const path = `${layout.tmp}/${formatBound(this.#target, position)}`;
    files.rename(this.#staged, path);
    this.#staged = path;
  }

  override flushContent(): void {
    flushFile(this.#store.files, this.#staged);
  }

  override discard(): void {
    this.#store.staged.drop(this.#staged);
  }

  apply(): void {
    const { files, tree } = this.#store;
    try {
      files.rename(this.#staged, this.#target.path);
    } catch (error) {
      if (!(error instanceof FileError) || error.code !== "ENOENT") throw error;
      tree.forget(this.#target);
      tree.ensure(this.#target);
      files.rename(this.#staged, this.#target.path);
    }
    this.#placed = true;
  }

  amends(): string {
    return this.#amends;
  }

  override touchedDirectories(): readonly string[] {
    return [this.#store.layout.directoryOf(this.#target)];
  }

  override cleanUp(): void {
    if (!this.#placed) this.discard();
  }
}

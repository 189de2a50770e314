/**
 * Puts a staged file into its place, as a new file or over one that it replaces: uploads, slaves, metadata. Worker thread.
 */
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { formatBound } from "#filestore/formats/staged-name.ts";
import { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { type FilePlace, isMetadataBase } from "#filestore/worker/file-layout.ts";
import type { StagedFile } from "#filestore/worker/staged-files.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { FileError } from "#platform/files.ts";
import type { FlushTarget } from "#platform/flusher.ts";

export interface Placing {
  readonly key: string;
  readonly staged: StagedFile;
  readonly target: FilePlace;
  readonly line: string;
  /** See `StagedChange.amends`. */
  readonly amends: string;
  /** The logical name to answer with. */
  readonly made: string;
  /** The staged file is a further name of one that was there. */
  readonly linked?: boolean;
  /** See `StagedChange.namedMs`. */
  readonly namedMs?: number | undefined;
  /** False for names that nothing had before: their staged file already says all (see `staged-name.ts`). */
  readonly bound: boolean;
}

export class PlaceChange extends StagedChange {
  readonly #store: StorePath;
  readonly #target: FilePlace;
  readonly #amends: string;
  readonly #bound: boolean;
  readonly #staged: StagedFile;
  #placed = false;

  constructor(store: StorePath, placing: Placing) {
    super({
      key: placing.key,
      lines: placing.line,
      doing: `store ${placing.target.name}`,
      made: placing.made,
      linked: placing.linked === true,
      namedMs: placing.namedMs,
    });
    if (isMetadataBase(placing.target.base)) store.issued.metadataMade();
    this.#store = store;
    this.#staged = placing.staged;
    this.#target = placing.target;
    this.#amends = placing.amends;
    this.#bound = placing.bound;
  }

  override bind(position: BinlogPosition): void {
    if (!this.#bound) return;
    this.#staged.rename(`${this.#store.layout.tmp}/${formatBound(this.#target, position)}`);
  }

  override contentTargets(): readonly FlushTarget[] {
    return [this.#store.staged.directoryTarget, this.#staged.flushTarget];
  }

  override discard(): void {
    this.#staged.drop();
  }

  apply(): void {
    const { tree } = this.#store;
    try {
      this.#staged.rename(this.#target.path);
    } catch (error) {
      if (!(error instanceof FileError) || error.code !== "ENOENT") throw error;
      tree.forget(this.#target);
      tree.ensure(this.#target);
      this.#staged.rename(this.#target.path);
    }
    this.#placed = true;
  }

  amends(): string {
    return this.#amends;
  }

  override appliedTargets(): readonly FlushTarget[] {
    return [{ kind: "directory", path: this.#store.layout.directoryOf(this.#target) }];
  }

  /** A new file goes again; what it replaced is gone, so a record of that stands. */
  override giveUp(): string {
    if (this.#amends !== "") this.#staged.drop();
    return this.#amends;
  }

  override cleanUp(): void {
    if (this.#placed) this.#staged.close();
    else this.discard();
  }
}

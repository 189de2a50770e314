/** Cuts an appender file off, or extends it by zeros. Worker thread. */
import { recordLine } from "#filestore/binlog/entry.ts";
import { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { type FilePlace, lockKey } from "#filestore/worker/file-layout.ts";
import { setSize } from "#filestore/worker/staged-files.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import type { FlushTarget } from "#platform/flusher.ts";

export interface Truncation {
  readonly place: FilePlace;
  readonly oldSize: number;
  readonly newSize: number;
  /** Unix seconds; the file's time afterwards, too. */
  readonly timestamp: number;
  /** A peer did it first. */
  readonly replica?: boolean;
}

export class TruncateChange extends StagedChange {
  readonly #store: StorePath;
  readonly #truncation: Truncation;
  #truncated = false;
  #timed = false;

  constructor(store: StorePath, truncation: Truncation) {
    const { place, oldSize, newSize } = truncation;
    super({
      key: lockKey(place.name),
      lines: recordLine("truncate", truncation, `${place.name} ${oldSize} ${newSize}`),
      doing: `truncate ${place.name}`,
    });
    this.#store = store;
    this.#truncation = truncation;
  }

  override get needsRoom(): boolean {
    return this.#truncation.newSize > this.#truncation.oldSize;
  }

  apply(): void {
    const { place, newSize, timestamp } = this.#truncation;
    setSize(this.#store.files, place.path, newSize);
    this.#truncated = true;
    this.#store.files.setModified(place.path, timestamp);
    this.#timed = true;
  }

  /** By the time of the attempt what is here would be later than what the others have. */
  override get isOwed(): boolean {
    return this.#truncated && !this.#timed;
  }

  amends(): string {
    const { place, oldSize, newSize } = this.#truncation;
    if (this.#truncated) return "";
    return recordLine("truncate", this.#truncation, `${place.name} ${newSize} ${oldSize}`);
  }

  override appliedTargets(): readonly FlushTarget[] {
    return [{ kind: "file", path: this.#truncation.place.path }];
  }
}

/** Cuts an appender file off, or extends it by zeros. Worker thread. */
import { sourceLine } from "#filestore/binlog/entry.ts";
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
}

export class TruncateChange extends StagedChange {
  readonly #store: StorePath;
  readonly #truncation: Truncation;
  #truncated = false;

  constructor(store: StorePath, truncation: Truncation) {
    const { place, oldSize, newSize, timestamp } = truncation;
    super({
      key: lockKey(place.name),
      lines: sourceLine("truncate", timestamp, `${place.name} ${oldSize} ${newSize}`),
      doing: `truncate ${place.name}`,
    });
    this.#store = store;
    this.#truncation = truncation;
  }

  apply(): void {
    const { place, newSize, timestamp } = this.#truncation;
    setSize(this.#store.files, place.path, newSize);
    this.#truncated = true;
    this.#store.files.setModified(place.path, timestamp);
  }

  amends(): string {
    const { place, oldSize, newSize, timestamp } = this.#truncation;
    if (this.#truncated) return "";
    return sourceLine("truncate", timestamp, `${place.name} ${newSize} ${oldSize}`);
  }

  override appliedTargets(): readonly FlushTarget[] {
    return [{ kind: "file", path: this.#truncation.place.path }];
  }
}

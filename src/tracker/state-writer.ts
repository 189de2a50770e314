/**
 * Collects what changed since the last write and hands it to the state: membership before the reply that promises it, statistics
 * in batches. A state that cannot be written is reported and tried again; the tracker serves on. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import type { GroupName } from "#model/group-name.ts";
import type { StorageId } from "#model/storage-id.ts";
import { type GroupRecord, savedGroup } from "#tracker/group-record.ts";
import { isGone } from "#tracker/storage-machine.ts";
import { type StorageRecord, savedStorage } from "#tracker/storage-record.ts";
import type {
  ChangelogLine,
  SavedTimes,
  SavedTracker,
  TrackerState,
} from "#tracker/tracker-state.ts";

/** `membership` must survive a power cut, `statistics` may be some seconds old. */
export type ChangeKind = "membership" | "statistics";

interface RemovedStorage {
  readonly group: GroupName;
  readonly id: StorageId;
}

export class StateWriter {
  readonly #state: TrackerState;
  readonly #log: Log;
  readonly #groups = new Set<GroupRecord>();
  readonly #storages = new Set<StorageRecord>();
  #removedGroups: GroupName[] = [];
  #removedStorages: RemovedStorage[] = [];
  #changelog: ChangelogLine[] = [];
  #changelogFrom = 0;
  #times: SavedTimes | undefined;
  #urgent = false;
  #failures = 0;

  constructor(state: TrackerState, log: Log) {
    this.#state = state;
    this.#log = log;
  }

  /** True when something waits that a reply must not overtake. */
  get urgent(): boolean {
    return this.#urgent;
  }

  /** Writes that failed since the start. */
  get failures(): number {
    return this.#failures;
  }

  groupChanged(group: GroupRecord): void {
    this.#groups.add(group);
    this.#urgent = true;
  }

  storageChanged(storage: StorageRecord, kind: ChangeKind): void {
    this.#storages.add(storage);
    if (kind === "membership") this.#urgent = true;
  }

  groupRemoved(group: GroupRecord): void {
    this.#groups.delete(group);
    this.#removedGroups.push(group.name);
    this.#urgent = true;
  }

  /** For a record that lives on under another id. */
  storageRenamed(storage: StorageRecord, oldId: StorageId): void {
    this.#removedStorages.push({ group: storage.group.name, id: oldId });
    this.storageChanged(storage, "membership");
  }

  changelogGrew(line: ChangelogLine, from: number): void {
    this.#changelog.push(line);
    this.#changelogFrom = from;
    this.#urgent = true;
  }

  timesChanged(times: SavedTimes): void {
    this.#times = times;
  }

  /** What waits is of no more use: the state becomes `saved`. Never throws. */
  replaceAll(saved: SavedTracker): void {
    this.#forget();
    try {
      this.#state.replace(saved);
    } catch (error) {
      this.#failures += 1;
      this.#log.error("state-not-saved", { why: describeError(error), failures: this.#failures });
    }
  }

  /** Writes whatever waits. Never throws: what could not be written waits for the next time. */
  flush(): void {
    if (this.#nothingWaits()) return;
    const kept = [...this.#storages].filter((storage) => !isGone(storage));
    const gone = [...this.#storages].filter((storage) => isGone(storage));
    try {
      this.#state.save(
        {
          groups: [...this.#groups].map(savedGroup),
          removedGroups: this.#removedGroups,
          storages: kept.map(savedStorage),
          removedStorages: [
            ...this.#removedStorages,
            ...gone.map((storage) => ({ group: storage.group.name, id: storage.id })),
          ],
          changelog: this.#changelog,
          changelogFrom: this.#changelogFrom,
          times: this.#times,
        },
        this.#urgent ? "flushed" : "relaxed",
      );
    } catch (error) {
      this.#failures += 1;
      // Once is enough for the next exchanges: the batch that follows in some seconds tries again.
      this.#urgent = false;
      this.#log.error("state-not-saved", { why: describeError(error), failures: this.#failures });
      return;
    }
    this.#forget();
  }

  #nothingWaits(): boolean {
    const count =
      this.#groups.size +
      this.#storages.size +
      this.#removedGroups.length +
      this.#removedStorages.length +
      this.#changelog.length;
    return count === 0 && this.#times === undefined;
  }

  #forget(): void {
    this.#groups.clear();
    this.#storages.clear();
    this.#removedGroups = [];
    this.#removedStorages = [];
    this.#changelog = [];
    this.#times = undefined;
    this.#urgent = false;
  }
}

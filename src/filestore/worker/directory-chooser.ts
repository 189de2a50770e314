/**
 * Into which directory the next new file goes (protocol §3.9). The counters of the round robin are kept nowhere: a start
 * finds them again in the last records of the binlog. Worker thread.
 */
import type { BinlogRecord } from "#filestore/binlog/binlog-reader.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import type { DirectoryNumber } from "#filestore/worker/directory-tree.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import {
  afterFile,
  type DistributionState,
  hashedDirectory,
  initialDistribution,
  trunkFileHashText,
} from "#model/directory-distribution.ts";
import { decodeTimestamp, encodedLength, normalBaseLength } from "#model/file-id.ts";

export class DirectoryChooser {
  readonly #settings: StorePathSettings;
  #state: DistributionState;

  constructor(settings: StorePathSettings, state: DistributionState) {
    this.#settings = settings;
    this.#state = state;
  }

  /** The directory for a new file with this base. */
  choose(base: string): DirectoryNumber {
    if (this.#settings.distribution === "round-robin") return this.#state;
    return hashedDirectory(base.slice(0, encodedLength), this.#settings.subdirCount);
  }

  /** The directory for a new trunk file. */
  chooseForTrunkFile(fileId: number): DirectoryNumber {
    if (this.#settings.distribution === "round-robin") return this.#state;
    return hashedDirectory(trunkFileHashText(fileId), this.#settings.subdirCount);
  }

  /** The file was written. */
  advance(): void {
    this.#state = afterFile(this.#state, this.#settings);
  }
}

/** The counters as the last records of the binlog leave them; `records` need not reach far back. */
export function restoreDistribution(
  records: readonly BinlogRecord[],
  layout: FileLayout,
  settings: StorePathSettings,
): DistributionState {
  let state = initialDistribution;
  for (const { entry } of records) {
    if ((entry.kind !== "create" && entry.kind !== "link") || entry.replica) continue;
    const place = layout.find(entry.name);
    if (place === undefined || place.base.length !== normalBaseLength) continue;
    // A slave has the time of its master in its name: it went where that is.
    if (decodeTimestamp(place.base) !== entry.timestamp) continue;
    const same = place.high === state.high && place.low === state.low;
    const { high, low } = place;
    if (high >= settings.subdirCount || low >= settings.subdirCount) continue;
    state = afterFile(same ? state : { high, low, fileCount: 0 }, settings);
  }
  return state;
}

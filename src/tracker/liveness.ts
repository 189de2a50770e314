/**
 * Which storages are still there. A storage of ours sends something every second, and is out of routing after four without anything; it
 * is back with its next message. Of C's storages beats count, which are seldom (protocol §9.7). A connection that breaks counts at once, for
 * both (`leave`). By the monotonic clock, since the other one may jump. Main thread.
 */

import { storageStatus } from "#model/storage-status.ts";
import type { Clock } from "#platform/clock.ts";
import { aliveSilenceMs } from "#tracker/limits.ts";
import type { Registry } from "#tracker/registry.ts";
import type { StorageRecord } from "#tracker/storage-record.ts";
import type { TrackerFacts } from "#tracker/tracker-facts.ts";

export interface LivenessParts {
  readonly clock: Clock;
  readonly registry: Registry;
  readonly checkActiveIntervalMs: number;
}

export class Liveness {
  readonly #parts: LivenessParts;
  #checkedAtMs: number | undefined;
  /** Nobody is called silent before this. */
  #patientUntilMs = 0;

  constructor(parts: LivenessParts) {
    this.#parts = parts;
  }

  /** A message came on a session, of whatever kind. */
  heard(facts: TrackerFacts): void {
    const { storage } = facts;
    if (storage === undefined || storage.session !== facts) return;
    storage.messageAtMs = this.#parts.clock.monotonicMs();
    if (storage.reportsHeld && storage.status === storageStatus.offline) {
      this.#parts.registry.apply(storage, { name: "alive" });
    }
  }

  /** To be called every `aliveCheckPeriodMs`. */
  checkMessages(): void {
    const now = this.#parts.clock.monotonicMs();
    // A process that stood still has messages waiting that it has not read yet.
    const before = this.#checkedAtMs ?? now;
    if (now - before > aliveSilenceMs) this.#patientUntilMs = now + aliveSilenceMs;
    this.#checkedAtMs = now;
    if (now < this.#patientUntilMs) return;
    this.#silence((storage) => storage.reportsHeld && storage.messageAtMs < now - aliveSilenceMs);
  }

  /** The original's check, for those who only beat. */
  checkBeats(): void {
    const oldest = this.#parts.clock.monotonicMs() - this.#parts.checkActiveIntervalMs;
    this.#silence((storage) => !storage.reportsHeld && storage.heardAtMs < oldest);
  }

  #silence(isSilent: (storage: StorageRecord) => boolean): void {
    const { registry } = this.#parts;
    for (const group of registry.groups) {
      for (const storage of group.storages) {
        if (isSilent(storage)) registry.apply(storage, { name: "silent" });
      }
    }
  }
}

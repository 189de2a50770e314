/**
 * A tracker that was away for long, or knows nothing, asks the others before it lets a storage join: the best of them gives it its system files
 * (protocol §9.7). Otherwise storages that were deleted meanwhile would come back, and numbers of trunk files be given twice. Where nobody
 * can be asked it goes on with what it has: a cluster must start, whoever is missing. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { formatEndpoint, type ServerEndpoint } from "#model/endpoint.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { type Candidate, compareCandidates, type Placement } from "#tracker/election/placement.ts";
import type { TrackerCalls } from "#tracker/election/tracker-calls.ts";
import { longAbsenceSeconds, maxCopyAttempts } from "#tracker/limits.ts";
import { copySystemFiles } from "#tracker/system-file-copy.ts";
import type { ImportedTracker } from "#tracker/system-files-import.ts";

export interface CatchUpParts {
  readonly log: Log;
  readonly calls: TrackerCalls;
  /** Seconds between the last sign of life before this start and it; 0 for the first start. */
  readonly restartInterval: number;
  readonly hasGroups: () => boolean;
  /** How we are placed, under the address by which the others know us; undefined without groups. */
  readonly own: () => Placement | undefined;
  readonly adopt: (imported: ImportedTracker) => void;
}

interface Answered {
  readonly entry: ServerEndpoint;
  readonly candidate: Candidate;
}

export class CatchUp {
  readonly #parts: CatchUpParts;
  #absenceSettled = false;
  #attempts = 0;
  #running: Promise<void> | undefined;

  constructor(parts: CatchUpParts) {
    this.#parts = parts;
  }

  /**
   * To be awaited before a storage joins; undefined where there is no need. `others` are the trackers that it names besides us. Rejects with
   * EAGAIN where another one is there whose files could not be copied; the storage comes again.
   */
  before(others: readonly ServerEndpoint[]): Promise<void> | undefined {
    if (this.#running !== undefined) return this.#running;
    const reason = this.#reason();
    if (reason === undefined || others.length === 0) return undefined;
    this.#running = this.#run(others, reason).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  #reason(): "long-absence" | "no-groups" | undefined {
    const { restartInterval, hasGroups } = this.#parts;
    if (!hasGroups()) return "no-groups";
    return !this.#absenceSettled && restartInterval > longAbsenceSeconds
      ? "long-absence"
      : undefined;
  }

  async #run(others: readonly ServerEndpoint[], reason: string): Promise<void> {
    const { log, adopt } = this.#parts;
    const best = await this.#best(others);
    const from = best === undefined ? "nobody" : formatEndpoint(best.candidate.endpoint);
    if (best === undefined || !this.#goesBeforeUs(best.candidate)) {
      this.#absenceSettled = true;
      log.notice("system-files-kept", { reason, best: from });
      return;
    }
    try {
      adopt(await this.#copy(best.entry));
      this.#absenceSettled = true;
      log.notice("system-files-copied", { reason, from });
    } catch (error) {
      this.#attempts += 1;
      log.warn("system-files-not-copied", { reason, from, why: describeError(error) });
      if (this.#attempts < maxCopyAttempts) {
        throw new WireStatusError(wireStatus.tryAgain, `the files of ${from} cannot be copied now`);
      }
      // Better a tracker that has to be told things again than one that lets nobody join.
      this.#absenceSettled = true;
      this.#attempts = 0;
    }
  }

  async #best(others: readonly ServerEndpoint[]): Promise<Answered | undefined> {
    const answers = await Promise.all(
      others.map(async (entry): Promise<Answered | undefined> => {
        const [address] = entry.addresses;
        const answer = await this.#parts.calls.placement(entry);
        if (answer.name !== "answered" || address === undefined) return undefined;
        return { entry, candidate: { ...answer.reply, endpoint: { address, port: entry.port } } };
      }),
    );
    return answers
      .filter((answer) => answer !== undefined)
      .sort((one, other) => compareCandidates(one.candidate, other.candidate))[0];
  }

  /** Addresses do not matter here: an equal one knows no better. */
  #goesBeforeUs(best: Candidate): boolean {
    const own = this.#parts.own();
    return own === undefined || compareCandidates(best, { ...own, endpoint: best.endpoint }) < 0;
  }

  async #copy(entry: ServerEndpoint): Promise<ImportedTracker> {
    const { calls } = this.#parts;
    const client = await calls.connect(entry);
    try {
      return await copySystemFiles(client);
    } finally {
      calls.release(client);
    }
  }
}

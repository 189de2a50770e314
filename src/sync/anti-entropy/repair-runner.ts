/**
 * Carries out what `repair-plan.ts` decided, for some names at a time: what is deleted goes first, since a slot may be somebody else's by
 * then; copies come in parallel. Counts; a name that fails is left to the next round.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { type InventoryRepair, maxInventoryRepairs } from "#protocol/peer/inventory.ts";
import { fetchCopy } from "#sync/anti-entropy/fetch-copy.ts";
import type { RepairedStore, RepairPeer } from "#sync/anti-entropy/peer-file.ts";
import {
  type NameDifference,
  planRepair,
  type RepairStep,
} from "#sync/anti-entropy/repair-plan.ts";
import { inLanes } from "#sync/lanes.ts";

export interface RepairTally {
  /** Files that came here. */
  copiedHere: number;
  copiedThere: number;
  deletedHere: number;
  deletedThere: number;
  /** Found alike after all, or gone meanwhile. */
  unneeded: number;
  failed: number;
  bytes: number;
}

export function emptyTally(): RepairTally {
  const copies = { copiedHere: 0, copiedThere: 0, deletedHere: 0, deletedThere: 0 };
  return { ...copies, unneeded: 0, failed: 0, bytes: 0 };
}

export interface RepairRunnerParts {
  readonly log: Log;
  readonly store: RepairedStore;
  readonly peer: RepairPeer;
  /** Other peers with the same files. */
  readonly others: readonly RepairPeer[];
  /** Files that are fetched at the same time. */
  readonly lanes: number;
  /** Waits as the pace wants it, after each file. */
  readonly rest: () => Promise<void>;
}

interface Planned {
  readonly name: string;
  readonly step: RepairStep;
}

/** 17: it was so already. */
const already = 17;

export class RepairRunner {
  readonly #parts: RepairRunnerParts;
  readonly tally: RepairTally = emptyTally();
  lastProblem: string | undefined;

  constructor(parts: RepairRunnerParts) {
    this.#parts = parts;
  }

  async run(differences: readonly NameDifference[]): Promise<void> {
    const planned: Planned[] = [];
    for (const difference of differences) {
      const { name } = difference;
      const step = await this.#attempt(name, () => this.#settled(name, planRepair(difference)));
      if (step !== undefined) planned.push({ name, step });
    }
    for (const { name, step } of planned) {
      if (step.step === "delete" && step.at === "here")
        await this.#removeHere(name, step.timestamp);
    }
    await this.#mend(planned, "remove");
    const copies = planned.filter(({ step }) => step.step === "copy" && step.to === "here");
    await inLanes(copies, this.#parts.lanes, ({ name, step }) => this.#copyHere(name, step));
    await this.#mend(planned, "fetch");
  }

  /** Files as large on both sides: their contents decide. */
  async #settled(name: string, step: RepairStep): Promise<RepairStep> {
    if (step.step !== "compare") return step;
    const { store, peer } = this.#parts;
    const [here, there] = await Promise.all([
      store.facts(name, { computeCrc: true }).then(({ crc32 }) => crc32),
      peer.factsOf(name).then((facts) => facts?.crc32),
    ]);
    return here === there ? { step: "nothing" } : step.otherwise;
  }

  async #removeHere(name: string, timestamp: number): Promise<void> {
    await this.#attempt(name, async () => {
      const outcome = await this.#parts.store.removeReplica({ name, timestamp });
      if (outcome === "done") this.tally.deletedHere += 1;
      else this.tally.unneeded += 1;
    });
  }

  async #copyHere(name: string, step: RepairStep): Promise<void> {
    if (step.step !== "copy") return;
    const { store, peer, others, rest } = this.#parts;
    await this.#attempt(name, async () => {
      const copied = await fetchCopy(store, [peer, ...others], { name, timestamp: step.timestamp });
      if (copied.outcome === "stored") {
        this.tally.copiedHere += 1;
        this.tally.bytes += copied.bytes;
      } else {
        this.tally.unneeded += 1;
      }
    });
    await rest();
  }

  /** What the other side is to do. */
  async #mend(planned: readonly Planned[], action: InventoryRepair["action"]): Promise<void> {
    const repairs: InventoryRepair[] = [];
    for (const { name, step } of planned) {
      if (action === "remove" && step.step === "delete" && step.at === "there") {
        repairs.push({ action, timestamp: step.timestamp, name });
      }
      if (action === "fetch" && step.step === "copy" && step.to === "there") {
        repairs.push({ action, timestamp: step.timestamp, name });
      }
    }
    for (let at = 0; at < repairs.length; at += maxInventoryRepairs) {
      const part = repairs.slice(at, at + maxInventoryRepairs);
      const statuses = await this.#attempt(part[0]?.name ?? "", () => this.#parts.peer.mend(part));
      for (const index of part.keys()) this.#count(action, statuses?.[index]);
      await this.#parts.rest();
    }
  }

  #count(action: InventoryRepair["action"], status: number | undefined): void {
    if (status === already) this.tally.unneeded += 1;
    else if (status !== 0) this.tally.failed += status === undefined ? 0 : 1;
    else if (action === "fetch") this.tally.copiedThere += 1;
    else this.tally.deletedThere += 1;
  }

  async #attempt<Result>(name: string, action: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await action();
    } catch (error) {
      this.tally.failed += 1;
      this.lastProblem = `${name}: ${describeError(error)}`;
      this.#parts.log.warn("repair-failed", { name, why: describeError(error) });
      return undefined;
    }
  }
}

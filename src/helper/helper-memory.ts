/** What the helper remembers while it runs: questions that it asked, what it has read, and who works on which disk. */
import type { BlankReading } from "#disks/guard/blank-reading.ts";
import type { FirstStep } from "#disks/guard/evidence.ts";
import { helperLimits } from "#disks/helper-protocol.ts";
import { helperError } from "#helper/errors.ts";
import type { Clock } from "#platform/clock.ts";
import type { Random } from "#platform/random.ts";

const tokenBytes = 16;

export class HelperMemory {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #firstSteps = new Map<string, FirstStep>();
  /** By name of the disk. */
  readonly #readings = new Map<string, BlankReading>();
  readonly #users = new Set<string>();
  /** Ends the reading of a disk that something else is to be done to. */
  readonly #readers = new Map<string, AbortController>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** A token that stands for what was shown; the oldest ones go when there are too many. */
  issue(step: Omit<FirstStep, "expiresAtMs">): string {
    const token = Buffer.from(this.#random.bytes(tokenBytes)).toString("hex");
    const expiresAtMs = this.#clock.monotonicMs() + helperLimits.tokenMs;
    this.#firstSteps.set(token, { ...step, expiresAtMs });
    const [oldest] = this.#firstSteps.keys();
    if (this.#firstSteps.size > helperLimits.maxTokens && oldest !== undefined) {
      this.#firstSteps.delete(oldest);
    }
    return token;
  }

  /** Good for one use. */
  take(token: string | undefined): FirstStep | undefined {
    if (token === undefined) return undefined;
    const step = this.#firstSteps.get(token);
    this.#firstSteps.delete(token);
    return step;
  }

  reading(disk: string): BlankReading | undefined {
    return this.#readings.get(disk);
  }

  keepReading(disk: string, reading: BlankReading): void {
    this.#readings.set(disk, reading);
  }

  /** Throws `device-busy` while somebody else works on the disk. A reading gives way. */
  occupy(disk: string): Disposable {
    this.requireFree(disk);
    this.#readers.get(disk)?.abort(helperError("device-busy", `${disk} is wanted for more`));
    this.#users.add(disk);
    return { [Symbol.dispose]: () => void this.#users.delete(disk) };
  }

  /** Only looking is at hand: throws `device-busy` while somebody changes the disk. */
  requireFree(disk: string): void {
    if (this.#users.has(disk)) {
      throw helperError("device-busy", `something else is being done to ${disk}: wait for its end`);
    }
  }

  /** Throws `device-busy` where somebody reads or works on it already. */
  beginReading(disk: string): { readonly signal: AbortSignal } & Disposable {
    this.requireFree(disk);
    if (this.#readers.has(disk)) {
      throw helperError("device-busy", `${disk} is being read already`);
    }
    const controller = new AbortController();
    this.#readers.set(disk, controller);
    return {
      signal: controller.signal,
      [Symbol.dispose]: () => void this.#readers.delete(disk),
    };
  }
}

/**
 * The daemon's end of a probe child: one question at a time, with a deadline. A child that does not answer, or whose threads wait for
 * something that hangs, is left behind and another one started. Main thread: it parses what comes, and never waits for it.
 */
import { AppError } from "#base/app-error.ts";
import { LineSplitter } from "#control/control-wire.ts";
import type { HealthLook } from "#disks/health/health-look.ts";
import { probeLimits } from "#disks/probe/limits.ts";
import {
  encodeProbeLine,
  type ProbeMessage,
  parseProbeMessage,
  type RoundAnswer,
  type RoundRequest,
} from "#disks/probe/probe-messages.ts";
import type { Child, Children } from "#platform/children.ts";
import type { Clock, Timer } from "#platform/clock.ts";

export type ProbeErrorCode =
  /** It did not answer in time. `details.disk` is what it was at, where it said so. */
  | "probe-hung"
  /** It ended, or was never there. */
  | "probe-ended"
  | "probe-stopped";

export interface ProbeLinkOptions {
  readonly children: Pick<Children, "startSelf">;
  readonly clock: Clock;
  readonly onNews: (names: readonly string[]) => void;
  readonly onHealth?: (look: HealthLook) => void;
}

interface Waiting {
  readonly id: number;
  readonly settle: (end: RoundAnswer | AppError<ProbeErrorCode>) => void;
}

export class ProbeLink {
  readonly #options: ProbeLinkOptions;
  #child: Child | undefined;
  #lines = new LineSplitter(probeLimits.maxLineBytes);
  #isReady = false;
  #waiting: Waiting | undefined;
  #unsent: string | undefined;
  #limit: Timer | undefined;
  #at: string | undefined;
  #nextId = 1;
  #readingMs = 0;

  constructor(options: ProbeLinkOptions) {
    this.#options = options;
  }

  get processId(): number | undefined {
    return this.#child?.processId;
  }

  /** What reading the last answer cost this thread, milliseconds. */
  get readingMs(): number {
    return this.#readingMs;
  }

  /** Starts a child where there is none. One round at a time. Rejects with a `ProbeErrorCode`; the child is gone then. */
  async round(request: Omit<RoundRequest, "id">): Promise<RoundAnswer> {
    const id = this.#nextId;
    this.#readingMs = 0;
    this.#nextId += 1;
    this.start();
    const end = await new Promise<RoundAnswer | AppError<ProbeErrorCode>>((resolve) => {
      this.#waiting = { id, settle: resolve };
      const line = encodeProbeLine({ id, ...request });
      if (this.#isReady) this.#send(line);
      else this.#unsent = line;
    });
    if (end instanceof AppError) throw end;
    return end;
  }

  start(): void {
    if (this.#child !== undefined) return;
    const child = this.#options.children.startSelf(["probe"]);
    this.#child = child;
    this.#lines = new LineSplitter(probeLimits.maxLineBytes);
    this.#isReady = false;
    this.#at = undefined;
    child.onOutput = (bytes) => this.#receive(bytes);
    child.onEnd = (why) => this.#give("probe-ended", `the probe ${why}`);
    this.#setLimit(probeLimits.startMs, "the probe does not start");
  }

  /** Leaves the child behind; the next round, or `start`, begins another one. */
  replace(): void {
    this.#give("probe-stopped", "the probe was stopped");
  }

  #send(line: string): void {
    this.#setLimit(probeLimits.roundMs, "the probe does not answer");
    this.#child?.write(line);
  }

  #receive(bytes: Uint8Array): void {
    const beginMs = this.#options.clock.monotonicMs();
    this.#read(bytes);
    this.#readingMs += this.#options.clock.monotonicMs() - beginMs;
  }

  #read(bytes: Uint8Array): void {
    let lines: readonly string[];
    try {
      lines = this.#lines.push(bytes);
    } catch {
      // Something that has no end.
      this.#give("probe-ended", "the probe said what is no answer");
      return;
    }
    for (const line of lines) {
      const message = parseProbeMessage(line);
      if (message !== undefined) this.#take(message);
    }
  }

  #take(message: ProbeMessage): void {
    switch (message.kind) {
      case "ready": {
        this.#isReady = true;
        this.#limit?.cancel();
        const line = this.#unsent;
        this.#unsent = undefined;
        if (line !== undefined) this.#send(line);
        return;
      }
      case "at":
        this.#at = message.disk;
        return;
      case "news":
        this.#options.onNews(message.names);
        return;
      case "health":
        this.#options.onHealth?.(message.look);
        return;
      case "round":
        if (message.id === this.#waiting?.id) this.#settle(message);
    }
  }

  #setLimit(limitMs: number, words: string): void {
    this.#limit?.cancel();
    this.#limit = this.#options.clock.after(limitMs, () => this.#give("probe-hung", words));
  }

  #give(code: ProbeErrorCode, words: string): void {
    const disk = this.#at;
    this.#child?.abandon();
    this.#child = undefined;
    this.#isReady = false;
    this.#unsent = undefined;
    const where = code === "probe-hung" && disk !== undefined ? `, and was last at ${disk}` : "";
    this.#settle(new AppError(code, `${words}${where}`, { details: { disk } }));
  }

  #settle(end: RoundAnswer | AppError<ProbeErrorCode>): void {
    this.#limit?.cancel();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.settle(end);
  }
}

/**
 * Flushes that end when the test says so, in the order that it chooses: each of a request's targets is flushed, by the given files, in
 * the moment in which it is completed, and the request is answered after its last. What the disk in memory holds for good at any
 * time is what was completed until then.
 */
import { flushFile } from "#filestore/worker/staged-files.ts";
import { FileError, type Files } from "#platform/files.ts";
import type { Flusher, FlushOutcome, FlushTarget } from "#platform/flusher.ts";

interface Held {
  readonly target: FlushTarget;
  readonly end: (error: FileError | undefined) => void;
}

export class HeldFlusher implements Flusher {
  /** Not completed yet, in the order in which they were asked for. */
  readonly held: Held[] = [];
  /** How many targets each request had. */
  readonly requests: number[] = [];
  inFlight = 0;
  readonly #files: Files;

  constructor(files: Files) {
    this.#files = files;
  }

  flush(targets: readonly FlushTarget[], done: (outcome: FlushOutcome) => void): void {
    const outcome: (FileError | undefined)[] = targets.map(() => undefined);
    let left = targets.length;
    this.inFlight += 1;
    this.requests.push(targets.length);
    for (const [index, target] of targets.entries()) {
      const end = (error: FileError | undefined): void => {
        outcome[index] = error;
        left -= 1;
        if (left > 0) return;
        this.inFlight -= 1;
        done(outcome);
      };
      this.held.push({ target, end });
    }
  }

  soon(task: () => void): void {
    setImmediate(task);
  }

  /** Carries out the held flush at this place, or has it fail. */
  complete(index: number, code?: string): void {
    const [next] = this.held.splice(index, 1);
    if (next === undefined) throw new Error(`no flush is held at ${index}`);
    if (code !== undefined) {
      next.end(new FileError(code, `${code}: injected into a flush of ${next.target.path}`));
      return;
    }
    this.#perform(next.target);
    next.end(undefined);
  }

  completeAll(): void {
    while (this.held.length > 0) this.complete(0);
  }

  #perform(target: FlushTarget): void {
    if (target.kind === "directory") this.#files.flushDirectory(target.path);
    else if (target.descriptor !== undefined) this.#files.flush(target.descriptor);
    else flushFile(this.#files, target.path);
  }
}

/**
 * File calls and flushes that are counted, so that the main thread sees how far a store path's thread gets. A call costs some
 * nanoseconds more. Worker thread.
 */
import type { PathCondition } from "#filestore/worker/path-condition.ts";
import type { DiskFile, DiskReads } from "#platform/disk-reads.ts";
import type { Files } from "#platform/files.ts";
import type { Flusher, FlushOutcome, FlushTarget } from "#platform/flusher.ts";

type AnyCall = (one: unknown, two: unknown, three: unknown) => unknown;

/** Those that go to the disk each time; no call has more than three parameters. */
const watchedCalls = [
  ...(["open", "close", "read", "write", "truncate", "flush", "flushDirectory", "stat"] as const),
  ...([
    "readOnce",
    "statDescriptor",
    "rename",
    "remove",
    "makeDirectory",
    "list",
    "space",
  ] as const),
  ...(["makeHardLink"] as const),
] as const satisfies readonly (keyof Files)[];

/** From now on each call of `files` itself is told to `condition`. */
export function watchCalls<Watched extends Files>(
  files: Watched,
  condition: PathCondition,
): Watched {
  for (const name of watchedCalls) {
    const call = (files[name] as AnyCall).bind(files);
    const watched: AnyCall = (one, two, three) => {
      condition.callBegins();
      return call(one, two, three);
    };
    Object.defineProperty(files, name, { value: watched });
  }
  return files;
}

/** As `watchCalls`, of files that are read past the cache. */
export function watchReads(reads: DiskReads, condition: PathCondition): DiskReads {
  const watched = (file: DiskFile): DiskFile => ({
    facts: () => {
      condition.callBegins();
      return file.facts();
    },
    size: () => {
      condition.callBegins();
      return file.size();
    },
    read: (length, position) => {
      condition.callBegins();
      return file.read(length, position);
    },
    close: () => file.close(),
    ...(file.ahead === undefined
      ? {}
      : {
          ahead: (length, position) => {
            condition.callBegins();
            file.ahead?.(length, position);
          },
        }),
  });
  return {
    expect: (path, length) => {
      condition.callBegins();
      return reads.expect?.(path, length) ?? false;
    },
    begin: () => {
      condition.callBegins();
      reads.begin?.();
    },
    expectNothing: () => reads.expectNothing?.(),
    close: () => reads.close?.(),
    open: (path) => {
      condition.callBegins();
      return watched(reads.open(path));
    },
  };
}

/** `flusher`, with the begin and the end of each flush told to `condition`. */
export class WatchedFlusher implements Flusher {
  readonly #flusher: Flusher;
  readonly #condition: PathCondition;

  constructor(flusher: Flusher, condition: PathCondition) {
    this.#flusher = flusher;
    this.#condition = condition;
  }

  get inFlight(): number {
    return this.#flusher.inFlight;
  }

  flush(targets: readonly FlushTarget[], done: (outcome: FlushOutcome) => void): void {
    const outcome: FlushOutcome[number][] = new Array(targets.length).fill(undefined);
    let left = targets.length;
    this.#condition.flushesBegan(left);
    // One by one: each end is a sign of life.
    for (const [index, target] of targets.entries()) {
      this.#flusher.flush([target], ([error]) => {
        this.#condition.flushesEnded(1);
        outcome[index] = error;
        left -= 1;
        if (left === 0) done(outcome);
      });
    }
  }

  soon(task: () => void): void {
    this.#flusher.soon(task);
  }
}

/**
 * Work that must not go on before something reached stable storage. It is written as a generator that hands out what is to be
 * flushed and is told what failed, so that the worker goes on with other requests meanwhile, and a test can complete the flushes in
 * any order. Worker thread.
 */
import { flushFile } from "#filestore/worker/staged-files.ts";
import { FileError, type Files } from "#platform/files.ts";
import type { Flusher, FlushOutcome, FlushTarget } from "#platform/flusher.ts";

/** Yields what is to be flushed before the next step, or undefined where others may have their turn; is answered with what failed. */
export type FlushSteps<Result> = Generator<
  readonly FlushTarget[] | undefined,
  Result,
  FlushOutcome
>;

/** What a step that flushes nothing is answered with. */
export const nothingFlushed: FlushOutcome = [];

/** Flushes in the caller's thread, one target after the other. */
export class FilesFlusher implements Flusher {
  readonly inFlight = 0;
  readonly #files: Files;

  constructor(files: Files) {
    this.#files = files;
  }

  flush(targets: readonly FlushTarget[], done: (outcome: FlushOutcome) => void): void {
    done(targets.map((target) => flushNow(this.#files, target)));
  }

  /** Never asked for where nothing is ever in flight. */
  soon(task: () => void): void {
    task();
  }
}

/** Runs steps to their end, blocking the thread in each flush. */
export function runFlushSteps<Result>(files: Files, steps: FlushSteps<Result>): Result {
  let outcome = nothingFlushed;
  for (;;) {
    const step = steps.next(outcome);
    if (step.done === true) return step.value;
    outcome = step.value?.map((target) => flushNow(files, target)) ?? nothingFlushed;
  }
}

/**
 * Flushes `targets`, equal paths once; the first failure, if any. After one the kernel may have dropped what was written, so the
 * owner of the engine hears of it, too.
 */
export function* flushAll(
  store: { readonly onFlushFailed: (error: FileError) => void },
  targets: readonly FlushTarget[],
): FlushSteps<FileError | undefined> {
  if (targets.length === 0) return undefined;
  const outcome = yield distinct(targets);
  const failure = outcome.find((error) => error !== undefined);
  if (failure !== undefined) store.onFlushFailed(failure);
  return failure;
}

/** Directories come last: the journal commit that brings files to the disk brings their names along. */
function distinct(targets: readonly FlushTarget[]): readonly FlushTarget[] {
  if (targets.length === 1) return targets;
  const byPath = new Map<string, FlushTarget>();
  for (const target of targets) if (target.kind === "file") byPath.set(target.path, target);
  for (const target of targets) if (target.kind === "directory") byPath.set(target.path, target);
  return [...byPath.values()];
}

function flushNow(files: Files, target: FlushTarget): FileError | undefined {
  try {
    if (target.kind === "directory") files.flushDirectory(target.path);
    else if (target.descriptor !== undefined) files.flush(target.descriptor);
    else flushFile(files, target.path);
    return undefined;
  } catch (error) {
    if (error instanceof FileError) return error;
    throw error;
  }
}

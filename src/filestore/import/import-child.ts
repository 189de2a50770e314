/**
 * What `cairn import` does, the child of the daemon that reads a foreign store path: whatever it reads may hang, and hangs nobody else. It
 * ends with the daemon; the next one goes on by the list.
 */
import { describeError } from "#base/app-error.ts";
import { LineSplitter } from "#control/control-wire.ts";
import { slotOfKey } from "#filestore/import/foreign-files.ts";
import { FrameImportTarget } from "#filestore/import/frame-import-target.ts";
import { importTellMs } from "#filestore/import/import-limits.ts";
import { type ImportedSoFar, readList } from "#filestore/import/import-list.ts";
import {
  type ImportJob,
  type ImportNews,
  maxImportLineBytes,
  parseCandidates,
  parseImportJob,
} from "#filestore/import/import-messages.ts";
import { type ImportProgress, importStorePath } from "#filestore/import/import-run.ts";
import { directoryName } from "#model/remote-filename.ts";
import type { Clock } from "#platform/clock.ts";
import type { Files } from "#platform/files.ts";
import type { Network } from "#platform/network.ts";
import type { ParentLink } from "#platform/parent-link.ts";

export interface ImportChildParts {
  readonly files: Files;
  readonly clock: Clock;
  readonly network: Network;
  readonly parent: ParentLink;
}

const maxWhyLength = 900;

/** Resolves when it has ended, well or not, or the parent is gone. */
export async function runImportChild(parts: ImportChildParts): Promise<void> {
  const { parent, clock } = parts;
  const ended = new AbortController();
  const lines = new Lines(parent, ended);
  const progress: ImportProgress = { files: 0, bytes: 0, left: 0, leftNames: [] };
  const say = (kind: ImportNews["kind"], more: { since?: number; why?: string } = {}): void => {
    parent.write(`${JSON.stringify({ kind, ...progress, ...more })}\n`);
  };
  const timer = clock.every(importTellMs, () => say("progress"));
  try {
    const job = parseImportJob(await lines.next());
    await runJob(parts, job, { progress, lines, signal: ended.signal, say });
    say("done");
  } catch (error) {
    if (!ended.signal.aborted) say("failed", { why: describeError(error).slice(0, maxWhyLength) });
  } finally {
    timer.cancel();
  }
}

async function runJob(
  { files, clock, network }: ImportChildParts,
  job: ImportJob,
  how: {
    readonly progress: ImportProgress;
    readonly lines: Lines;
    readonly signal: AbortSignal;
    readonly say: (kind: "interrupted", more: { since: number }) => void;
  },
): Promise<void> {
  const { directory, root, index, group, newGroup } = job;
  const { progress, signal } = how;
  const old = { group, newGroup, storePath: `M${directoryName(index)}` };
  const soFar = readList(linesOf(files, job.list), old, slotOfKey);
  progress.files = soFar.files;
  progress.left = soFar.leftCount;
  const since = beginOf(soFar);
  let candidates: readonly string[] = [];
  if (since !== undefined) {
    how.say("interrupted", { since });
    candidates = parseCandidates(await how.lines.next());
  }
  const target = new FrameImportTarget({ ...job.storage, group: newGroup }, { network, clock });
  const descriptor = files.open(job.list, "append", true);
  // The last line may be cut off.
  if (files.statDescriptor(descriptor).sizeBytes > 0) files.write(descriptor, Buffer.from("\n"));
  const note = (text: string, flushed: boolean): void => {
    if (text !== "") files.write(descriptor, Buffer.from(text, "latin1"));
    if (flushed) files.flush(descriptor);
  };
  try {
    const common = { directory, root, index, files, clock, old, soFar, candidates };
    await importStorePath({ ...common, target, note, progress, signal });
  } finally {
    target.close();
    files.close(descriptor);
  }
}

function beginOf({ begun }: ImportedSoFar): number | undefined {
  let since: number | undefined;
  for (const { atSeconds } of begun.values()) since = Math.min(since ?? atSeconds, atSeconds);
  return since;
}

/** Whole lines of a file, without their ends; none where there is no file. */
function* linesOf(files: Files, path: string): Generator<string, void> {
  if (files.stat(path, true) === undefined) return;
  const descriptor = files.open(path, "read");
  const piece = Buffer.alloc(64 * 1024);
  let rest = "";
  try {
    for (let at = 0; ; ) {
      const got = files.read(descriptor, piece, at);
      if (got === 0) return;
      at += got;
      const parts = (rest + piece.toString("latin1", 0, got)).split("\n");
      rest = parts.pop() ?? "";
      yield* parts;
    }
  } finally {
    files.close(descriptor);
  }
}

/** What the parent writes, as it is wanted. */
class Lines {
  readonly #waiting: string[] = [];
  readonly #ended: AbortController;
  #wake: (() => void) | undefined;

  constructor(parent: ParentLink, ended: AbortController) {
    this.#ended = ended;
    const splitter = new LineSplitter(maxImportLineBytes);
    parent.onInput = (bytes) => {
      this.#waiting.push(...splitter.push(bytes));
      this.#wake?.();
    };
    parent.onEnd = () => {
      ended.abort(new Error("the daemon has ended"));
      this.#wake?.();
    };
  }

  async next(): Promise<string> {
    for (;;) {
      this.#ended.signal.throwIfAborted();
      const line = this.#waiting.shift();
      if (line !== undefined) return line;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

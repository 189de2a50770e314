/**
 * The work of the mover's thread: one job, told how far it is, paced so that whoever waits for one of the two disks is let go first, and ended
 * within a piece of 1 MiB when it is told to. The thread owns both directories for its job; whoever starts it sees to that. Mover's thread.
 */
import { dirname } from "node:path/posix";
import {
  busyShare,
  littleBytes,
  littleFiles,
  maxPasses,
  maxPauseMs,
  tellEveryMs,
  turnMs,
} from "#filestore/move/limits.ts";
import {
  deletedOf,
  type MoveFindings,
  type MoverPost,
  type MoverThreadData,
  type MoveTally,
  moverWord,
  unfinishedOf,
  type WrittenFile,
} from "#filestore/move/move-messages.ts";
import { removeTree, TreeCopy } from "#filestore/move/tree-copy.ts";
import { makeIfMissing } from "#filestore/worker/directory-tree.ts";
import type { Clock } from "#platform/clock.ts";
import type { DiskReads } from "#platform/disk-reads.ts";
import { FileError } from "#platform/files.ts";
import type { MoveFiles } from "#platform/move-files.ts";

export interface MoverWorld {
  readonly files: MoveFiles;
  readonly reads: DiskReads;
  readonly clock: Clock;
  readonly post: (message: MoverPost) => void;
}

const nothingFound: MoveFindings = { unreadable: [], unreadableTotal: 0, rotten: [] };

class Stopped extends Error {}

/** Posts how it ended; throws only what is a mistake of ours. */
export function runMover({ job, words }: MoverThreadData, world: MoverWorld): void {
  const mover = new Mover(world, new Int32Array(words));
  try {
    const findings = mover.run(job);
    world.post({ post: "done", tally: mover.tally, findings });
  } catch (error) {
    if (error instanceof Stopped) world.post({ post: "stopped" });
    else if (error instanceof FileError) {
      const code = error.code === "ENOSPC" ? "store-full" : "disk-failed";
      world.post({ post: "failed", code, message: error.message });
    } else throw error;
  }
}

class Mover {
  readonly #world: MoverWorld;
  readonly #words: Int32Array;
  #copy: TreeCopy | undefined;
  /** Of passes before the present one. */
  #copied = { files: 0, bytes: 0 };
  #passes = 0;
  #toldMs = Number.NEGATIVE_INFINITY;
  #turnBeganMs: number;

  constructor(world: MoverWorld, words: Int32Array) {
    this.#world = world;
    this.#words = words;
    this.#turnBeganMs = world.clock.monotonicMs();
  }

  get tally(): MoveTally {
    const { files = 0, bytes = 0, copiedFiles = 0, copiedBytes = 0 } = this.#copy?.counts ?? {};
    return {
      files,
      bytes,
      copiedFiles: this.#copied.files + copiedFiles,
      copiedBytes: this.#copied.bytes + copiedBytes,
      passes: this.#passes,
    };
  }

  run(job: MoverThreadData["job"]): MoveFindings {
    switch (job.kind) {
      case "copy":
        return this.#copyMost(job.source, job.target);
      case "copy-rest":
        return this.#pass(this.#treeCopy(job.source, job.target), "all");
      case "commit":
        this.#commit(job.target, job);
        return nothingFound;
      case "write":
        this.#write(job.files);
        return nothingFound;
      case "make":
        this.#make(job.directory);
        return nothingFound;
      case "delete":
        this.#delete(job.directory);
        return nothingFound;
    }
  }

  #copyMost(source: string, target: string): MoveFindings {
    const copy = this.#treeCopy(source, target);
    for (;;) {
      const findings = this.#pass(copy, "files");
      const { copiedFiles, copiedBytes } = copy.counts;
      const isLittle = copiedBytes <= littleBytes && copiedFiles <= littleFiles;
      // What cannot be read does not become readable by being asked again and again.
      if (isLittle || this.#passes >= maxPasses || findings.unreadableTotal > 0) return findings;
    }
  }

  #pass(copy: TreeCopy, scope: "files" | "all"): MoveFindings {
    const { copiedFiles, copiedBytes } = copy.counts;
    this.#copied = {
      files: this.#copied.files + copiedFiles,
      bytes: this.#copied.bytes + copiedBytes,
    };
    copy.pass(scope);
    this.#passes += 1;
    return copy.findings;
  }

  #treeCopy(source: string, target: string): TreeCopy {
    const { files, reads, clock } = this.#world;
    const unfinished = unfinishedOf(target);
    this.#make(dirname(target));
    if (files.facts(unfinished) === undefined) {
      // A kill came between the copy's new name and the passport; or the path was here before.
      if (files.facts(target) !== undefined) files.rename(target, unfinished);
    }
    const pace = (): void => this.#pace();
    const nowMs = (): number => clock.nowMs();
    this.#copy = new TreeCopy({ files, reads, source, target: unfinished, nowMs, pace });
    return this.#copy;
  }

  #commit(
    target: string,
    {
      files: written,
      removed,
    }: { readonly files: readonly WrittenFile[]; readonly removed: readonly string[] },
  ): void {
    const { files } = this.#world;
    const unfinished = unfinishedOf(target);
    // After a kill it may have its name already.
    if (files.facts(unfinished) !== undefined) {
      if (files.facts(target) !== undefined) {
        throw new FileError("EEXIST", `${target} is in the way: move it elsewhere`, target);
      }
      files.rename(unfinished, target);
      files.flushDirectory(dirname(target));
    }
    this.#write(written);
    for (const path of removed) files.remove(path);
  }

  #write(written: readonly WrittenFile[]): void {
    const { files } = this.#world;
    for (const { path, text } of written) {
      makeIfMissing(files, dirname(path));
      const temporary = `${path}.new`;
      // One that a crash left may be anybody's to read.
      files.remove(temporary);
      const descriptor = files.open(temporary, "create", true);
      try {
        files.write(descriptor, Buffer.from(text), 0);
        files.flush(descriptor);
      } finally {
        files.close(descriptor);
      }
      files.rename(temporary, path);
      files.flushDirectory(dirname(path));
    }
  }

  #make(directory: string): void {
    const { files } = this.#world;
    if (files.facts(directory)?.kind === "directory") return;
    const above = dirname(directory);
    if (above !== directory) this.#make(above);
    makeIfMissing(files, directory);
    files.flushDirectory(above);
  }

  #delete(directory: string): void {
    const { files } = this.#world;
    const deleted = deletedOf(directory);
    const pace = (): void => this.#pace();
    // One of an earlier time goes first.
    if (files.facts(directory) !== undefined) {
      removeTree(files, deleted, pace);
      files.rename(directory, deleted);
      files.flushDirectory(dirname(directory));
    }
    removeTree(files, deleted, pace);
  }

  /** Between two pieces. Throws `Stopped`. */
  #pace(): void {
    const { clock, post } = this.#world;
    if (Atomics.load(this.#words, moverWord.stop) !== 0) throw new Stopped();
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#toldMs >= tellEveryMs) {
      this.#toldMs = nowMs;
      post({ post: "progress", tally: this.tally });
    }
    const workedMs = nowMs - this.#turnBeganMs;
    if (workedMs < turnMs) return;
    if (Atomics.load(this.#words, moverWord.busy) !== 0) {
      const pauseMs = Math.min(maxPauseMs, (workedMs * (100 - busyShare)) / busyShare);
      Atomics.wait(this.#words, moverWord.stop, 0, pauseMs);
    }
    this.#turnBeganMs = clock.monotonicMs();
  }
}

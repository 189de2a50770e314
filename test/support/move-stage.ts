/** A mover over two directories of the test's own, run in its thread. */
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type MoveJob,
  type MoverPost,
  moverWord,
  moverWords,
} from "#filestore/move/move-messages.ts";
import { runMover } from "#filestore/move/run-mover.ts";
import type { DiskReads } from "#platform/disk-reads.ts";
import type { MoveFiles } from "#platform/move-files.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeDiskReads } from "#platform/node/node-disk-reads.ts";
import { NodeMoveFiles } from "#platform/node/node-move-files.ts";

export class MoveStage implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "cairn-move-"));
  readonly source = join(this.folder, "a/store/M00");
  readonly target = join(this.folder, "b/store/M00");
  files: MoveFiles = new NodeMoveFiles();
  reads: DiskReads = new NodeDiskReads();
  /** Asked before each look at whether to stop. */
  readonly words = new SharedArrayBuffer(4 * moverWords);

  constructor() {
    mkdirSync(join(this.source, "data/.cairn"), { recursive: true });
    mkdirSync(join(this.folder, "b"));
  }

  /** The last message. */
  run(job: MoveJob): MoverPost {
    let last: MoverPost = { post: "stopped" };
    const post = (message: MoverPost): void => {
      last = message;
    };
    runMover(
      { job, words: this.words },
      { files: this.files, reads: this.reads, clock: nodeClock, post },
    );
    return last;
  }

  copy(kind: "copy" | "copy-rest" = "copy-rest") {
    const { source, target } = this;
    const end = this.run({ kind, source, target });
    if (end.post !== "done") throw new Error(JSON.stringify(end));
    return { ...end.tally, ...end.findings };
  }

  stop(): void {
    Atomics.store(new Int32Array(this.words), moverWord.stop, 1);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Every name below a directory with what matters of it; files that share an inode have the same letter. */
export function treeOf(directory: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const inodes = new Map<number, string>();
  const walk = (below: string): void => {
    for (const name of readdirSync(join(directory, below)).sort()) {
      const place = join(below, name);
      const path = join(directory, place);
      const stats = lstatSync(path);
      if (stats.isDirectory()) walk(place);
      else if (stats.isSymbolicLink()) found[place] = `to ${readlinkSync(path)}`;
      else {
        if (!inodes.has(stats.ino)) inodes.set(stats.ino, place);
        const shared = inodes.get(stats.ino) === place ? "" : ` as ${inodes.get(stats.ino)}`;
        const seconds = Math.floor(stats.mtimeMs / 1000);
        found[place] = `${seconds} ${readFileSync(path).toString("base64")}${shared}`;
      }
    }
  };
  walk("");
  return found;
}

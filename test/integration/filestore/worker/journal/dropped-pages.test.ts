/**
 * Goal: a flush that fails makes the kernel forget what it was to bring to the disk; the files and the records that commits had flushed in the
 * journal are there all the same, after the check of the path, and after a power cut at any time since.
 * Method: a disk in memory whose flushes, but those of the journal, fail on command and drop what they were about: it can be read still, or
 * not even that. Of a checkpoint, and beside commits; with commits that were under way then, and others after the check.
 */
import { expect, test } from "vitest";
import { readBack, viewOf } from "../../../../support/engine-fixture.ts";
import {
  directory,
  LosingFiles,
  type Opened,
  open,
  openJournaled,
  staged,
} from "../../../../support/journal-stage.ts";

/** Enough for a checkpoint and more. */
const many = 40;

interface Loss {
  readonly how: "cached" | "evicted";
  /** Of a checkpoint, or of what is done ahead of one beside commits. */
  readonly flush: "checkpoint" | "early";
  /** Of the files: smaller ones are packed. */
  readonly bytes: number;
  /** Commits between the failure and the check, and after that; undefined where the power goes before the check. */
  readonly before: number;
  readonly after: number | undefined;
}

class Load {
  readonly acknowledged = new Map<string, string>();
  readonly #opened: Opened;
  readonly #bytes: number;
  #count = 0;

  constructor(opened: Opened, bytes: number) {
    this.#opened = opened;
    this.#bytes = bytes;
  }

  store(files: number): void {
    for (let left = files; left > 0; left -= 1) {
      this.#count += 1;
      const content = `${this.#count} `.padEnd(this.#bytes, "y");
      const change = staged(this.#opened.engine, content);
      this.#opened.engine.commit([change]);
      if (change.error === undefined) this.acknowledged.set(change.result ?? "", content);
    }
  }
}

function lose(files: LosingFiles, { engine }: Opened, { load, flush, how }: LossUnderLoad): void {
  for (let tries = 0; files.lost === 0; tries += 1) {
    expect(tries).toBeLessThan(2 * many);
    if (flush === "checkpoint") files.losing = how;
    load.store(1);
    files.losing = how;
    const steps = flush === "early" ? engine.earlyFlush() : undefined;
    if (steps !== undefined) engine.runNow(steps);
    files.losing = false;
  }
}

type LossUnderLoad = Pick<Loss, "flush" | "how"> & { readonly load: Load };

function losses(): Loss[] {
  const all: Loss[] = [];
  for (const how of ["cached", "evicted"] as const) {
    for (const flush of ["checkpoint", "early"] as const) {
      for (const bytes of [300, 5000]) {
        for (const before of [0, many]) {
          for (const after of [undefined, 0, 1, many])
            all.push({ how, flush, bytes, before, after });
        }
      }
    }
  }
  return all;
}

test("what a failed flush dropped comes back from the journal, by the check or by the next start", () => {
  for (const loss of losses()) {
    const files = new LosingFiles(directory);
    const opened = openJournaled(files);
    const load = new Load(opened, loss.bytes);
    // After a checkpoint nothing else holds the next one back.
    load.store(many);
    lose(files, opened, { ...loss, load });
    load.store(loss.before);
    if (loss.after !== undefined) opened.engine.runNow(opened.engine.check(true));
    load.store(loss.after ?? 0);
    files.powerCut();
    const { engine } = open(files);
    const { binlog } = viewOf(files, directory);
    const found = [...load.acknowledged].filter(([name, content]) => {
      try {
        return readBack(engine, name).toString() === content && binlog.includes(`${name}\n`);
      } catch {
        return false;
      }
    });
    expect([loss, found.length]).toEqual([loss, load.acknowledged.size]);
  }
});

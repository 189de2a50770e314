/**
 * Goal: with the journal a commit of packed files waits for one flush, of a file that does not grow, and after a power cut at any time the
 * next start has every acknowledged file, whole, and none that was deleted.
 * Method: the engine over a disk in memory that forgets what was not flushed, or any part of it; a journal so small that it is filled
 * again and again; random changes, some too large for it, cuts between them, and flushes that fail.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { Log } from "#base/log.ts";
import { FileLayout } from "#filestore/worker/file-layout.ts";
import { CommitJournal } from "#filestore/worker/journal/commit-journal.ts";
import { commit, readBack } from "../../../../support/engine-fixture.ts";
import {
  directory,
  FailingFiles,
  flushesOf,
  journalBytes,
  open,
  openJournaled,
  staged,
} from "../../../../support/journal-stage.ts";
import { putPacked } from "../../../../support/packed-fixture.ts";
import { seededRandom } from "../../../../support/seeded-random.ts";

for (const [what, failing] of [
  ["", "flush"],
  ["and reached the disk all the same ", "flush-done"],
  ["and reached the disk, from where it could not be removed, ", "flush-done-and-zeros"],
] as const) {
  test(`a record whose flush failed ${what}takes no place of a later one, and the journal is not used again`, () => {
    const files = new FailingFiles(directory);
    const { engine } = openJournaled(files);
    const kept = putPacked(engine, "kept");
    const failed = staged(engine, "failed");
    files.failing = failing;
    engine.commit([failed]);
    files.failing = false;
    expect(failed.error).toBeDefined();
    const later = staged(engine, "later, and longer");
    const [first] = flushesOf(engine.commitSteps([later]));
    expect(first?.some((path) => path.includes("journal"))).toBe(false);
    const name = putPacked(engine, "flushed by itself");
    files.powerCut();
    const again = open(files).engine;
    expect(readBack(again, kept).toString()).toBe("kept");
    expect(readBack(again, later.result ?? "").toString()).toBe("later, and longer");
    expect(readBack(again, name).toString()).toBe("flushed by itself");
  });
}

test("a record whose flush failed and reached the disk all the same does not come back", () => {
  const files = new FailingFiles(directory);
  const { engine } = openJournaled(files);
  const failed = staged(engine, "failed");
  files.failing = "flush-done";
  engine.commit([failed]);
  files.failing = false;
  files.powerCut();
  expect(open(files).engine.binlogPosition()).toEqual(engine.binlogPosition());
});

test("a journal that is refused meanwhile leaves no file open", () => {
  const files = new FailingFiles(directory);
  openJournaled(files).engine.close();
  const open = files.openFiles;
  const journal = new CommitJournal({
    ...{
      files,
      layout: new FileLayout(directory, 0),
      random: seededRandom(1),
      bytes: journalBytes,
    },
    log: new Log("test", () => {}),
  });
  journal.look();
  journal.refuse();
  while (journal.maker.step() !== undefined);
  expect(files.openFiles).toBe(open);
});

type Step =
  | { readonly kind: "put"; readonly sizes: readonly number[] }
  | { readonly kind: "remove"; readonly pick: number }
  | { readonly kind: "early" }
  | { readonly kind: "failing-flush" }
  | { readonly kind: "cut"; readonly seed: number | undefined };

const size = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 2000, max: 4000 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("put"),
      sizes: fc.array(size, { minLength: 1, maxLength: 20 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("remove"), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("early") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("failing-flush") }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("cut"),
      seed: fc.option(fc.nat(), { nil: undefined }),
    }),
  },
) as fc.Arbitrary<Step>;

test("whatever is stored and deleted, and whenever the power goes, what was acknowledged is there", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
      const world = new World();
      for (const each of steps) world.run(each);
      world.run({ kind: "cut", seed: undefined });
    }),
    { numRuns: 150 },
  );
});

class World {
  readonly #files = new FailingFiles(directory);
  readonly #there = new Map<string, string>();
  readonly #gone = new Set<string>();
  #opened = openJournaled(this.#files);
  #count = 0;

  run(each: Step): void {
    const { engine } = this.#opened;
    if (each.kind === "put") this.#put(each.sizes);
    else if (each.kind === "remove") this.#remove(each.pick);
    else if (each.kind === "early") {
      const steps = engine.earlyFlush();
      if (steps !== undefined) engine.runNow(steps);
    } else if (each.kind === "cut") this.#cut(each.seed);
    else this.#fail();
  }

  #put(sizes: readonly number[]): void {
    const { engine } = this.#opened;
    const contents = sizes.map((each) => this.#content(each));
    const changes = contents.map((content) => staged(engine, content));
    engine.commit(changes);
    for (const [at, { result, error }] of changes.entries()) {
      expect(error).toBeUndefined();
      this.#there.set(result ?? "", contents[at] ?? "");
    }
    this.#opened.settle();
  }

  #remove(pick: number): void {
    const names = [...this.#there.keys()];
    const name = names[pick % names.length];
    if (name === undefined) return;
    commit(this.#opened.engine, this.#opened.engine.prepareRemove(name));
    this.#there.delete(name);
    this.#gone.add(name);
  }

  /** A commit whose flush fails, which nobody is told of as done. */
  #fail(): void {
    const { engine } = this.#opened;
    const change = staged(engine, this.#content(100));
    this.#files.failing = "flush";
    engine.commit([change]);
    this.#files.failing = false;
    expect(change.error).toBeInstanceOf(AppError);
  }

  #cut(seed: number | undefined): void {
    this.#files.powerCut(seed === undefined ? undefined : seededRandom(seed));
    this.#opened = open(this.#files);
    this.#opened.settle();
    const { engine } = this.#opened;
    for (const [name, content] of this.#there) {
      expect(readBack(engine, name).toString()).toBe(content);
    }
    for (const name of this.#gone) expect(() => engine.openRead(name)).toThrow();
  }

  #content(bytes: number): string {
    this.#count += 1;
    return `${this.#count} `.padEnd(bytes, "y").slice(0, Math.max(bytes, 8));
  }
}

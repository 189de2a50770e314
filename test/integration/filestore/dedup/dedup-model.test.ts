/**
 * Goal: whatever is uploaded, deleted and interrupted in whatever order, every file that was acknowledged and not deleted has its
 * content and its own name, and no file has a name that nobody was told of.
 * Method: random runs over a disk in memory: few contents, so that they come again; ends by a kill or by a power cut, which may
 * take what was not flushed; databases that are kept, lost, or left behind. A map of names to contents is the model.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import type { Database, Databases } from "#platform/databases.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import {
  commit,
  openEngine,
  readBack,
  runSteps,
  stage,
  viewOf,
} from "../../../support/engine-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { runBackground } from "../../../support/packed-fixture.ts";
import { seededRandom } from "../../../support/seeded-random.ts";

const directory = "/disk";
const target = { kind: "normal", extension: "txt" } as const;
const contents = ["one", "two", "three", "x".repeat(5000)];

type Step =
  | { readonly kind: "upload"; readonly content: number; readonly pieces: number }
  | { readonly kind: "batch"; readonly content: number; readonly count: number }
  | { readonly kind: "delete" | "link"; readonly pick: number }
  | { readonly kind: "walk" }
  | { readonly kind: "kill" | "power-cut"; readonly keepsIndex: boolean; readonly seed: number };

const content = fc.nat(contents.length - 1);
const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ kind: fc.constant("upload"), content, pieces: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constant("batch"), content, count: fc.integer({ min: 2, max: 5 }) }),
    fc.record({ kind: fc.constantFrom("delete", "delete", "link"), pick: fc.nat(1000) }),
    fc.record({ kind: fc.constant("walk") }),
    fc.record({
      kind: fc.constantFrom("kill", "power-cut"),
      keepsIndex: fc.boolean(),
      seed: fc.nat(1e6),
    }),
  ),
  { maxLength: 40 },
);

/** A database that outlives its engines, as its file would. */
function keptDatabases(): Databases & { readonly forget: () => void } {
  let database = nodeDatabases().open(":memory:");
  return {
    open: () => unclosed(database),
    forget: () => {
      database = nodeDatabases().open(":memory:");
    },
  };
}

function unclosed(database: Database): Database {
  return {
    prepare: (sql) => database.prepare(sql),
    execute: (sql) => database.execute(sql),
    transaction: (durability, work) => database.transaction(durability, work),
    serialize: () => database.serialize(),
    get changes() {
      return database.changes;
    },
    get version() {
      return database.version;
    },
    set version(number) {
      database.version = number;
    },
    close: () => {},
    [Symbol.dispose]: () => {},
  };
}

class Run {
  readonly files = new MemoryFiles(directory);
  readonly #clock = new ManualClock();
  readonly #databases = keptDatabases();
  readonly #model = new Map<string, string>();
  #starts = 0;
  #engine: StorePathEngine;

  constructor() {
    this.files.maxLinks = 5;
    this.#engine = this.#open();
  }

  #open(): StorePathEngine {
    this.#starts += 1;
    return openEngine({
      files: this.files,
      directory,
      clock: this.#clock,
      seed: this.#starts,
      databases: this.#databases,
      settings: { dedup: true },
    });
  }

  do(step: Step): void {
    switch (step.kind) {
      case "upload": {
        const text = contents[step.content] ?? "";
        const change = stage(this.#engine, target, { content: text, pieces: step.pieces });
        this.#model.set(commit(this.#engine, change), text);
        break;
      }
      case "batch": {
        const text = contents[step.content] ?? "";
        const changes = Array.from({ length: step.count }, () =>
          stage(this.#engine, target, { content: text }),
        );
        this.#engine.commit(changes);
        for (const { result = "" } of changes) this.#model.set(result, text);
        break;
      }
      case "walk":
        runBackground(this.#engine, this.#clock);
        break;
      case "delete":
      case "link":
        this.#change(step.kind, step.pick);
        break;
      default:
        if (step.kind === "power-cut") this.files.powerCut(seededRandom(step.seed));
        if (!step.keepsIndex) this.#databases.forget();
        this.#clock.advance(1000 * (step.seed % 2000));
        this.#engine = this.#open();
        expect(viewOf(this.files, directory).staged).toEqual([]);
    }
  }

  #change(kind: "delete" | "link", pick: number): void {
    const name = [...this.#model.keys()][pick % Math.max(1, this.#model.size)];
    if (name === undefined) return;
    if (kind === "delete") {
      commit(this.#engine, this.#engine.prepareRemove(name));
      this.#model.delete(name);
      return;
    }
    const request = { source: name, extension: "lnk", master: "", prefix: "" };
    const linked = commit(this.#engine, runSteps(this.#engine.link(request)));
    this.#model.set(linked, this.#model.get(name) ?? "");
  }

  check(): void {
    for (const [name, text] of this.#model) {
      expect(readBack(this.#engine, name).toString()).toBe(text);
    }
    const names = [...this.#model.keys()].map((name) => name.slice("M00/".length)).sort();
    expect(Object.keys(viewOf(this.files, directory).files).sort()).toEqual(names);
  }

  /** How many files there are of each content. */
  copies(): readonly number[] {
    const inodes = new Map<string, Set<number>>();
    for (const [name, text] of this.#model) {
      const inode = this.files.stat(`${directory}/data/${name.slice(4)}`, false)?.inode ?? 0;
      inodes.set(text, (inodes.get(text) ?? new Set()).add(inode));
    }
    return [...inodes.values()].map((set) => set.size);
  }
}

test("every file is there with its content, whatever happens to the others", () => {
  fc.assert(
    fc.property(steps, (list) => {
      const run = new Run();
      for (const step of list) {
        run.do(step);
        run.check();
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);

test("as long as nothing is deleted or lost a content is stored once for as many names as there can be", () => {
  const uploads = fc.array(fc.record({ content, pieces: fc.integer({ min: 1, max: 3 }) }), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(uploads, (list) => {
      const run = new Run();
      run.files.maxLinks = 1000;
      for (const { content: each, pieces } of list) {
        run.do({ kind: "upload", content: each, pieces });
      }
      expect(run.copies().every((count) => count === 1)).toBe(true);
    }),
    { numRuns: 40 },
  );
}, 60_000);

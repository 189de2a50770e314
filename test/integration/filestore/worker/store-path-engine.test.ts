/**
 * Goal: whatever is done to a store path, in whatever order and batches, with the power failing between and in the middle of it, its
 * files are what the confirmed changes made of them.
 * Method: random operations on a simulated disk beside a model that is a map of names to contents; now and then the power fails, in the
 * middle of a commit or between two, and the model is compared with what a new engine shows. The seed is in the test's name.
 */
import { expect, test } from "vitest";
import type { Durability } from "#filestore/settings.ts";
import type { Change, WriteTarget } from "#filestore/worker/store-path-engine.ts";
import { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { decodeBase } from "#model/file-id.ts";
import type { Random } from "#platform/random.ts";
import {
  commit,
  openEngine,
  put,
  runSteps,
  stage,
  viewOf,
} from "../../../support/engine-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { seededRandom } from "../../../support/seeded-random.ts";
import { Stopped, TroubledFiles } from "../../../support/troubled-files.ts";

const directory = "/disk";

/** One change that was prepared, and what it makes of the model. */
interface Planned {
  readonly change: Change;
  readonly apply: (model: Map<string, string>) => void;
}

class Life {
  readonly model = new Map<string, string>();
  readonly disk = new MemoryFiles(directory);
  readonly #random: Random;
  readonly #clock = new ManualClock();
  #troubled = new TroubledFiles(this.disk);
  #engine: StorePathEngine;
  #runs = 0;
  /** Operations that were confirmed, by the letter of their record. */
  readonly confirmed = new Set<string>();

  readonly #durability: Durability;

  constructor(seed: number, durability: Durability) {
    this.#durability = durability;
    this.#random = seededRandom(seed);
    this.#engine = this.#open();
  }

  /** Some changes in one commit, perhaps cut short. */
  turn(): void {
    this.#clock.advance(this.#random.below(2000));
    const cut = this.#random.below(6) === 0;
    const planned: Planned[] = [];
    const calls = this.#random.below(60);
    try {
      if (cut) this.#troubled.arm({ kind: "stop", atCall: calls });
      for (let count = this.#random.below(5) + 1; count > 0; count -= 1) {
        const next = this.#plan();
        if (next !== undefined) planned.push(next);
      }
      this.#engine.commit(planned.map(({ change }) => change));
      for (const { change, apply } of planned) {
        const steps = this.#engine.remainder(change);
        if (steps !== undefined) this.#engine.runNow(steps);
        expect(change.error).toBeUndefined();
        apply(this.model);
        this.confirmed.add((change as unknown as { lines: string }).lines.charAt(11));
      }
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      this.#restart(planned);
      return;
    }
    if (cut) this.#restart([]);
  }

  check(): void {
    const { files, staged } = viewOf(this.disk, directory);
    const shown = Object.entries(files).map(([path, content]) => [`M00/${path}`, content] as const);
    expect(new Map(shown)).toEqual(new Map([...this.model].sort(([a], [b]) => (a < b ? -1 : 1))));
    expect(staged).toEqual([]);
  }

  /** The power fails, or, where nothing is flushed, the process is killed; unconfirmed changes of the turn may each have happened or not. */
  #restart(open: readonly Planned[]): void {
    if (this.#durability === "flushed") {
      this.disk.powerCut(this.#random.below(3) === 0 ? undefined : this.#random);
    }
    this.#engine = this.#open();
    const { files } = viewOf(this.disk, directory);
    const shown = new Map(Object.entries(files).map(([path, text]) => [`M00/${path}`, text]));
    for (const { apply } of open) {
      const changed = new Map(this.model);
      apply(changed);
      if (agrees(shown, changed, this.model)) apply(this.model);
    }
    this.check();
  }

  #open(): StorePathEngine {
    this.#runs += 1;
    this.#troubled = new TroubledFiles(this.disk);
    const settings = { rotateCount: 3, subdirCount: 2, durability: this.#durability };
    const { files } = this.#troubled;
    return openEngine({ files, directory, settings, seed: this.#runs, clock: this.#clock });
  }

  #plan(): Planned | undefined {
    const content = this.#text();
    switch (this.#random.below(9)) {
      case 0:
      case 1:
        return this.#write({ kind: "normal", extension: "txt" }, content);
      case 2:
        return this.#write({ kind: "appender", extension: "log" }, content);
      case 3: {
        const master = this.#pick((name) => name.endsWith(".txt") && !name.includes("_s"));
        const prefix = `_s${this.#random.below(3)}`;
        const slave = `${master?.slice(0, -4)}${prefix}.png`;
        if (master === undefined || this.model.has(slave) || this.#engine.isLocked(slave)) return;
        return this.#write({ kind: "slave", master, prefix, extension: "png" }, content);
      }
      case 4:
        return this.#splice(content);
      case 5: {
        const name = this.#pick((one) => this.#isAppender(one));
        const size = this.#random.below(40);
        const change = name === undefined ? undefined : this.#engine.prepareTruncate(name, size);
        if (name === undefined || change === undefined) return;
        const apply = (model: Map<string, string>): void => {
          model.set(name, (model.get(name) ?? "").padEnd(size, "\0").slice(0, size));
        };
        return { change, apply };
      }
      case 6:
        return this.#describe(content);
      case 7: {
        const old = this.#pick((one) => this.#isAppender(one));
        if (old === undefined) return;
        const change = runSteps(this.#engine.regenerate(old));
        const renamed = / R (\S+) /.exec((change as unknown as { lines: string }).lines)?.[1] ?? "";
        const apply = (model: Map<string, string>): void => {
          model.set(renamed, model.get(old) ?? "");
          model.delete(old);
        };
        return { change, apply };
      }
      default: {
        const name = this.#pick(() => true);
        if (name === undefined) return;
        const apply = (model: Map<string, string>): void => {
          model.delete(name);
          model.delete(`${name}-m`);
        };
        return { change: this.#engine.prepareRemove(name), apply };
      }
    }
  }

  #write(target: WriteTarget, content: string): Planned {
    const change = stage(this.#engine, target, { content, pieces: this.#random.below(3) + 1 });
    const name = / C (\S+)\n/.exec((change as unknown as { lines: string }).lines)?.[1] ?? "";
    return { change, apply: (model) => model.set(name, content) };
  }

  #splice(content: string): Planned | undefined {
    const name = this.#pick((one) => this.#isAppender(one));
    if (name === undefined) return;
    const old = this.model.get(name) ?? "";
    const offset = this.#random.below(old.length + 1);
    const appends = this.#random.below(2) === 0;
    const target = appends
      ? ({ kind: "append", name } as const)
      : ({ kind: "modify", name, offset } as const);
    const at = appends ? old.length : offset;
    const change = stage(this.#engine, target, { content });
    const changed = old.slice(0, at) + content + old.slice(at + content.length);
    return { change, apply: (model) => model.set(name, changed) };
  }

  #describe(content: string): Planned | undefined {
    const name = this.#pick((one) => !one.endsWith("-m"));
    if (name === undefined) return;
    const text = this.#random.below(4) === 0 ? "" : `key\x02${content.slice(0, 50)}`;
    const change = this.#engine.prepareMetadata(name, "overwrite", Buffer.from(text));
    if (change === undefined) return;
    const apply = (model: Map<string, string>): void => {
      if (text === "") model.delete(`${name}-m`);
      else model.set(`${name}-m`, text);
    };
    return { change, apply };
  }

  #isAppender(name: string): boolean {
    return decodeBase(name.slice(10))?.isAppender === true;
  }

  /** A file of the model that is not being changed. */
  #pick(fits: (name: string) => boolean): string | undefined {
    const names = [...this.model.keys()].filter(
      (name) => !name.endsWith("-m") && fits(name) && !this.#engine.isLocked(name),
    );
    return names[this.#random.below(Math.max(1, names.length))];
  }

  #text(): string {
    const length = this.#random.below(10) === 0 ? 0 : this.#random.below(30) + 1;
    return Array.from({ length }, () => "abcdefghij"[this.#random.below(10)]).join("");
  }
}

/** Where the change differs from the model, what is shown is what the change makes. */
function agrees(
  shown: ReadonlyMap<string, string>,
  changed: ReadonlyMap<string, string>,
  model: ReadonlyMap<string, string>,
): boolean {
  const names = new Set([...changed.keys(), ...model.keys()]);
  const differing = [...names].filter((name) => changed.get(name) !== model.get(name));
  return differing.every((name) => shown.get(name) === changed.get(name));
}

for (const [durability, ends] of [
  ["flushed", "power cuts"],
  ["relaxed", "kills"],
] as const) {
  for (let seed = 1; seed <= 12; seed += 1) {
    test(`a long life with ${ends}, ${durability}, seed ${seed}`, () => {
      const life = new Life(seed, durability);
      for (let turn = 0; turn < 150; turn += 1) life.turn();
      life.check();
      expect([...life.confirmed].sort().join("")).toMatch(/^A?CDMRTU$/);
    });
  }
}

test("a batch commits what it can, each change with its own end", () => {
  const disk = new MemoryFiles(directory);
  const engine = openEngine({ files: disk, directory });
  const appender = put(engine, { kind: "appender", extension: "log" }, "abc");
  const victim = put(engine, { kind: "normal", extension: "txt" }, "gone");
  const changes = [
    stage(engine, { kind: "normal", extension: "txt" }, { content: "new" }),
    stage(engine, { kind: "append", name: appender }, { content: "def" }),
    engine.prepareRemove(victim),
  ];
  engine.commit(changes);
  expect(changes.map(({ result, error }) => [result?.slice(0, 4), error])).toEqual([
    ["M00/", undefined],
    ["", undefined],
    ["", undefined],
  ]);
  const { binlog } = viewOf(disk, directory);
  expect(
    binlog
      .split("\n")
      .map((line) => line.charAt(11))
      .join(""),
  ).toBe("CCCAD");
  engine.commit([]);
  const { totalBytes, freeBytes } = disk;
  expect(engine.space()).toMatchObject({ totalBytes, freeBytes });
});

test("an engine is opened through its class", () => {
  const engine = openEngine({ files: new MemoryFiles(directory), directory });
  expect(engine).toBeInstanceOf(StorePathEngine);
  commit(engine, undefined);
});

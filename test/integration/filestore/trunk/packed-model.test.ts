/**
 * Goal: whatever is stored and deleted, with orderly ends and with kills between, the files are those of a model, and what the engine
 * notes as free is what a walk through the trunk files finds.
 * Method: random operations on an engine with small trunk files; a model keeps the content by name. At the end the notes are read as the
 * next start would read them, and compared with the walk.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseTrunkLogLine } from "#filestore/formats/trunk-log-line.ts";
import { parseTrunkOpen } from "#filestore/formats/trunk-open.ts";
import { FreeExtents } from "#filestore/trunk/free-extents.ts";
import { commit, readBack, readText, stage } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import {
  openPacking,
  type PackedEngine,
  walkedTrunkFiles,
} from "../../../support/packed-fixture.ts";

const directory = "/disk";
const own = `${directory}/data/.cairn`;
const normal = { kind: "normal", extension: "" } as const;

type Step =
  | { readonly put: number[] }
  | { readonly pieces: number }
  | { readonly remove: number }
  | { readonly giveUp: number }
  | "background"
  | "end"
  | "kill";

const operations: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ put: fc.array(fc.nat(4000), { maxLength: 5 }) }) },
    { weight: 2, arbitrary: fc.record({ pieces: fc.integer({ min: 2, max: 3000 }) }) },
    { weight: 5, arbitrary: fc.record({ remove: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ giveUp: fc.nat(4000) }) },
    { weight: 1, arbitrary: fc.constant("background" as const) },
    { weight: 1, arbitrary: fc.constant("end" as const) },
    { weight: 1, arbitrary: fc.constant("kill" as const) },
  ),
  { minLength: 20, maxLength: 80 },
);

class Model {
  readonly files = new MemoryFiles(directory);
  readonly content = new Map<string, Buffer>();
  #seed = 1;
  #stored = 0;
  packed: PackedEngine = this.#open();

  step(step: Step): void {
    if (step === "background") this.packed.settle();
    else if (step === "end") this.#end(true);
    else if (step === "kill") this.#end(false);
    else if ("put" in step) this.#put(step.put, 1);
    else if ("pieces" in step) this.#put([step.pieces], 3);
    else if ("giveUp" in step) this.#giveUp(step.giveUp);
    else this.#remove(step.remove);
  }

  #giveUp(size: number): void {
    const handle = this.packed.engine.startWrite(normal, size);
    handle.write(Buffer.alloc(Math.ceil(size / 2), "g"));
    handle.abort();
  }

  /** What the next start will take for free, by trunk file; as a walk writes it. */
  noted(): Record<string, string> {
    const free = new Map<number, FreeExtents>();
    const listed = readText(this.files, `${own}/trunk-files`).split("\n").slice(0, -2);
    for (const line of listed) free.set(Number(line.split(" ")[0]), new FreeExtents());
    for (const line of readText(this.files, `${own}/trunk.log`).split("\n")) {
      const entry = parseTrunkLogLine(line);
      if (entry === undefined) continue;
      const { fileId, offset, size } = entry.location;
      if (entry.kind === "free") free.get(fileId)?.merge(offset, size);
      else free.get(fileId)?.remove(offset, size);
    }
    const open = parseTrunkOpen(readText(this.files, `${own}/trunk-open`))?.open ?? [];
    for (const each of open) free.set(each.file.id, each.free);
    return Object.fromEntries(
      [...free].map(([id, extents]) => [
        `00/00/${String(id).padStart(6, "0")}`,
        [...extents].map(({ offset, size }) => `${offset}+${size}`).join(" "),
      ]),
    );
  }

  #put(sizes: readonly number[], pieces: number): void {
    const contents = sizes.map((size) => {
      this.#stored += 1;
      return Buffer.alloc(size, 33 + (this.#stored % 90));
    });
    const { engine } = this.packed;
    const changes = contents.map((content) => stage(engine, normal, { content, pieces }));
    engine.commit(changes);
    for (const [at, { error, result }] of changes.entries()) {
      if (error !== undefined) throw error;
      this.content.set(result ?? "", contents[at] ?? Buffer.alloc(0));
    }
  }

  #remove(number: number): void {
    const names = [...this.content.keys()];
    const name = names[number % Math.max(1, names.length)];
    if (name === undefined) return;
    commit(this.packed.engine, this.packed.engine.prepareRemove(name));
    this.content.delete(name);
  }

  #end(clean: boolean): void {
    if (clean) this.packed.engine.close();
    this.packed = this.#open();
  }

  #open(): PackedEngine {
    this.#seed += 1;
    return openPacking({
      files: this.files,
      directory,
      seed: this.#seed,
      firstNumber: this.#seed * 1000,
    });
  }
}

test("files are those of the model, and what is noted as free is what a walk finds", () => {
  fc.assert(
    fc.property(operations, (steps) => {
      const model = new Model();
      for (const step of steps) model.step(step);
      model.packed.settle();
      for (const [name, content] of model.content) {
        expect(readBack(model.packed.engine, name).equals(content), name).toBe(true);
      }
      model.packed.engine.close();
      if (model.files.stat(`${own}/trunk-files`, false) === undefined) return;
      const walked = walkedTrunkFiles(model.files, directory);
      const free = Object.entries(walked).map(([path, each]) => [path, each.free]);
      expect(Object.values(walked).every(({ damagedBytes }) => damagedBytes === 0)).toBe(true);
      expect(model.noted()).toEqual(Object.fromEntries(free));
    }),
    { numRuns: 300, interruptAfterTimeLimit: 8000 },
  );
});

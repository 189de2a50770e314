/**
 * Run as a process of its own, `node endless-creates.ts <store path> <file of answers>`: creates small files in batches without
 * flushes, for ever, and notes each name when its batch is committed. Nearly all of its time is in commits, so a kill mostly hits one.
 */
import { openSync, writeSync } from "node:fs";
import { NodeFiles } from "#platform/node/node-files.ts";
import { openEngine, stage } from "../support/engine-fixture.ts";
import { seededRandom } from "../support/seeded-random.ts";

const [directory = "", answers = "", seed = "1"] = process.argv.slice(2);
const random = seededRandom(Number(seed));
const settings = { durability: "relaxed" } as const;
const engine = openEngine({ files: new NodeFiles(), directory, settings, seed: Number(seed) });
const out = openSync(answers, "a");
writeSync(out, "ready\n");
for (;;) {
  const changes = Array.from({ length: 40 }, () => {
    // A kill may stop the write of a long one in its middle.
    const sizeBytes = random.below(random.below(5) === 0 ? 250_000 : 8000);
    const content = Buffer.alloc(sizeBytes, random.below(256));
    return stage(engine, { kind: "normal", extension: "bin" }, { content });
  });
  engine.commit(changes);
  for (const { error } of changes) if (error !== undefined) throw error;
  writeSync(out, changes.map(({ result }) => `${result}\n`).join(""));
}

/** Reads the vectors of `test/vectors/fastdfs`. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { VectorFile } from "./wire-vectors.ts";

const directory = join(import.meta.dirname, "../vectors/fastdfs");

export function readVectorFiles(): readonly VectorFile[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(directory, name), "utf8")) as VectorFile);
}

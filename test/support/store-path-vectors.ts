/** Unpacks the store paths of a C storage in `test/vectors/store-path`, onto a real or a simulated disk. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Files } from "#platform/files.ts";

export type StorePathVector = "plain" | "trunk";

interface PackedFile {
  readonly text?: string;
  readonly base64?: string;
}

interface PackedStorePath {
  readonly directories: readonly string[];
  readonly files: Readonly<Record<string, PackedFile>>;
}

/** Makes `base`, `path0` and `path1` in `directory`, which is there and empty. */
export function unpackStorePath(vector: StorePathVector, files: Files, directory: string): void {
  const url = new URL(`../vectors/store-path/c-6.16.1-${vector}.json`, import.meta.url);
  const packed = JSON.parse(readFileSync(fileURLToPath(url), "utf8")) as PackedStorePath;
  for (const path of packed.directories) files.makeDirectory(`${directory}/${path}`);
  for (const [path, { text, base64 }] of Object.entries(packed.files)) {
    const bytes =
      base64 === undefined ? Buffer.from(text ?? "", "latin1") : Buffer.from(base64, "base64");
    writeFile(files, `${directory}/${path}`, bytes);
  }
}

/** Writes a whole file, replacing what is there. */
export function writeFile(files: Files, path: string, content: string | Uint8Array): void {
  const descriptor = files.open(path, "write");
  files.write(descriptor, typeof content === "string" ? Buffer.from(content, "latin1") : content);
  files.close(descriptor);
}

/** Every file below `directory`, with its content as latin1 text; empty directories end with a slash. */
export function everythingIn(files: Files, directory: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const visit = (path: string): void => {
    const names = files.list(`${directory}/${path}`) ?? [];
    if (names.length === 0) found[path] = "";
    for (const name of [...names].sort()) {
      const below = `${path}${name}`;
      if (files.stat(`${directory}/${below}`, true)?.kind === "directory") visit(`${below}/`);
      else found[below] = readWhole(files, `${directory}/${below}`);
    }
  };
  visit("");
  return found;
}

function readWhole(files: Files, path: string): string {
  const descriptor = files.open(path, "read");
  try {
    const bytes = Buffer.alloc(files.statDescriptor(descriptor).sizeBytes);
    files.read(descriptor, bytes, 0);
    return bytes.toString("latin1");
  } finally {
    files.close(descriptor);
  }
}

/** Looks at a store path from outside, as it lies on the disk. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { decodeBase } from "#model/file-id.ts";

/** Logical names of all files in the tree, `-m` files included; and whatever lies among our temporary ones. */
export function listStore(directory: string): {
  readonly names: string[];
  readonly temporary: string[];
} {
  const data = join(directory, "data");
  const names: string[] = [];
  for (const high of readdirSync(data)) {
    if (!/^[0-9A-F]{2}$/.test(high)) continue;
    for (const low of readdirSync(join(data, high))) {
      for (const base of readdirSync(join(data, high, low))) {
        names.push(`M00/${high}/${low}/${base}`);
      }
    }
  }
  const temporary = readdirSync(join(data, ".cairn", "tmp"));
  return { names, temporary };
}

export function readStored(directory: string, name: string): Buffer {
  return readFileSync(join(directory, "data", name.slice(4)));
}

/** Why a normal file's bytes are not what its name says; undefined where they are, or where the name does not tell. */
export function wrongContent(directory: string, name: string): string | undefined {
  const decoded = decodeBase(name.slice(10));
  if (decoded === undefined || decoded.isAppender || decoded.isSlave) return undefined;
  const bytes = readStored(directory, name);
  if (bytes.length !== decoded.size) return `${bytes.length} bytes instead of ${decoded.size}`;
  return crc32(bytes) === decoded.crc32 ? undefined : "another CRC-32 than in the name";
}

/** The last record of each name in the binlog: its operation letter. */
export function lastRecords(directory: string): Map<string, string> {
  const folder = join(directory, "data", "sync");
  const records = new Map<string, string>();
  const files = readdirSync(folder).filter((file) => /^binlog\.\d+$/.test(file));
  for (const file of files.sort()) {
    const text = readFileSync(join(folder, file), "utf8");
    if (statSync(join(folder, file)).size > 0 && !text.endsWith("\n")) {
      throw new Error(`${file} ends in the middle of a record`);
    }
    for (const line of text.split("\n")) {
      const [, operation, name] = line.split(" ");
      if (operation !== undefined && name !== undefined) records.set(name, operation);
    }
  }
  return records;
}

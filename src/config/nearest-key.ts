/** What somebody probably meant who wrote a key that does not exist. Pure. */
import { schemaKeys } from "#config/schema.ts";

/** A sentence with the key that was probably meant, or undefined when none is near. `key` is dotted, as in TOML. */
export function suggestKey(key: string): string | undefined {
  const name = lastName(key);
  const sameMeaning = [...knownNames()].filter(([, fastdfs]) => fastdfs.includes(name));
  const [fromFastdfs] =
    sameMeaning.find(([known]) => tableOf(known) === tableOf(key)) ?? sameMeaning[0] ?? [];
  const elsewhere = [...knownNames().keys()].find((known) => lastName(known) === name);
  if (elsewhere !== undefined) return `did you mean ${elsewhere}?`;
  if (fromFastdfs !== undefined) return `FastDFS's ${name} is ${fromFastdfs} here`;
  const near = nearest(key);
  return near === undefined ? undefined : `did you mean ${near}?`;
}

/** Longer keys are not compared, so that the cost is bounded. */
const longestCompared = 64;

function nearest(key: string): string | undefined {
  if (key.length > longestCompared) return undefined;
  let best: { key: string; distance: number } | undefined;
  for (const known of knownNames().keys()) {
    const inSameTable = tableOf(known) === tableOf(key);
    const distance = inSameTable
      ? editDistance(lastName(known), lastName(key))
      : editDistance(known, key) + 1;
    if (best === undefined || distance < best.distance) best = { key: known, distance };
  }
  return best !== undefined && best.distance <= Math.max(2, lastName(key).length / 3)
    ? best.key
    : undefined;
}

/** Every dotted key and table name, with the FastDFS names that mean the same. */
function knownNames(): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, readonly string[]>();
  for (const { key, tableKey, entry } of schemaKeys) {
    if (tableKey !== "") names.set(tableKey, []);
    names.set(key, entry.kind === "setting" ? fastdfsNames(entry.fastdfs) : []);
    if (entry.kind === "setting") continue;
    for (const [name, setting] of Object.entries(entry.entries)) {
      names.set(`${key}.${name}`, fastdfsNames(setting.fastdfs));
    }
  }
  return names;
}

function fastdfsNames(fastdfs: string | undefined): readonly string[] {
  return (fastdfs?.split(", ") ?? []).map((each) => each.slice(each.indexOf(" ") + 1));
}

function lastName(key: string): string {
  return key.slice(key.lastIndexOf(".") + 1);
}

function tableOf(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf(".")));
}

/** Insertions, deletions and replacements that turn `one` into `other`. */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let at = 1; at <= one.length; at += 1) {
    const next = [at];
    for (let to = 1; to <= other.length; to += 1) {
      const replaced = (row[to - 1] ?? 0) + (one[at - 1] === other[to - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[to] ?? 0) + 1, (next[to - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}

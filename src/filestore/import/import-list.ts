/**
 * The list of an import: a line for each file, "old id new id", and lines that begin with # for all else, by which whoever was interrupted
 * goes on. Only appended to. Pure; texts are latin1.
 */

/** What is about to be stored; what became of it is not known before its line follows. */
export interface BegunFile {
  readonly key: string;
  readonly kind: "normal" | "appender";
  readonly sizeBytes: number;
  readonly crc32: number | undefined;
  readonly extension: string;
  /** Unix seconds, by this node's clock. */
  readonly atSeconds: number;
}

export type ListLine =
  | { readonly kind: "file"; readonly key: string; readonly name: string }
  | { readonly kind: "left"; readonly key: string; readonly why: string }
  /** The disk did not give it: whoever goes on tries it again. */
  | { readonly kind: "unread"; readonly key: string; readonly why: string }
  | { readonly kind: "part"; readonly part: string }
  | { readonly kind: "begun"; readonly file: BegunFile };

/** How keys become ids: of the group and the store path that the files had. */
export interface OldNames {
  readonly group: string;
  readonly storePath: string;
  /** What new names become ids by. */
  readonly newGroup: string;
}

/** With its end. */
export function formatLine(line: ListLine, old: OldNames): string {
  const id = (key: string): string => `${old.group}/${old.storePath}/${key}`;
  switch (line.kind) {
    case "file":
      return `${id(line.key)} ${old.newGroup}/${line.name}\n`;
    case "left":
    case "unread":
      return `# ${line.kind} ${id(line.key)} ${line.why}\n`;
    case "part":
      return `# done ${old.storePath}/${line.part}\n`;
    case "begun": {
      const { key, kind, sizeBytes, crc32, extension, atSeconds } = line.file;
      const about = `${kind} ${sizeBytes} ${crc32 ?? "-"} ${atSeconds} .${extension}`;
      return `# begun ${id(key)} ${about}\n`;
    }
  }
}

/** Undefined for a line of another store path, and for what is none: the last one may be cut off. */
export function parseLine(text: string, old: OldNames): ListLine | undefined {
  const before = `${old.group}/${old.storePath}/`;
  const keyOf = (id: string | undefined): string | undefined =>
    id?.startsWith(before) === true ? id.slice(before.length) : undefined;
  const words = text.split(" ");
  if (words[0] !== "#") {
    const key = keyOf(words[0]);
    const name = words[1];
    if (key === undefined || name?.startsWith(`${old.newGroup}/`) !== true) return undefined;
    return { kind: "file", key, name: name.slice(old.newGroup.length + 1) };
  }
  if (words[1] === "done") {
    const path = `${old.storePath}/`;
    const part = words[2]?.startsWith(path) === true ? words[2].slice(path.length) : undefined;
    return part === undefined ? undefined : { kind: "part", part };
  }
  const key = keyOf(words[2]);
  if (key === undefined) return undefined;
  const kind = words[1];
  if (kind === "left" || kind === "unread") return { kind, key, why: words.slice(3).join(" ") };
  return kind === "begun" ? begun(key, words.slice(3)) : undefined;
}

function begun(key: string, words: readonly string[]): ListLine | undefined {
  const [kind, size = "", crc = "", at = "", dotted = ""] = words;
  if ((kind !== "normal" && kind !== "appender") || words.length !== 5) return undefined;
  if (!/^\d{1,16}$/.test(size) || !/^(-|\d{1,10})$/.test(crc) || !/^\d{1,10}$/.test(at)) {
    return undefined;
  }
  const crc32 = crc === "-" ? undefined : Number(crc);
  const about = { sizeBytes: Number(size), crc32, extension: dotted.slice(1) };
  return { kind: "begun", file: { key, kind, ...about, atSeconds: Number(at) } };
}

/** Of `HH/HH`, by which keys begin. */
const leafLength = 5;

/** What an interrupted import has done of one store path. */
export interface ImportedSoFar {
  readonly parts: ReadonlySet<string>;
  /** New names by key, of what lies in parts that are not done, and of all packed files by slot. */
  readonly names: Map<string, string>;
  /** Not to be had, in parts that are not done. */
  readonly left: ReadonlySet<string>;
  /** Nobody knows what became of these. */
  readonly begun: ReadonlyMap<string, BegunFile>;
  /** The new names of the last lines: what was stored in the second of an interruption may be one of them. */
  readonly recent: ReadonlySet<string>;
  readonly files: number;
  readonly leftCount: number;
}

const maxRecent = 4096;

export function readList(
  lines: Iterable<string>,
  old: OldNames,
  slotOf: (key: string) => string | undefined,
): ImportedSoFar {
  const parts = new Set<string>();
  const names = new Map<string, string>();
  const left = new Set<string>();
  const open = new Map<string, BegunFile>();
  const recent = new Set<string>();
  const fresh = new Map<string, { names: Map<string, string>; left: Set<string> }>();
  const freshOf = (key: string) => {
    const leaf = key.slice(0, leafLength);
    const found = fresh.get(leaf) ?? { names: new Map(), left: new Set() };
    fresh.set(leaf, found);
    return found;
  };
  let files = 0;
  let leftCount = 0;
  for (const text of lines) {
    const line = parseLine(text, old);
    switch (line?.kind) {
      case "file": {
        files += 1;
        open.delete(line.key);
        const slot = slotOf(line.key);
        if (slot !== undefined) names.set(slot, line.name);
        else freshOf(line.key).names.set(line.key, line.name);
        recent.add(line.name);
        if (recent.size > maxRecent) for (const name of recent) if (recent.delete(name)) break;
        break;
      }
      case "left":
        leftCount += 1;
        open.delete(line.key);
        freshOf(line.key).left.add(line.key);
        break;
      case "part":
        parts.add(line.part);
        // What is in it is not met again.
        fresh.delete(line.part);
        break;
      case "begun":
        open.set(line.file.key, line.file);
    }
  }
  for (const leaf of fresh.values()) {
    for (const [key, name] of leaf.names) names.set(key, name);
    for (const key of leaf.left) left.add(key);
  }
  return { parts, names, left, begun: open, recent, files, leftCount };
}

/**
 * Compares what is there after a power cut with what was acknowledged before it: every file as its last acknowledged change left it,
 * or, where a change was under way, as that would have left it; nothing else.
 */

import type { OpenedStore } from "./opened-store.ts";
import { type FileHistory, type FileState, possibleStates } from "./recorded-load.ts";
import { lastRecords, listStore, wrongContent } from "./store-audit.ts";
import { auditTrunkFiles, isPacked, isTrunkFile } from "./trunk-audit.ts";

export interface Audited {
  readonly store: OpenedStore;
  /** The store path. */
  readonly directory: string;
  readonly histories: readonly FileHistory[];
  readonly position: number;
}

/** What is wrong, in words; empty where all is well. */
export async function auditStore(audited: Audited): Promise<string[]> {
  const present = new Map<string, boolean>();
  const problems = await auditFiles(audited, present);
  problems.push(...auditDisk(audited, present));
  return problems;
}

/** What can be had by name; `present` learns which files can. */
export async function auditFiles(
  audited: Omit<Audited, "directory">,
  present: Map<string, boolean>,
): Promise<string[]> {
  const problems: string[] = [];
  const { histories, position, store } = audited;
  for (const history of histories) {
    const states = possibleStates(history, position);
    const found = await stateOf(store, history.name);
    present.set(history.name, found.content !== undefined);
    if (!states.some((state) => same(state, found))) {
      problems.push(
        `${history.name} is ${words(found)}, and should be ${states.map(words).join(" or ")}`,
      );
    }
    const { formerly, versions } = history;
    const isSettled = (versions[0]?.ackedAt ?? 0) <= position;
    if (formerly === undefined || isSettled) continue;
    const both = [present.get(formerly.name) === true, found.content !== undefined];
    if (both[0] === both[1]) {
      const what = both[0] === true ? "are both there" : "are both gone";
      problems.push(`${formerly.name} and ${history.name}, one file renamed, ${what}`);
    }
  }
  return problems;
}

/**
 * Where files may be lost: those that can be had are as some upload or change left them. Of appender files nobody can tell: their last
 * changes may be there in part.
 */
export async function auditServed(
  store: OpenedStore,
  histories: readonly FileHistory[],
): Promise<string[]> {
  const problems: string[] = [];
  for (const { name, appender, versions, formerly } of histories) {
    if (appender || formerly !== undefined) continue;
    const { content, metadata } = await stateOf(store, name);
    const isKnown = versions.some((version) => version.content?.equals(content ?? nothing));
    if (content !== undefined && !isKnown)
      problems.push(`${name} is ${words({ content, metadata })}`);
    const isSaid = versions.some((version) => version.metadata === metadata);
    if (metadata !== undefined && !isSaid) {
      problems.push(`${name} has the metadata ${JSON.stringify(metadata)}`);
    }
  }
  return problems;
}

const nothing = Buffer.alloc(0);

/** Nobody asked for them, they have no record, they are not whole, or they have a record and are not there. */
function auditDisk(
  { directory, histories }: Audited,
  present: ReadonlyMap<string, boolean>,
): string[] {
  const problems: string[] = [];
  const { names, temporary } = listStore(directory);
  for (const each of temporary) problems.push(`${each} is left among the temporary files`);
  const records = lastRecords(directory);
  const known = new Set(histories.map(({ name }) => name));
  for (const name of names) {
    if (isTrunkFile(name)) continue;
    const owner = name.endsWith("-m") ? name.slice(0, -2) : name;
    if (!known.has(owner)) problems.push(`${name} was never asked for`);
    if (present.get(owner) === false) problems.push(`${name} is on the disk, but not to be had`);
    if (!/^[CUAMTR]$/.test(records.get(name) ?? "")) {
      problems.push(`${name} is there, its last record is ${records.get(name)}`);
    }
    const wrong = wrongContent(directory, name);
    if (wrong !== undefined) problems.push(`${name}: ${wrong}`);
  }
  const renamed = new Set(histories.map(({ formerly }) => formerly?.name));
  for (const [name, operation] of records) {
    const owner = name.endsWith("-m") ? name.slice(0, -2) : name;
    const isThere = present.get(owner) === true;
    if (isThere || operation === "D" || operation === "d" || renamed.has(owner)) continue;
    problems.push(`${name} is not there, its last record is ${operation}`);
  }
  const packed = [...present].filter(([name, isThere]) => isThere && isPacked(name));
  problems.push(
    ...auditTrunkFiles(
      directory,
      names.filter(isTrunkFile),
      packed.map(([name]) => name),
    ),
  );
  for (const [name] of packed) {
    if (records.get(name) !== "C") problems.push(`${name} is packed without a record`);
  }
  return problems;
}

async function stateOf(store: OpenedStore, name: string): Promise<FileState> {
  const content = await store.read(name);
  const metadata = await store.metadata(name);
  return { content, metadata };
}

function same(one: FileState, other: FileState): boolean {
  if (one.metadata !== other.metadata) return false;
  if (one.content === undefined || other.content === undefined) {
    return one.content === other.content;
  }
  return one.content.equals(other.content);
}

function words({ content, metadata }: FileState): string {
  if (content === undefined) return metadata === undefined ? "absent" : "absent with metadata";
  const described = metadata === undefined ? "without metadata" : `with "${metadata}"`;
  return `${content.length} bytes (${content.subarray(0, 4).toString("hex")}…) ${described}`;
}

/**
 * What a walk must end with: each node serves every file that was acknowledged, with its bytes and its metadata, and none that was deleted;
 * what nobody was told of may be either way, and is the same everywhere.
 */
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { StorageCaller } from "../storage-caller.ts";
import { type KnownFile, sha256 } from "./walk-load.ts";
import type { WalkNode } from "./walk-node.ts";

export interface WalkVerdict {
  readonly problems: readonly string[];
  readonly stored: number;
  readonly deleted: number;
  readonly unknown: number;
}

interface Found {
  readonly content: string | undefined;
  readonly metadata: string | undefined;
}

async function unlessMissing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof WireStatusError && error.status === wireStatus.notFound) return undefined;
    throw error;
  }
}

async function lookAt(caller: StorageCaller, name: string): Promise<Found> {
  const bytes = await unlessMissing(() => caller.download(name));
  const text = await unlessMissing(() => caller.getMetadata(name));
  const metadata = text === undefined || text === "" ? undefined : text.split("\u0002")[1];
  return { content: bytes && sha256(bytes), metadata };
}

function problemOf(known: KnownFile, found: readonly (readonly [string, Found])[]): string {
  const words = found
    .map(([name, { content, metadata }]) => `${name} ${shown(content)}/${shown(metadata)}`)
    .join(", ");
  const wanted = `${known.contents.map(shown).join("|")}/${known.metadata.map(shown).join("|")}`;
  const say = (what: string): string => `${known.kind} ${known.id} ${what}: ${words}; ${wanted}`;
  if (new Set(found.map(([, { content }]) => content)).size !== 1) return say("differs");
  if (new Set(found.map(([, { metadata }]) => metadata)).size !== 1) return say("is told apart");
  for (const [, { content, metadata }] of found) {
    if (!known.contents.includes(content)) return say("has another content");
    if (!known.metadata.includes(metadata)) return say("has other metadata");
  }
  return "";
}

function shown(value: string | undefined): string {
  return value === undefined ? "absent" : value.slice(0, 9);
}

export async function judge(
  files: Iterable<KnownFile>,
  nodes: readonly WalkNode[],
): Promise<WalkVerdict> {
  const problems: string[] = [];
  const counts = { stored: 0, deleted: 0, unknown: 0 };
  const callers = await Promise.all(
    nodes.map(async (node) => [node.name, await node.caller()] as const),
  );
  try {
    for (const known of files) {
      const [content] = known.contents;
      const isCertain = known.contents.length === 1;
      counts[isCertain ? (content === undefined ? "deleted" : "stored") : "unknown"] += 1;
      const name = known.id.slice(known.id.indexOf("/") + 1);
      const found: (readonly [string, Found])[] = [];
      for (const [node, caller] of callers) found.push([node, await lookAt(caller, name)]);
      const problem = problemOf(known, found);
      if (problem !== "") problems.push(problem);
    }
  } finally {
    for (const [, caller] of callers) caller.close();
  }
  return { problems, ...counts };
}

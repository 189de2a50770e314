/**
 * Compares what a client was told with what lies on the disks of a cluster's storages: each file with the content that it must have
 * at every storage of its group, and none that was deleted. Looks at the disks, because a storage that lacks a file gets it from
 * another one when it is asked. Files must not be packed. Nor has a node anything open for ever that it read for others.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { ClusterNode } from "./cluster-node.ts";
import { type KnownContent, type Manifest, sha256 } from "./manifest.ts";

export interface Verdict {
  /** One line each, at most `maxLines` of a kind. */
  readonly problems: readonly string[];
  readonly stored: number;
  readonly deleted: number;
  readonly unknown: number;
}

const maxLines = 8;

function pathAt(node: ClusterNode, id: string): string {
  const [, path = "M00", high = "", low = "", base = ""] = id.split("/");
  const index = Number.parseInt(path.slice(1), 16);
  return join(node.storePaths[index] ?? "", "data", high, low, base);
}

export function hasFile(node: ClusterNode, id: string): boolean {
  return existsSync(pathAt(node, id));
}

function hashAt(node: ClusterNode, id: string): string {
  try {
    return sha256(readFileSync(pathAt(node, id)));
  } catch (error) {
    // Its deletion may arrive at this moment.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "absent";
    throw error;
  }
}

function problemOf(id: string, known: KnownContent, storages: readonly ClusterNode[]): string {
  const found = storages.map((node) => [node.name, hashAt(node, id)] as const);
  const hashes = new Set(found.map(([, hash]) => hash));
  const where = found.map(([name, hash]) => `${name} ${hash.slice(0, 8)}`).join(", ");
  if (hashes.size !== 1) return `${known.state} ${id} differs: ${where}`;
  const [hash = ""] = hashes;
  if (known.state === "deleted") return hash === "absent" ? "" : `deleted ${id} is there: ${where}`;
  if (known.sha256.includes(hash)) return "";
  if (known.state === "unknown" && hash === "absent") return "";
  return `${known.state} ${id} has another content or is lost: ${where}`;
}

/** Files of clients that the process has open. */
function openFiles({ pid }: ClusterNode): readonly string[] {
  if (pid === 0) return [];
  return readdirSync(`/proc/${pid}/fd`)
    .map((descriptor) => targetOf(`/proc/${pid}/fd/${descriptor}`))
    .filter((target) => /\/data\/[0-9A-F]{2}\/[0-9A-F]{2}\/./.test(target));
}

/** Empty where it was closed meanwhile. */
function targetOf(descriptor: string): string {
  try {
    return readlinkSync(descriptor);
  } catch {
    return "";
  }
}

/** As it is now; without `problems` the cluster has converged. */
export function judge(manifest: Manifest, nodes: readonly ClusterNode[]): Verdict {
  const problems: string[] = [];
  const counts = { stored: 0, deleted: 0, unknown: 0 };
  for (const [id, known] of manifest.files) {
    counts[known.state] += 1;
    const group = id.slice(0, id.indexOf("/"));
    const storages = nodes.filter(
      ({ options }) => options.group === group && options.roles.includes("storage"),
    );
    const problem = problemOf(id, known, storages);
    if (problem !== "") problems.push(problem);
  }
  for (const node of nodes) {
    const open = openFiles(node);
    if (open.length > 0) problems.push(`${node.name} has ${open.length} files open: ${open[0]}`);
  }
  const more = problems.length - maxLines;
  const shown = more > 0 ? [...problems.slice(0, maxLines), `and ${more} more`] : problems;
  return { problems: shown, ...counts };
}

/**
 * What the package `node-disk-info` tells of the space of mounted file systems, as JSON from a process of its own (`cairn probe
 * node-disk-info`): it runs `df` and waits for it, which a mount that hangs makes for ever. Its counts are blocks of 1 KiB, and
 * it splits at blanks, so that mounts with blanks in their names come out wrong: those are left to `statfs`. Pure.
 */
import { probeLimits } from "#disks/probe/limits.ts";
import type { Space } from "#platform/system-files.ts";

const blockBytes = 1024;

/** Space by mount point. Entries that are not understood are left out. */
export function parseDrives(text: string): ReadonlyMap<string, Space> {
  const found = new Map<string, Space>();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // It was ended in the middle.
    return found;
  }
  if (!Array.isArray(value)) return found;
  for (const each of value.slice(0, probeLimits.maxMounts) as readonly unknown[]) {
    if (typeof each !== "object" || each === null) continue;
    const { blocks, available, mounted } = each as Readonly<Record<string, unknown>>;
    if (typeof mounted !== "string" || !mounted.startsWith("/")) continue;
    const totalBytes = bytesOf(blocks);
    const freeBytes = bytesOf(available);
    if (totalBytes === undefined || freeBytes === undefined || freeBytes > totalBytes) continue;
    found.set(mounted, { totalBytes, freeBytes });
  }
  return found;
}

function bytesOf(blocks: unknown): number | undefined {
  const bytes = typeof blocks === "number" ? blocks * blockBytes : -1;
  return Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined;
}

/** Files with times to the nanosecond, through `node:fs`. One object a thread. */
import { type BigIntStats, fstatSync, futimesSync, lstatSync } from "node:fs";
import type { FileDescriptor, FileStat } from "#platform/files.ts";
import type { MoveFacts, MoveFiles } from "#platform/move-files.ts";
import { fileError, NodeFiles } from "#platform/node/node-files.ts";

const blockBytes = 512;
const nsPerSecond = 1_000_000_000n;
/** Rights of everybody but the owner. */
const otherRights = 0o077n;

export class NodeMoveFiles extends NodeFiles implements MoveFiles {
  facts(path: string): MoveFacts | undefined {
    try {
      const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      return stats === undefined ? undefined : factsFrom(stats);
    } catch (error) {
      throw fileError(error, path);
    }
  }

  factsOf(descriptor: FileDescriptor): MoveFacts {
    try {
      return factsFrom(fstatSync(descriptor, { bigint: true }));
    } catch (error) {
      throw fileError(error);
    }
  }

  setModifiedNs(descriptor: FileDescriptor, modifiedNs: bigint): void {
    const seconds = Number(modifiedNs / nsPerSecond) + Number(modifiedNs % nsPerSecond) / 1e9;
    try {
      futimesSync(descriptor, seconds, seconds);
    } catch (error) {
      throw fileError(error);
    }
  }
}

function factsFrom(stats: BigIntStats): MoveFacts {
  return {
    kind: kindOf(stats),
    sizeBytes: Number(stats.size),
    allocatedBytes: Number(stats.blocks) * blockBytes,
    modifiedNs: stats.mtimeNs,
    changedNs: stats.ctimeNs,
    inode: Number(stats.ino),
    links: Number(stats.nlink),
    forOwner: (stats.mode & otherRights) === 0n,
  };
}

function kindOf(stats: BigIntStats): FileStat["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "link" : "other";
}

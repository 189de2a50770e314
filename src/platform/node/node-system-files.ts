/** The real files of the kernel. In the probe child, never on the main thread of the daemon. */
import { closeSync, openSync, readdirSync, readSync, realpathSync } from "node:fs";
import { open, statfs } from "node:fs/promises";
import type { SystemFiles } from "#platform/system-files.ts";

const maxBytes = 1024 * 1024;
const chunkBytes = 64 * 1024;

export const nodeSystemFiles: SystemFiles = {
  readText,
  readTextLater: async (path) => {
    try {
      await using file = await open(path, "r");
      const { buffer, bytesRead } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, null);
      return buffer.toString("utf8", 0, bytesRead);
    } catch {
      // Absent, or the device behind it has failed: either way it says nothing.
      return undefined;
    }
  },
  list: (path) => {
    try {
      return readdirSync(path).sort();
    } catch {
      // A device that went away meanwhile has no files.
      return [];
    }
  },
  resolve: (path) => {
    try {
      return realpathSync(path);
    } catch {
      // As above.
      return undefined;
    }
  },
  space: async (path) => {
    const { bsize, blocks, bavail } = await statfs(path);
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  },
};

/** They have no size of their own: a read goes on until there is no more. */
function readText(path: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch {
    // Many attributes exist for some kinds of device only.
    return undefined;
  }
  try {
    const parts: Buffer[] = [];
    for (let held = 0; held < maxBytes; ) {
      const part = Buffer.alloc(chunkBytes);
      const length = readSync(descriptor, part);
      if (length === 0) break;
      held += length;
      parts.push(part.subarray(0, length));
    }
    return Buffer.concat(parts).toString("utf8");
  } catch {
    // Some attributes exist, and fail when the device does not know the answer.
    return undefined;
  } finally {
    closeSync(descriptor);
  }
}

/** Puts a file beside the store paths of a disk, by way of the worker of one of them, in pieces. Main thread. */
import { largeBlockBytes } from "#filestore/block-pool.ts";
import type { StorePathClient } from "#filestore/store-path-client.ts";
import { request, writeFlag } from "#filestore/worker-messages.ts";

/** Below the mount point of the disk; the store path's settings name it. */
export interface DiskFile {
  /** Small letters and dots. */
  readonly name: string;
  /** Not empty. */
  readonly bytes: Uint8Array;
}

/** Resolves when it is on stable storage, as a whole. Rejects with `AppError<FileStoreErrorCode>`; then the former one is there, or this one. */
export async function writeDiskFile(
  client: Pick<StorePathClient, "blocks" | "send">,
  { name, bytes }: DiskFile,
): Promise<void> {
  const block = await client.blocks.take("large");
  try {
    for (let offset = 0; offset < bytes.length; offset += largeBlockBytes) {
      const piece = bytes.subarray(offset, offset + largeBlockBytes);
      client.blocks.view(block).set(piece);
      const isLast = offset + piece.length === bytes.length;
      const flags = (offset === 0 ? writeFlag.first : 0) | (isLast ? writeFlag.last : 0);
      const fields = { kind: request.diskFile, text: name, a: offset, flags };
      await client.send({ ...fields, block, blockLength: piece.length });
    }
  } finally {
    client.blocks.give(block);
  }
}

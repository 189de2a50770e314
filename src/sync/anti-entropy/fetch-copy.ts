/**
 * Fetches one file from whichever peer has a good copy and stores it as a replica. What does not have its CRC-32 never becomes visible, and
 * is fetched again elsewhere.
 */
import { AppError } from "#base/app-error.ts";
import {
  type FileSourcePeer,
  maxFetchTries,
  type RepairedStore,
} from "#sync/anti-entropy/peer-file.ts";
import { isImmutable } from "#sync/anti-entropy/repair-plan.ts";

export interface WantedCopy {
  readonly name: string;
  /** Unix seconds: what the file's time is to be, where the peer does not tell another one. */
  readonly timestamp: number;
  /** What the content must have, where the name does not say it; undefined: what the peer tells. */
  readonly crc32?: number | undefined;
}

/** `missing`: none of the peers has it. */
export type CopyOutcome =
  | { readonly outcome: "stored" | "already"; readonly bytes: number }
  | { readonly outcome: "missing" };

/** Rejects with what the last peer's copy failed with. */
export async function fetchCopy(
  store: Pick<RepairedStore, "storeReplica">,
  peers: readonly FileSourcePeer[],
  wanted: WantedCopy,
): Promise<CopyOutcome> {
  let failure: unknown;
  const { name } = wanted;
  const mode = isImmutable(name) ? "create" : "replace";
  for (let tries = 0; tries < maxFetchTries && peers.length > 0; tries += 1) {
    const peer = peers[tries % peers.length];
    if (peer === undefined) break;
    try {
      return await peer.fetch(name, async ({ modifiedSeconds, crc32, body }) => {
        const timestamp = modifiedSeconds ?? wanted.timestamp;
        // It may have been changed, or deleted, since it was seen to differ; where these bytes are wanted what is here is damaged.
        const versioned = mode === "replace" && wanted.crc32 === undefined;
        const told = { timestamp, crc32: wanted.crc32 ?? crc32 };
        const file = { name, mode, versioned, ...told } as const;
        const outcome = await store.storeReplica(file, body);
        return { outcome: outcome === "done" ? "stored" : "already", bytes: body.length } as const;
      });
    } catch (error) {
      if (!isMissing(error)) failure = error;
      // Everybody was asked.
      if (isMissing(error) && tries + 1 >= peers.length) break;
      if (isOurs(error)) break;
    }
  }
  if (failure !== undefined) throw failure;
  return { outcome: "missing" };
}

function isMissing(error: unknown): boolean {
  return error instanceof AppError && error.code === "file-missing";
}

/** Another copy would meet the same disk. */
function isOurs(error: unknown): boolean {
  if (!(error instanceof AppError)) return false;
  const codes = ["disk-failed", "store-full", "store-closing", "file-invalid"];
  return codes.includes(error.code) || error.code.startsWith("store-path-");
}

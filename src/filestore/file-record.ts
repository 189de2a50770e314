/** What a store path knows of one of its files: its part of a receipt. JSON over the ring and between storages. Pure data. */
import type { DamagedState } from "#filestore/scrub/scrub-report.ts";

export interface FileRecord {
  readonly sizeBytes: number;
  /** Unix seconds. */
  readonly modifiedSeconds: number;
  readonly crc32: number | undefined;
  /** `name`: as its name says; `record`: as the last scrub has read it; `read`: as it was read from the disk now. */
  readonly crcFrom: "name" | "record" | "read" | "none";
  /**
   * When all its bytes were on stable storage here at the latest, in Unix seconds; 0 where they may not be yet. Taken from what the disk has
   * anyway: see `scrub-requests.ts`.
   */
  readonly flushedAt: number;
  /** Unix seconds; 0 where nothing has verified it since it last changed. */
  readonly verifiedAt: number;
  /** It was found to be damaged, and is not healed yet. */
  readonly damaged: DamagedState | undefined;
}

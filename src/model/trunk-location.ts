/** A slot of a trunk file: which file, where in it, how large (protocol §2.8, §3.5, §4.2). */

export interface TrunkSlot {
  /** Number of the trunk file, unique in its group. */
  readonly fileId: number;
  /** Of the slot's header in the trunk file, in bytes. */
  readonly offset: number;
  /** Of the whole slot, header included, in bytes. */
  readonly size: number;
}

export interface TrunkLocation extends TrunkSlot {
  readonly storePathIndex: number;
  /** The two directory levels of the trunk file, 0 … 255. */
  readonly high: number;
  readonly low: number;
}

/** In front of the data of each slot. */
export const trunkHeaderSize = 24;

/** `1` → `000001`: the name of the trunk file inside its directory. */
export function trunkFilename(fileId: number): string {
  return String(fileId).padStart(6, "0");
}

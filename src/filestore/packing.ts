/**
 * How a store path is told to pack small files into trunk files (protocol §4), and which fields of a ring record say so. Pure.
 */
import type { TrunkLocation } from "#model/trunk-location.ts";

/**
 * `off`: each file is one of its own. `leased`: the worker allocates by itself, in trunk files whose numbers it was leased.
 * `served`: each slot comes with its upload, from the group's trunk server.
 */
export type PackingMode = "off" | "leased" | "served";

export interface Packing {
  readonly mode: PackingMode;
  /** The smallest slot, in bytes, header included. */
  readonly slotMinBytes: number;
  /** The largest one: files that do not fit are not packed. */
  readonly slotMaxBytes: number;
  /** Slots are multiples of it; 0 and 1 round nothing. */
  readonly alignmentBytes: number;
  /** Of each new trunk file. */
  readonly trunkFileBytes: number;
  /** Trunk files of others in which nothing stands are removed here. Our own always are: their numbers are not used again. */
  readonly removesUnused: boolean;
}

/** The protocol's defaults (§11.3), with `mode` off. */
export const noPacking: Packing = {
  mode: "off",
  slotMinBytes: 256,
  slotMaxBytes: 8 * 1024 * 1024,
  alignmentBytes: 0,
  trunkFileBytes: 64 * 1024 * 1024,
  removesUnused: false,
};

export interface PackingFields {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly text: string;
  readonly text2: string;
}

export function packingFields(packing: Packing): PackingFields {
  const { mode, slotMinBytes, slotMaxBytes, trunkFileBytes, alignmentBytes } = packing;
  const removes = packing.removesUnused ? " removes-unused" : "";
  return {
    a: slotMinBytes,
    b: slotMaxBytes,
    c: trunkFileBytes,
    text: mode,
    text2: `${alignmentBytes}${removes}`,
  };
}

/** Undefined where the fields say no packing that can be. */
export function packingFrom(fields: PackingFields): Packing | undefined {
  const { a: slotMinBytes, b: slotMaxBytes, c: trunkFileBytes, text: mode } = fields;
  const [alignment, removes] = fields.text2.split(" ");
  const alignmentBytes = Number(alignment);
  const removesUnused = removes === "removes-unused";
  if (mode !== "off" && mode !== "leased" && mode !== "served") return undefined;
  const sizes = [slotMinBytes, slotMaxBytes, trunkFileBytes, alignmentBytes];
  if (!sizes.every((size) => Number.isSafeInteger(size) && size >= 0)) return undefined;
  if (slotMinBytes < 1 || slotMaxBytes > trunkFileBytes || trunkFileBytes > maxTrunkFileBytes) {
    return undefined;
  }
  return { mode, slotMinBytes, slotMaxBytes, alignmentBytes, trunkFileBytes, removesUnused };
}

/** Offsets and sizes are 32-bit and signed on the wire. */
export const maxTrunkFileBytes = 2 ** 31 - 1;

/** A slot as the first piece of a write carries it; the store path is the worker's own. */
export function slotFields(slot: Omit<TrunkLocation, "storePathIndex">): string {
  return `${slot.high} ${slot.low} ${slot.fileId} ${slot.offset} ${slot.size}`;
}

/** Undefined where `text` says no slot. */
export function slotFrom(text: string): Omit<TrunkLocation, "storePathIndex"> | undefined {
  if (!/^\d{1,3} \d{1,3} \d{1,10} \d{1,10} \d{1,10}$/.test(text)) return undefined;
  const [high = 0, low = 0, fileId = 0, offset = 0, size = 0] = text.split(" ").map(Number);
  const fits = high < 256 && low < 256 && fileId > 0 && offset + size <= maxTrunkFileBytes;
  return fits ? { high, low, fileId, offset, size } : undefined;
}

/**
 * Up to which time in their names the files of each source are to be alike on two storages: what is younger may still be on its way, and
 * is no difference. Times are those of the sources' own names, so no two clocks are compared. Pure.
 */

/** By the source's word in names (`sourceWordInName`): names with a time before that (Unix seconds, u32) are compared. */
export type Horizons = ReadonlyMap<number, number>;

/** Sources of a group: one for each address or id that its members have, or had lately. */
export const maxHorizons = 256;
/** Of a source that neither side is sent files of: nothing of it is on its way. */
export const settledHorizon = 0xffffffff;
const entryBytes = 8;

/**
 * What both sides hold; of a source that only one of them knows nothing is certain. Where the asker says that nothing of a source is on its
 * way, as one who lost the log of its own files does, that counts.
 */
export function agreeHorizons(asker: Horizons, other: Horizons): Horizons {
  const agreed = new Map<number, number>();
  for (const word of [...asker.keys(), ...other.keys()]) {
    const said = asker.get(word) ?? 0;
    agreed.set(word, said === settledHorizon ? said : Math.min(said, other.get(word) ?? 0));
  }
  return agreed;
}

/** True where a file with this source and time in its name is to be compared. */
export function isSettled(horizons: Horizons, word: number, timestamp: number): boolean {
  return timestamp < (horizons.get(word) ?? settledHorizon);
}

/**
 * For packed files, whose slots do not tell their source: the least of all. Where nothing of some source is on its way they may all be that
 * one's: then what of others is on its way is copied twice, which costs no more than that.
 */
export function slotHorizon(horizons: Horizons): number {
  let least = settledHorizon;
  for (const horizon of horizons.values()) {
    if (horizon === settledHorizon) return settledHorizon;
    least = Math.min(least, horizon);
  }
  return least;
}

export function encodeHorizons(horizons: Horizons): Buffer {
  const bytes = Buffer.alloc(horizons.size * entryBytes);
  let at = 0;
  for (const [word, horizon] of horizons) {
    bytes.writeUInt32BE(word, at);
    bytes.writeUInt32BE(horizon, at + 4);
    at += entryBytes;
  }
  return bytes;
}

/** The inverse of `encodeHorizons`; bytes behind the last whole entry are passed over. */
export function decodeHorizons(bytes: Uint8Array): Horizons {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const horizons = new Map<number, number>();
  for (let at = 0; at + entryBytes <= view.length; at += entryBytes) {
    horizons.set(view.readUInt32BE(at), view.readUInt32BE(at + 4));
  }
  return horizons;
}

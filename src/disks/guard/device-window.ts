/** The parts of a device that were read, as if they were one: for whoever looks for marks in known places. Pure. */

export interface Region {
  readonly atBytes: number;
  readonly bytes: Uint8Array;
}

export class DeviceWindow {
  readonly sizeBytes: number;
  readonly #regions: readonly Region[];

  constructor(sizeBytes: number, regions: readonly Region[]) {
    this.sizeBytes = sizeBytes;
    this.#regions = regions;
  }

  /** `length` bytes from `atBytes`; undefined where not all of them were read. */
  bytes(atBytes: number, length: number): Uint8Array | undefined {
    for (const region of this.#regions) {
      const from = atBytes - region.atBytes;
      if (from >= 0 && from + length <= region.bytes.length) {
        return region.bytes.subarray(from, from + length);
      }
    }
    return undefined;
  }

  matches(atBytes: number, magic: Uint8Array): boolean {
    const found = this.bytes(atBytes, magic.length);
    return found !== undefined && Buffer.compare(found, magic) === 0;
  }

  /** Little-endian; undefined where it was not read. */
  u32(atBytes: number): number | undefined {
    const found = this.bytes(atBytes, 4);
    return found === undefined ? undefined : view(found).getUint32(0, true);
  }

  u64(atBytes: number): bigint | undefined {
    const found = this.bytes(atBytes, 8);
    return found === undefined ? undefined : view(found).getBigUint64(0, true);
  }

  /** Up to the first NUL; undefined where there is none, or nothing of it was read. */
  text(atBytes: number, maxLength: number, encoding: "utf8" | "utf16le" = "utf8") {
    const found = this.bytes(atBytes, maxLength);
    if (found === undefined) return undefined;
    const text = Buffer.from(found).toString(encoding).split("\0", 1)[0]?.trim();
    return text === "" ? undefined : text;
  }

  /** 16 bytes as `8-4-4-4-12` digits; undefined where all of them are zero. */
  uuid(atBytes: number): string | undefined {
    const found = this.bytes(atBytes, 16);
    if (found === undefined || found.every((byte) => byte === 0)) return undefined;
    return formatUuid(Buffer.from(found).toString("hex"));
  }
}

/** 32 hexadecimal digits with hyphens. */
export function formatUuid(digits: string): string {
  const cuts = [0, 8, 12, 16, 20, 32];
  return cuts
    .slice(1)
    .map((end, at) => digits.slice(cuts[at], end))
    .join("-");
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

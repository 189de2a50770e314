/**
 * The packed files that were found in trunk files, to be compared with the names that a binlog has for them: a header that rotted, and whose
 * content is well, shows there alone. Bounded: what does not fit is not compared. Pure.
 */
import type { BinlogEntry } from "#filestore/binlog/entry.ts";
import { type SlotEntry, slotKey } from "#filestore/inventory/inventory-entry.ts";
import { tailOf } from "#model/file-base.ts";
import { decodeBase, trunkBaseLength } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";

/** Packed files that are kept in mind: 200 bytes each. */
export const maxRegistered = 1_000_000;

export interface NamedSlot {
  readonly key: string;
  /** As the binlog has it. */
  readonly name: string;
  readonly fileId: number;
  readonly offset: number;
  readonly slotSize: number;
  readonly crc32: number;
}

export class SlotRegister {
  /** By slot key, what the header says of its name. */
  readonly #found = new Map<string, string>();
  /** By slot key, the name that the binlog has last; undefined where that was deleted. */
  readonly #named = new Map<string, string | undefined>();
  #isWhole = true;

  /** False where there was no room for all. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  add(entry: SlotEntry): void {
    if (this.#found.size >= maxRegistered) this.#isWhole = false;
    else this.#found.set(entry.key, signature(entry));
  }

  /** The records of a binlog, in their order. */
  follow({ kind, name }: BinlogEntry): void {
    const key = keyOf(name);
    if (key === undefined) return;
    if (kind === "delete") {
      if (this.#named.get(key) === name) this.#named.set(key, undefined);
    } else if (this.#named.has(key) || this.#named.size < maxRegistered) {
      this.#named.set(key, name);
    } else {
      this.#isWhole = false;
    }
  }

  /** Names that are there by the binlog, and of which no header was found in their slot. None where anything was left out. */
  *missing(): Generator<NamedSlot, void> {
    if (!this.#isWhole) return;
    for (const [key, name] of this.#named) {
      const slot = name === undefined ? undefined : slotOf(name);
      if (slot === undefined || name === undefined) continue;
      if (this.#found.get(key) !== slot.signature) yield { key, name, ...slot.place };
    }
  }

  /** Undefined where the binlog has none. */
  nameOf(key: string): string | undefined {
    return this.#named.get(key);
  }
}

function signature({
  slotSize,
  sizeBytes,
  crc32,
  timestamp,
  tail,
}: Omit<SlotEntry, "key" | "kind">): string {
  return `${slotSize} ${sizeBytes} ${crc32} ${timestamp} ${tail}`;
}

function keyOf(name: string): string | undefined {
  if (name.length < trunkBaseLength) return undefined;
  const base = parseRemoteFilename(name)?.base ?? "";
  const trunk = base.length === trunkBaseLength ? decodeBase(base)?.trunk : undefined;
  return trunk === undefined ? undefined : slotKey(trunk.fileId, trunk.offset);
}

function slotOf(name: string) {
  const base = parseRemoteFilename(name)?.base ?? "";
  const decoded = decodeBase(base);
  const trunk = decoded?.trunk;
  if (decoded?.size === undefined || trunk === undefined) return undefined;
  const { fileId, offset, size: slotSize } = trunk;
  const { crc32, timestamp } = decoded;
  const tail = tailOf(base);
  const entry = { fileId, offset, slotSize, sizeBytes: decoded.size, crc32, timestamp, tail };
  return {
    signature: signature({ ...entry, content: "file" }),
    place: { fileId, offset, slotSize, crc32 },
  };
}

/**
 * The entries of one directory of a store path, as an inventory counts and lists them. Normal files by their names alone; only what
 * does not say its size is asked for it. Worker thread.
 */

import { type Horizons, isSettled, slotHorizon } from "#filestore/inventory/horizons.ts";
import { factsOfBase, type InventoryEntry } from "#filestore/inventory/inventory-entry.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import { slotHeaders } from "#filestore/worker/slot-headers.ts";
import { directoryName } from "#model/remote-filename.ts";
import { trunkFilename } from "#model/trunk-location.ts";
import { FileError, type Files } from "#platform/files.ts";

export interface DirectoryWorld {
  readonly files: Files;
  readonly layout: FileLayout;
}

const trunkPattern = /^\d{6,10}$/;

export class InventoryDirectory {
  readonly #files: Files;
  readonly #path: string;
  readonly #horizons: Horizons;
  /** Undefined where there is no such directory. */
  readonly names: readonly string[] | undefined;

  /** Lists the directory `leaf` = high × 256 + low. Throws `FileError`. */
  constructor({ files, layout }: DirectoryWorld, leaf: number, horizons: Horizons) {
    this.#files = files;
    this.#horizons = horizons;
    this.#path = `${layout.data}/${directoryName(leaf >> 8)}/${directoryName(leaf & 255)}`;
    this.names = files.list(this.#path);
  }

  /** Numbers of the trunk files here, in order. */
  get trunkFiles(): readonly number[] {
    const found = (this.names ?? []).filter((name) => trunkPattern.test(name)).map(Number);
    return found.filter((id) => id > 0 && id < 2 ** 31).sort((one, other) => one - other);
  }

  /** The entry of a name that is none of a trunk file; undefined where it does not count, or has gone. */
  entryOf(base: string): InventoryEntry | undefined {
    const facts = factsOfBase(base);
    if (facts === undefined) return undefined;
    if (!isSettled(this.#horizons, facts.sourceWord, facts.timestamp)) return undefined;
    if (facts.kind === "named") return { kind: "named", key: base };
    const stat = this.#stat(base);
    if (stat?.kind !== "file") return undefined;
    const { sizeBytes, modifiedSeconds } = stat;
    return { kind: "stated", key: base, sizeBytes, modifiedSeconds };
  }

  /** The slots of one trunk file from `from` on; undefined at times, as a step without one. Throws `FileError`. */
  *slots(fileId: number, from: number): Generator<InventoryEntry | undefined, void> {
    const files = this.#files;
    const path = `${this.#path}/${trunkFilename(fileId)}`;
    const horizon = slotHorizon(this.#horizons);
    if (files.stat(path, false)?.kind !== "file") return;
    const descriptor = files.open(path, "read");
    try {
      const { sizeBytes } = files.statDescriptor(descriptor);
      for (const entry of slotHeaders({ files, descriptor, fileId, sizeBytes }, from)) {
        yield entry !== undefined && entry.timestamp < horizon ? entry : undefined;
      }
    } finally {
      files.close(descriptor);
    }
  }

  #stat(base: string) {
    try {
      return this.#files.stat(`${this.#path}/${base}`, true);
    } catch (error) {
      if (error instanceof FileError && error.code !== "EIO") return undefined;
      throw error;
    }
  }
}

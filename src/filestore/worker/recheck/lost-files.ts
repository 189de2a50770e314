/**
 * What becomes of files that a power cut spoiled: they leave their places, so that nobody is served them and a peer's copy can come, and a
 * record says that they are not here, which nobody takes for a deletion. What is left of them is kept aside, and they are listed, in
 * `.cairn/aside` and `.cairn/lost-files`, for whoever has no peer. Worker thread.
 */
import { neverHereLine } from "#filestore/binlog/entry.ts";
import { formatNew, parseStagedName } from "#filestore/formats/staged-name.ts";
import type { SlotRegion } from "#filestore/trunk/packed-files.ts";
import { amendBinlog } from "#filestore/worker/amend-binlog.ts";
import { makeIfMissing } from "#filestore/worker/directory-tree.ts";
import type { FilePlace } from "#filestore/worker/file-layout.ts";
import { runFlushSteps } from "#filestore/worker/flush-steps.ts";
import {
  maxAside,
  maxExamples,
  maxFollowed,
  maxListBytes,
} from "#filestore/worker/recheck/limits.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { findSlot, slotPlace } from "#filestore/worker/trunk-slot.ts";
import { isTrunkBase } from "#model/file-id.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";
import { FileError } from "#platform/files.ts";

export class LostFiles {
  readonly #store: StorePath;
  readonly #aside: string;
  readonly #list: string;
  readonly #maxAside: number;
  readonly #examples: string[] = [];
  /** Of what was found since the start: whether it is there again. */
  readonly #isBack: (() => boolean)[] = [];
  /** Undefined until it was looked for. */
  #kept: number | undefined;
  /** Directories and trunk files that were changed since the last flush. */
  readonly #directories = new Set<string>();
  readonly #trunkFiles = new Set<string>();
  /** Paths, each of which is met twice. */
  readonly #doubtful = new Set<string>();
  #lines = "";
  #records = "";
  #found = 0;

  /** `most`: files that are kept aside; what is left of further ones is removed. */
  constructor(store: StorePath, most = maxAside) {
    this.#store = store;
    this.#maxAside = most;
    this.#aside = `${store.layout.own}/aside`;
    this.#list = `${store.layout.own}/lost-files`;
  }

  /** Another file can be kept aside. Throws `FileError`. */
  get hasRoom(): boolean {
    this.#kept ??= this.#store.files.list(this.#aside)?.length ?? 0;
    return this.#kept < this.#maxAside;
  }

  /** Some of them. */
  get examples(): readonly string[] {
    return this.#examples;
  }

  /** It is not there, though it was recorded. */
  missing(place: FilePlace, isRecorded: boolean): void {
    const { name } = place;
    if (!isRecorded) this.#records += neverHereLine(name);
    this.#note(name, "missing", () => this.#isThere(place));
  }

  /** It is not what its name says. Throws `FileError`. */
  wrong(place: FilePlace): void {
    const { files, layout } = this.#store;
    this.#records += neverHereLine(place.name);
    const slot = slotPlace(layout, place);
    const size = slot?.sizeBytes ?? files.stat(place.path, false)?.sizeBytes ?? 0;
    if (slot !== undefined) this.#clear(slot);
    else {
      this.#directories.add(layout.directoryOf(place));
      if (size === 0 || !this.#keep(place)) files.remove(place.path);
    }
    this.#note(place.name, `${size} bytes`, () => this.#isThere(place));
  }

  /**
   * It can be changed, and some of it may not be there: a peer's copy of the same time is to count as a later one. Throws `FileError`.
   */
  doubtful(place: FilePlace): void {
    const { files } = this.#store;
    const before = files.stat(place.path, false);
    if (before === undefined || this.#doubtful.has(place.path)) return;
    this.#doubtful.add(place.path);
    files.setModified(place.path, before.modifiedSeconds - 1);
    const isReplaced = () => files.stat(place.path, false)?.inode !== before.inode;
    this.#note(place.name, "has zeros, perhaps for what was lost", isReplaced);
  }

  /** What stands in a slot of a trunk file; its name is known to the binlog at most. Throws `FileError`. */
  slot(region: SlotRegion): void {
    const { path, offset } = region;
    this.#clear(region);
    this.#note(`${path}@${offset}`, "packed", () => this.#stands(path, offset));
  }

  /**
   * Writes what was found since; returns how many files that were. What left its place is gone for good then: another power cut must not
   * bring it back after its turn. Throws `FileError`.
   */
  flush(): number {
    const found = this.#found;
    if (found === 0) return 0;
    const store = this.#store;
    this.#flushChanged();
    if (this.#records !== "") runFlushSteps(store.files, amendBinlog(store, this.#records));
    this.#append();
    store.log.error("files-lost", { count: found, such: this.#examples.join(" ") });
    this.#found = 0;
    this.#records = "";
    this.#lines = "";
    return found;
  }

  /** Those of the found ones that are not there again. Throws `FileError`. */
  get stillLost(): number {
    return this.#isBack.filter((isBack) => !isBack()).length;
  }

  /** Drops what was kept of files that are here again. Throws `FileError`. */
  dropReplaced(): void {
    const { files, layout } = this.#store;
    for (const name of files.list(this.#aside) ?? []) {
      const staged = parseStagedName(name);
      if (staged?.kind !== "new") continue;
      const isBack = files.stat(layout.placeOf(staged.place).path, false) !== undefined;
      if (isBack) files.remove(`${this.#aside}/${name}`);
    }
  }

  #flushChanged(): void {
    const { files, packed } = this.#store;
    for (const path of this.#trunkFiles) {
      const descriptor = packed.descriptors.peek(path);
      if (descriptor !== undefined) files.flush(descriptor);
    }
    this.#trunkFiles.clear();
    for (const path of this.#directories) files.flushDirectory(path);
    this.#directories.clear();
  }

  /** Its space is not given out: a peer may have the file, and it comes back into this slot. */
  #clear(region: SlotRegion): void {
    this.#store.packed.clear(region);
    this.#trunkFiles.add(region.path);
  }

  #keep(place: FilePlace): boolean {
    const { files } = this.#store;
    makeIfMissing(files, this.#aside);
    this.#directories.add(this.#aside);
    if (!this.hasRoom) return false;
    files.rename(place.path, `${this.#aside}/${formatNew(place)}`);
    this.#kept = (this.#kept ?? 0) + 1;
    return true;
  }

  #isThere(place: FilePlace): boolean {
    if (!isTrunkBase(place.base)) {
      return this.#store.files.stat(place.path, false) !== undefined;
    }
    return findSlot(this.#store, place, Buffer.allocUnsafe(trunkHeaderSize)) !== undefined;
  }

  #stands(path: string, offset: number): boolean {
    const descriptor = this.#store.packed.descriptors.peek(path);
    const type = Buffer.alloc(1);
    if (descriptor !== undefined) this.#store.files.read(descriptor, type, offset);
    return type[0] !== 0;
  }

  #note(name: string, what: string, isBack: () => boolean): void {
    if (this.#isBack.length < maxFollowed) this.#isBack.push(isBack);
    this.#found += 1;
    this.#lines += `${Math.floor(this.#store.clock.nowMs() / 1000)} ${name} ${what}\n`;
    if (this.#examples.length < maxExamples) this.#examples.push(name);
  }

  /** A list for people: where it cannot be written the log has its begin. */
  #append(): void {
    const { files, log } = this.#store;
    try {
      const descriptor = files.open(this.#list, "append");
      try {
        const room = maxListBytes - files.statDescriptor(descriptor).sizeBytes;
        const end =
          this.#lines.length <= room ? this.#lines.length : this.#lines.lastIndexOf("\n", room) + 1;
        if (end > 0) files.write(descriptor, Buffer.from(this.#lines.slice(0, end), "latin1"));
      } finally {
        files.close(descriptor);
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      log.warn("lost-files-not-listed", { problem: error.message });
    }
  }
}

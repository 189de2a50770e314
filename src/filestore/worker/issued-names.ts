/**
 * What is certain of names without asking the disk, which costs a tenth of storing or deleting a small file. Names with a time in them
 * that is later than all names of earlier runs were given in this one, or to nobody; names that come from elsewhere say so, by another
 * source. So a name of this run that was not given yet is free, and a file of this run has no metadata as long as this run made none
 * at all. Worker thread.
 */
import { AppError } from "#base/app-error.ts";
import { encodeSource } from "#model/file-base.ts";
import { decodeTimestamp, type FileSource, sourceWordInName } from "#model/file-id.ts";

export class IssuedNames {
  /** Names of other runs, and of this one where its clock went back, have times up to this one. */
  readonly #floor: number;
  /** Unix seconds of the newest names, and the bases that were given with it. */
  #newest: number;
  readonly #bases = new Set<string>();
  #madeMetadata = false;
  #source: FileSource | undefined;
  /** How names say `#source`. */
  #sourceWord: number | undefined;

  /** `floor`: Unix seconds, no earlier than any name that was given before. */
  constructor(floor: number) {
    this.#floor = floor;
    this.#newest = floor;
  }

  /** Notes that the name was given. True where the disk need not be asked whether it has a file of that name. */
  give(base: string, timestamp: number): boolean {
    if (timestamp <= this.#floor || timestamp < this.#newest) return false;
    if (timestamp > this.#newest) {
      this.#newest = timestamp;
      this.#bases.clear();
    }
    if (this.#bases.has(base)) return false;
    this.#bases.add(base);
    return true;
  }

  /** A file of metadata is going to be made, whoever asked for it. */
  metadataMade(): void {
    this.#madeMetadata = true;
  }

  /** True where a file of this name, which lies on this path, is certain to have no metadata. `source`: who names of this run come from. */
  lacksMetadata(base: string, source: FileSource): boolean {
    if (this.#madeMetadata) return false;
    if (source !== this.#source) this.#setSource(source);
    const timestamp = decodeTimestamp(base);
    if (timestamp === undefined || timestamp <= this.#floor) return false;
    return sourceWordInName(base) === this.#sourceWord;
  }

  #setSource(source: FileSource): void {
    this.#source = source;
    this.#sourceWord = undefined;
    try {
      this.#sourceWord = encodeSource(source);
    } catch (error) {
      // A source that cannot be in names names no file.
      if (!(error instanceof AppError)) throw error;
    }
  }
}

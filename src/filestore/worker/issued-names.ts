/**
 * Which names of new files are certain to be free without asking the disk, which costs a tenth of a small file: those with a time in
 * them that is later than all names of earlier runs, and that were not given in this one. Names that come from elsewhere say so, by
 * another source. Worker thread.
 */

export class IssuedNames {
  /** Names of other runs, and of this one where its clock went back, have times up to this one. */
  readonly #floor: number;
  /** Unix seconds of the newest names, and the bases that were given with it. */
  #newest: number;
  readonly #bases = new Set<string>();

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
}

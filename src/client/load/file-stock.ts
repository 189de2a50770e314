/**
 * The files of one size that the load generator has stored and not deleted: what downloads read, deletions use up, and the end
 * takes away. A file is kept as the bytes of its group and name, as the storage answered them and as every request about it has
 * them, so that nothing is decoded on the hot path.
 */

/** Reads go around so many files, however many a fast target has stored, so that targets are compared by the same work. */
export const mostFilesUsed = 10_000;

export class FileStock {
  readonly sizeBytes: number;
  /** For each storage what it took, the last one at the end. */
  readonly #files: Buffer[][] = [];
  readonly #turns: number[] = [];
  /** Those that could not be deleted; not tried again before `retryRest`. */
  #rest: { readonly storage: number; readonly file: Buffer }[] = [];
  #count = 0;

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
  }

  get count(): number {
    return this.#count;
  }

  get totalBytes(): number {
    return this.#count * this.sizeBytes;
  }

  countOf(storage: number): number {
    return this.#files[storage]?.length ?? 0;
  }

  /** `reference` is copied. */
  add(storage: number, reference: Uint8Array): void {
    const files = this.#files[storage] ?? [];
    this.#files[storage] = files;
    files.push(Buffer.from(reference));
    this.#count += 1;
  }

  /** One of the oldest after the other, over and over; undefined where the storage has none. */
  use(storage: number): Buffer | undefined {
    const files = this.#files[storage];
    if (files === undefined || files.length === 0) return undefined;
    const turn = (this.#turns[storage] ?? 0) % Math.min(files.length, mostFilesUsed);
    this.#turns[storage] = turn + 1;
    return files[turn];
  }

  /** As `use`, of the first storage that has one. */
  useAny(): Buffer | undefined {
    for (let storage = 0; storage < this.#files.length; storage += 1) {
      const file = this.use(storage);
      if (file !== undefined) return file;
    }
    return undefined;
  }

  /** The newest, which is no longer one of them. */
  take(storage: number): Buffer | undefined {
    const file = this.#files[storage]?.pop();
    if (file !== undefined) this.#count -= 1;
    return file;
  }

  /** A file taken and not deleted after all. */
  putAside(storage: number, file: Buffer): void {
    this.#rest.push({ storage, file });
  }

  get asideCount(): number {
    return this.#rest.length;
  }

  /** What was put aside can be taken again. */
  retryRest(): void {
    const rest = this.#rest;
    this.#rest = [];
    for (const { storage, file } of rest) this.add(storage, file);
  }
}

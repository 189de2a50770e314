/** A bounded set of addresses: for a new one the oldest is forgotten. */
export class RecentAddresses {
  readonly #max: number;
  readonly #addresses = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  has(address: string): boolean {
    return this.#addresses.size > 0 && this.#addresses.has(address);
  }

  add(address: string): void {
    this.#addresses.delete(address);
    this.#addresses.add(address);
    const [oldest] = this.#addresses;
    if (this.#addresses.size > this.#max && oldest !== undefined) this.#addresses.delete(oldest);
  }
}

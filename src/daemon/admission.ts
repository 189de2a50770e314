/**
 * Who may use the FastDFS ports, by `node.allow_hosts`. Host names among the rules are resolved at the start, after a change
 * and every minute, since addresses of names change; a name that cannot be resolved keeps what it had. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import { ignore, type Log } from "#base/log.ts";
import { addressMatcher, namesToResolve } from "#config/address-rules.ts";
import type { Config } from "#config/schema.ts";
import type { Clock, Timer } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";

const refreshPeriodMs = 60_000;

type Rules = Config["node"]["allowHosts"];

export interface AdmissionParts {
  readonly network: Pick<Network, "resolve">;
  readonly clock: Clock;
  readonly log: Log;
}

export class Admission {
  readonly #parts: AdmissionParts;
  readonly #resolved = new Map<string, readonly string[]>();
  readonly #unknown = new Set<string>();
  #rules: Rules;
  #matches: (address: string) => boolean;
  #timer: Timer | undefined;

  constructor(rules: Rules, parts: AdmissionParts) {
    this.#parts = parts;
    this.#rules = rules;
    this.#matches = addressMatcher(rules);
  }

  /** Begins to look names up. Until the first answers come, those hosts are refused. */
  start(): void {
    this.#lookUp();
    this.#timer = this.#parts.clock.every(refreshPeriodMs, () => this.#lookUp());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Takes over changed rules. */
  change(rules: Rules): void {
    this.#rules = rules;
    this.#matches = addressMatcher(rules, this.#resolved);
    this.#lookUp();
  }

  admits(address: string): boolean {
    return this.#matches(address);
  }

  #lookUp(): void {
    const names = namesToResolve(this.#rules);
    if (names.length === 0) return;
    const { log } = this.#parts;
    ignore(this.#resolveAll(names), log, "each name reports its own failure");
  }

  async #resolveAll(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.#resolve(name)));
    this.#matches = addressMatcher(this.#rules, this.#resolved);
  }

  async #resolve(name: string): Promise<void> {
    try {
      this.#resolved.set(name, await this.#parts.network.resolve(name));
      this.#unknown.delete(name);
    } catch (error) {
      if (this.#unknown.has(name)) return;
      this.#unknown.add(name);
      this.#parts.log.warn("allowed-host-unknown", { name, why: describeError(error) });
    }
  }
}

/**
 * What is done to the calls of a file system for tests: delayed, held, or failed. The server asks for each call, in the order
 * of arrival; the first fault that matches decides.
 */
import type { Operation } from "./wire.ts";

export type FaultAction =
  | { readonly kind: "delay"; readonly ms: number }
  /** Until the fault is cleared; then the call is performed. */
  | { readonly kind: "hang" }
  /** The call is answered with this number (5 EIO, 28 ENOSPC, 30 EROFS) and not performed. */
  | { readonly kind: "fail"; readonly errno: number }
  /**
   * EIO, and for `fsync` what was written to the file since its last good flush is undone: what a disk that failed a flush
   * may show once the page cache is gone.
   */
  | { readonly kind: "lose" };

export interface Fault {
  /** Calls that it is about; all of them when left out. */
  readonly operations?: readonly Operation[];
  /** A regular expression on the path from the root of the file system, without a leading slash. */
  readonly path?: string;
  readonly action: FaultAction;
  /** So many matching calls pass first. */
  readonly after?: number;
  /** Ends after so many calls. */
  readonly times?: number;
}

interface Active {
  readonly fault: Fault;
  readonly path: RegExp | undefined;
  readonly held: (() => void)[];
  seen: number;
  hits: number;
}

/** Calls that only end something in the server; a disk is not asked for them. */
const untouched: ReadonlySet<Operation> = new Set([
  "init",
  "forget",
  "batch-forget",
  "interrupt",
  "destroy",
  "release",
  "releasedir",
]);

export class Faults {
  readonly #active = new Map<number, Active>();
  readonly #counts = new Map<Operation, number>();
  readonly #hits = new Map<number, number>();

  add(id: number, fault: Fault): void {
    const path = fault.path === undefined ? undefined : new RegExp(fault.path);
    this.#active.set(id, { fault, path, held: [], seen: 0, hits: 0 });
  }

  /** One of them or all; what hung goes on. */
  clear(id: number | undefined): void {
    for (const [each, active] of this.#active) {
      if (id !== undefined && id !== each) continue;
      this.#active.delete(each);
      for (const release of active.held) release();
    }
  }

  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }

  /** Calls that the fault was done to so far, cleared or not. */
  hits(id: number): number {
    return this.#hits.get(id) ?? 0;
  }

  /** Undefined: go on. Otherwise what to do instead of the call, or a promise to wait for before it. */
  meet(operation: Operation, path: () => string): FaultAction | Promise<void> | undefined {
    this.#counts.set(operation, (this.#counts.get(operation) ?? 0) + 1);
    if (untouched.has(operation)) return undefined;
    for (const [id, active] of this.#active) {
      if (!matches(active, operation, path)) continue;
      active.seen += 1;
      const { after = 0, times = Number.POSITIVE_INFINITY, action } = active.fault;
      if (active.seen <= after || active.hits >= times) continue;
      active.hits += 1;
      this.#hits.set(id, active.hits);
      if (action.kind === "hang") return new Promise((resolve) => active.held.push(resolve));
      if (action.kind === "delay") return new Promise((resolve) => setTimeout(resolve, action.ms));
      return action;
    }
    return undefined;
  }
}

function matches(active: Active, operation: Operation, path: () => string): boolean {
  const { operations } = active.fault;
  if (operations !== undefined && !operations.includes(operation)) return false;
  return active.path === undefined || active.path.test(path());
}

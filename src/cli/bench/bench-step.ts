/** One thing that a benchmark measures, and the order in which it measures several. Pure. */
import { formatByteSize, parseByteSize } from "#base/byte-size.ts";
import { usageError } from "#cli/parse-arguments.ts";
import { maxConnections } from "#client/load/limits.ts";
import {
  isLoadOperation,
  type LoadOperation,
  loadOperations,
  operationFacts,
} from "#client/load/load-operation.ts";

export interface BenchStep {
  readonly operation: LoadOperation;
  /** Of the files; 0 where there are none. */
  readonly sizeBytes: number;
  readonly connections: number;
  /** A connection for each operation. */
  readonly fresh: boolean;
}

export interface StepLists {
  readonly operations: readonly LoadOperation[];
  readonly sizes: readonly number[];
  readonly connections: readonly number[];
  readonly fresh: boolean;
}

/** Far above what any storage takes as one file from one machine in a sensible time. */
const maxSizeBytes = 16 * 1024 ** 3;

/** `upload 4KiB x16`, `query-store x16 fresh`. */
export function stepName(step: BenchStep): string {
  const { operation, sizeBytes, connections, fresh } = step;
  const size = operationFacts[operation].files === "none" ? "" : ` ${formatByteSize(sizeBytes)}`;
  return `${operation}${size} x${connections}${fresh ? " fresh" : ""}`;
}

/**
 * Every step of the lists: one size after the other, so that only files of one size are there at a time, and deletions last of
 * each. What hardly depends on the size is measured with the first one only; what needs no file comes at the end.
 */
export function planSteps(lists: StepLists): readonly BenchStep[] {
  const { sizes, connections, fresh } = lists;
  const operations = loadOperations.filter((one) => lists.operations.includes(one));
  const steps: BenchStep[] = [];
  const add = (operation: LoadOperation, sizeBytes: number): void => {
    for (const count of connections) {
      steps.push({ operation, sizeBytes, connections: count, fresh });
    }
  };
  for (const [at, sizeBytes] of sizes.entries()) {
    for (const operation of operations.toSorted(deletionsLast)) {
      const { files, movesContent } = operationFacts[operation];
      const everySize = movesContent || files === "consumes";
      if (files !== "none" && (everySize || at === 0)) add(operation, sizeBytes);
    }
  }
  for (const operation of operations) {
    if (operationFacts[operation].files === "none") add(operation, 0);
  }
  return steps;
}

function deletionsLast(one: LoadOperation, other: LoadOperation): number {
  const rank = (operation: LoadOperation): number =>
    operationFacts[operation].files === "consumes" ? 1 : 0;
  return rank(one) - rank(other);
}

/** `upload:4KiB:16`, `download:1MiB:16:fresh`, `query-store:16`. Throws `usage`. */
export function parseStep(text: string): BenchStep {
  const words = text.split(":");
  const operation = parseOperation(words.shift() ?? "");
  const fresh = words.at(-1) === "fresh";
  if (fresh) words.pop();
  const needsSize = operationFacts[operation].files !== "none";
  if (words.length !== (needsSize ? 2 : 1)) {
    const form = needsSize ? "OPERATION:SIZE:CONNECTIONS" : "OPERATION:CONNECTIONS";
    throw usageError(`"${text}" is no step: write ${form}, or with :fresh behind it`);
  }
  const sizeBytes = needsSize ? parseSize(words[0] ?? "") : 0;
  return { operation, sizeBytes, connections: parseConnections(words.at(-1) ?? ""), fresh };
}

/** Throws `usage`. */
export function parseOperation(text: string): LoadOperation {
  if (isLoadOperation(text)) return text;
  throw usageError(`"${text}" is no operation: ${loadOperations.join(", ")}`);
}

/** Throws `usage`. */
export function parseSize(text: string): number {
  const bytes = parseByteSize(text);
  if (bytes !== undefined && bytes >= 1 && bytes <= maxSizeBytes) return bytes;
  throw usageError(`"${text}" is no size: write 4KiB, 1MiB, from 1B to 16GiB`);
}

/** Throws `usage`. */
export function parseConnections(text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= maxConnections) return count;
  throw usageError(`"${text}" is no number of connections: 1 to ${maxConnections}`);
}

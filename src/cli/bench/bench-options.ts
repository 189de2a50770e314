/** What the options of `cairn bench` say. Pure. */
import { parseByteSize } from "#base/byte-size.ts";
import { parseDuration } from "#base/duration.ts";
import type { BenchSettings } from "#cli/bench/bench-run.ts";
import {
  type BenchStep,
  parseConnections,
  parseOperation,
  parseSize,
  parseStep,
  planSteps,
} from "#cli/bench/bench-step.ts";
import {
  parseProcess,
  parseStorage,
  parseTarget,
  type TargetSpec,
} from "#cli/bench/target-spec.ts";
import { type ParsedArguments, usageError } from "#cli/parse-arguments.ts";
import type { Endpoint } from "#model/endpoint.ts";

export const benchDefaults = {
  operations: "upload,download,info,delete,query-store",
  sizes: "4KiB,1MiB",
  connections: "1,16,64",
  duration: "3s",
  warmUp: "500ms",
  rounds: "1",
  space: "4GiB",
  timeout: "30s",
} as const;

const maxRounds = 100;
const maxCount = 100_000_000;
const maxTargets = 8;
/** Timers count up to here. */
const maxDurationMs = 24 * 60 * 60 * 1000;

/** Throws `usage`. */
export function benchSettings(given: ParsedArguments): BenchSettings {
  const count = given.value("count");
  const duration = given.value("duration");
  if (count !== undefined && duration !== undefined) {
    throw usageError("--count and --duration exclude each other");
  }
  const or = (option: string, fallback: string): string => given.value(option) ?? fallback;
  return {
    steps: stepsOf(given),
    rounds: numberOf("rounds", or("rounds", benchDefaults.rounds), maxRounds),
    count: count === undefined ? undefined : numberOf("count", count, maxCount),
    durationMs:
      count === undefined
        ? durationOf("duration", duration ?? benchDefaults.duration, 1)
        : undefined,
    warmUpMs: durationOf("warm-up", or("warm-up", benchDefaults.warmUp), 0),
    checksums: given.has("verify"),
    keep: given.has("keep"),
    maxStoredBytes: spaceOf(or("space", benchDefaults.space)),
    timeoutMs: durationOf("timeout", or("timeout", benchDefaults.timeout), 1),
  };
}

/** The targets by `--target`; without any, the one that the other options describe. Throws `usage`. */
export function benchTargets(
  given: ParsedArguments,
  trackers: () => readonly Endpoint[],
): readonly TargetSpec[] {
  const named = given.values("target").map(parseTarget);
  const single = ["tracker", "storage", "pid", "label", "durability", "store-path", "socket"];
  if (named.length > 0) {
    const surplus = single.find((option) => given.has(option));
    if (surplus !== undefined) {
      throw usageError(`--${surplus} is of one target: say it within --target, as ${surplus}=…`);
    }
    const names = named.map(({ name }) => name);
    const twice = names.find((name, at) => names.indexOf(name) < at);
    if (twice !== undefined) throw usageError(`two targets are called ${twice}`);
    if (named.length > maxTargets) throw usageError(`at most ${maxTargets} targets`);
    return named;
  }
  const storages = given.values("storage").map(parseStorage);
  // A node that is named by its socket, and a storage that is named, need no tracker of the settings here.
  const placed = storages.length > 0 || given.has("socket");
  return [
    {
      name: given.value("label") ?? "cluster",
      trackers: placed && !given.has("tracker") ? [] : trackers(),
      storages,
      processes: given.values("pid").map(parseProcess),
      durability: given.value("durability"),
      storePath: given.value("store-path"),
      socket: given.value("socket"),
    },
  ];
}

function stepsOf(given: ParsedArguments): readonly BenchStep[] {
  const named = given.values("step").map(parseStep);
  const lists = ["operations", "sizes", "connections", "fresh"];
  if (named.length > 0) {
    const surplus = lists.find((option) => given.has(option));
    if (surplus !== undefined) throw usageError(`--step and --${surplus} exclude each other`);
    return named;
  }
  const words = (option: keyof typeof benchDefaults): readonly string[] =>
    (given.value(option) ?? benchDefaults[option]).split(",").map((word) => word.trim());
  return planSteps({
    operations: words("operations").map(parseOperation),
    sizes: words("sizes").map(parseSize),
    connections: words("connections").map(parseConnections),
    fresh: given.has("fresh"),
  });
}

function numberOf(option: string, text: string, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= most) return value;
  throw usageError(`--${option} ${text} is no number from 1 to ${most}`);
}

function durationOf(option: string, text: string, leastMs: number): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= leastMs && ms <= maxDurationMs) return ms;
  throw usageError(`--${option} ${text} is no time: write 500ms, 3s, 1m, at most 24h`);
}

function spaceOf(text: string): number {
  const bytes = parseByteSize(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw usageError(`--space ${text} is no size: write 500MiB, 4GiB`);
}

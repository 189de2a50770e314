/**
 * What daemon and probe child say to each other: one JSON value a line. The child is of the same program, so that what it says is
 * believed as far as its form goes. Pure.
 */
import { type HealthLook, parseHealthLook } from "#disks/health/health-look.ts";
import { isDiskFacts } from "#disks/probe/read-facts.ts";
import type { DiskFacts, DiskKey } from "#model/disk-facts.ts";

/** One at a time. */
export interface RoundRequest {
  readonly id: number;
  /** Disks that hung lately: nothing is asked of them. */
  readonly avoidDisks: readonly DiskKey[];
  /** Where the node keeps its own state, absolute. */
  readonly ownDirectories: readonly string[];
  /** Disks whose content changed with our knowledge: looked into again. `*` means all. */
  readonly lookInto: readonly string[];
}

export interface RoundAnswer {
  readonly kind: "round";
  readonly id: number;
  readonly disks: readonly DiskFacts[];
  /** Keys of disks that were avoided, and are there. */
  readonly avoided: readonly DiskKey[];
  /** Mount points that do not answer, with the milliseconds since they were asked. */
  readonly silentMounts: Readonly<Record<string, number>>;
  /** Threads of the child that wait for something. */
  readonly stuck: number;
  /** Of the child, from the question to the answer. */
  readonly tookMs: number;
}

export type ProbeMessage =
  | RoundAnswer
  /** It is there. */
  | { readonly kind: "ready" }
  /** What it does next, for the case that this is the last that is heard of it: the name of a disk. */
  | { readonly kind: "at"; readonly disk: string }
  /** What speaks for or against disks, looked at every few seconds. */
  | { readonly kind: "health"; readonly look: HealthLook }
  /** Something came, went or changed. */
  | { readonly kind: "news"; readonly names: readonly string[] };

/** With its line end. */
export function encodeProbeLine(message: ProbeMessage | RoundRequest): string {
  return `${JSON.stringify(message)}\n`;
}

/** Undefined for a line that is none. */
export function parseRoundRequest(line: string): RoundRequest | undefined {
  const value = parse(line);
  if (value === undefined || !Number.isSafeInteger(value.id)) return undefined;
  return {
    id: value.id as number,
    avoidDisks: words(value.avoidDisks),
    ownDirectories: words(value.ownDirectories),
    lookInto: words(value.lookInto),
  };
}

/** Undefined for a line that is none, such as a warning of the runtime. */
export function parseProbeMessage(line: string): ProbeMessage | undefined {
  const value = parse(line);
  switch (value?.kind) {
    case "ready":
      return { kind: "ready" };
    case "at":
      return typeof value.disk === "string" ? { kind: "at", disk: value.disk } : undefined;
    case "health": {
      const look = parseHealthLook(value.look);
      return look === undefined ? undefined : { kind: "health", look };
    }
    case "news":
      return { kind: "news", names: words(value.names) };
    case "round": {
      const { id, disks, tookMs, stuck } = value;
      if (!Number.isSafeInteger(id) || !Array.isArray(disks)) return undefined;
      if (typeof tookMs !== "number" || typeof stuck !== "number") return undefined;
      return {
        kind: "round",
        id: id as number,
        disks: (disks as readonly unknown[]).filter(isDiskFacts),
        avoided: words(value.avoided),
        silentMounts: numbers(value.silentMounts),
        stuck,
        tookMs,
      };
    }
    default:
      return undefined;
  }
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    // A line that something printed which should not.
    return undefined;
  }
}

function numbers(value: unknown): Readonly<Record<string, number>> {
  if (typeof value !== "object" || value === null) return {};
  const found = Object.entries(value).filter(([, each]) => typeof each === "number");
  return Object.fromEntries(found) as Record<string, number>;
}

function words(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly unknown[]).filter((each) => typeof each === "string");
}

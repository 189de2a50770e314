/**
 * What a client was told: which files are stored, with what content, and which are deleted. One JSON line an event, written before and
 * after each request, so that a client that is killed leaves no gap. A file whose last request had no answer may be either way.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** `sha256` is of the whole content after the event, in hex. */
export type ManifestEvent =
  | {
      readonly event: "stored";
      readonly id: string;
      readonly sha256: string;
      readonly appender: boolean;
    }
  /** A change was asked for; until the next event about this file nobody knows. */
  | { readonly event: "asked"; readonly id: string; readonly sha256?: string }
  | { readonly event: "changed"; readonly id: string; readonly sha256: string }
  | { readonly event: "deleted"; readonly id: string }
  | { readonly event: "metadata"; readonly id: string; readonly text: string }
  | {
      readonly event: "failed";
      readonly what: string;
      readonly why: string;
      readonly beganMs: number;
      readonly atMs: number;
    }
  /** A file that is stored was not found. */
  | {
      readonly event: "not-found";
      readonly id: string;
      readonly ageMs: number;
      readonly why: string;
    };

export interface KnownContent {
  readonly state: "stored" | "deleted" | "unknown";
  /** What it may be: one where the state is certain. */
  readonly sha256: readonly string[];
}

export interface Manifest {
  readonly files: ReadonlyMap<string, KnownContent>;
  readonly failures: readonly Extract<ManifestEvent, { event: "failed" }>[];
  readonly notFound: readonly Extract<ManifestEvent, { event: "not-found" }>[];
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function readManifest(path: string): Manifest {
  const files = new Map<string, KnownContent>();
  const failures: Extract<ManifestEvent, { event: "failed" }>[] = [];
  const notFound: Extract<ManifestEvent, { event: "not-found" }>[] = [];
  for (const line of readFileSync(path, "utf8").split("\n")) {
    if (line === "") continue;
    const event = JSON.parse(line) as ManifestEvent;
    if (event.event === "failed") failures.push(event);
    else if (event.event === "not-found") notFound.push(event);
    else if (event.event !== "metadata") files.set(event.id, after(files.get(event.id), event));
  }
  return { files, failures, notFound };
}

type FileEvent = Exclude<ManifestEvent, { event: "failed" | "not-found" | "metadata" }>;

function after(before: KnownContent | undefined, event: FileEvent): KnownContent {
  if (event.event === "deleted") return { state: "deleted", sha256: [] };
  if (event.event !== "asked") return { state: "stored", sha256: [event.sha256] };
  const possible = event.sha256 === undefined ? [] : [event.sha256];
  return { state: "unknown", sha256: [...(before?.sha256 ?? []), ...possible] };
}

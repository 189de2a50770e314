/**
 * Reads what `smartctl --json=c -a` printed (smartctl 7.0 and newer). Foreign text: bounded, nothing in it is trusted to be there or to be
 * of its type. The exit status is eight flags, of which some say that the disk fails and others that it was not asked at all. Pure.
 */

import { readAtaFacts } from "#disks/smart/ata-facts.ts";
import { cleanWord, fieldAt, flagAt, listAt, wordAt } from "#disks/smart/json-fields.ts";
import { maxReasonLength, maxSmartctlBytes } from "#disks/smart/limits.ts";
import { readNvmeFacts } from "#disks/smart/nvme-facts.ts";
import { readScsiFacts } from "#disks/smart/scsi-facts.ts";
import { asleepExit } from "#disks/smart/smartctl-arguments.ts";
import type { SmartFacts } from "#model/smart-facts.ts";

/** How smartctl ended. */
export interface SmartctlEnd {
  /** Undefined where a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
}

export type SmartReading =
  | { readonly state: "read"; readonly facts: SmartFacts }
  /**
   * It was not woken. `sleep` is also what smartctl takes for it where a bridge refused the question, so that it proves nothing about a
   * way of asking that never worked.
   */
  | { readonly state: "asleep"; readonly depth: "standby" | "sleep" }
  | { readonly state: "refused"; readonly cause: RefusalCause; readonly why: string };

export type RefusalCause =
  /** smartctl does not know the USB bridge, and needs to be told how to ask. */
  | "bridge-unknown"
  /** Asked in a way that disk or bridge does not understand, or it has no SMART. */
  | "not-understood"
  /** No such device, or not allowed. */
  | "not-opened"
  /** What was printed is not what smartctl prints. */
  | "nonsense"
  /** smartctl did not come back. */
  | "hung";

/** smartctl's exit status, as its manual names the flags. */
const exitFlag = { usage: 1, open: 2, failing: 8 } as const;

/** Never throws. */
export function readSmartctl({ code, stdout }: SmartctlEnd): SmartReading {
  const json = parse(stdout);
  if (json === undefined) {
    const why = code === undefined ? "smartctl was ended" : `smartctl ended with ${code}`;
    return refused("nonsense", `${why} and printed no JSON`);
  }
  const messages = messagesOf(json);
  const depth = sleepDepth(messages) ?? (code === asleepExit ? "standby" : undefined);
  if (depth !== undefined) return { state: "asleep", depth };
  const why = messages[0] ?? "smartctl says nothing more";
  if (/Unknown USB bridge/i.test(why)) return refused("bridge-unknown", why);
  const facts = factsOf(json, code ?? 0);
  if (facts !== undefined) return { state: "read", facts };
  const notOpened = /failed: (?:No such|Permission|Operation not permitted)|Unable to detect/i;
  return refused(notOpened.test(why) ? "not-opened" : "not-understood", why);
}

/** What smartctl complains of after an order, such as to begin a self-test; undefined where it was carried out. */
export function readRefusal({ code, stdout }: SmartctlEnd): string | undefined {
  const json = parse(stdout);
  const messages = json === undefined ? [] : messagesOf(json);
  if (json !== undefined && code !== undefined && (code & 0b111) === 0) return undefined;
  return messages[0] ?? `smartctl ended with ${code ?? "a signal"}`;
}

function parse(stdout: string): unknown {
  if (stdout.length > maxSmartctlBytes) return undefined;
  try {
    const value: unknown = JSON.parse(stdout);
    return fieldAt(value, "smartctl") === undefined ? undefined : value;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function refused(cause: RefusalCause, why: string): SmartReading {
  return { state: "refused", cause, why: cleanWord(why, maxReasonLength) };
}

function messagesOf(json: unknown): readonly string[] {
  return listAt(json, ["smartctl", "messages"], 16)
    .map((each) => wordAt(each, ["string"], maxReasonLength))
    .filter((each) => each !== undefined);
}

function sleepDepth(messages: readonly string[]): "standby" | "sleep" | undefined {
  for (const message of messages) {
    const mode = /Device is in (\w+)(?: \(\w+\))? mode/i.exec(message)?.[1]?.toUpperCase();
    if (mode === "SLEEP") return "sleep";
    if (mode !== undefined) return "standby";
  }
  return undefined;
}

function factsOf(json: unknown, code: number): SmartFacts | undefined {
  if ((code & (exitFlag.usage | exitFlag.open)) !== 0) return undefined;
  const available = flagAt(json, "smart_support", "available");
  const protocol = wordAt(json, ["device", "protocol"], 20);
  // A disk that tells of itself nothing but its name is as good as one without SMART.
  if (protocol === undefined || available === false) return undefined;
  const failing = (code & exitFlag.failing) !== 0;
  const passed = failing ? false : flagAt(json, "smart_status", "passed");
  if (protocol === "ATA") return readAtaFacts(json, passed);
  if (protocol === "NVMe") return readNvmeFacts(json, passed);
  if (protocol === "SCSI") return readScsiFacts(json, passed);
  return undefined;
}

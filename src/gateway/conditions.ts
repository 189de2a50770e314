/** Conditional requests, in the order of RFC 9110 §13.2.2. Pure. */
import {
  matchesStrongly,
  matchesWeakly,
  parseEntityTags,
  type Validators,
} from "#gateway/entity-tag.ts";
import { parseHttpDate } from "#net/http-date.ts";

/** What becomes of a request: answer it, say that nothing changed (304), or that the condition does not hold (412). */
export type Verdict = "proceed" | "not-modified" | "failed";

export interface ConditionalRequest {
  readonly method: string;
  header(name: string): string | undefined;
}

const conditionHeaders = [
  "if-match",
  "if-unmodified-since",
  "if-none-match",
  "if-modified-since",
] as const;

/** True when there is anything to look at before the file is opened. */
export function isConditional(request: ConditionalRequest): boolean {
  return conditionHeaders.some((name) => request.header(name) !== undefined);
}

export function judge(
  request: ConditionalRequest,
  validators: Validators,
  nowSeconds: number,
): Verdict {
  if (!holds(request, validators, nowSeconds)) return "failed";
  const reads = request.method === "GET" || request.method === "HEAD";
  const noneMatch = request.header("if-none-match");
  if (noneMatch !== undefined) {
    const known = anyMatches(noneMatch, validators.entityTag, matchesWeakly);
    if (!known) return "proceed";
    return reads ? "not-modified" : "failed";
  }
  const since = dateIn(request, "if-modified-since", nowSeconds);
  const unchanged = since !== undefined && validators.modifiedSeconds <= since;
  return reads && unchanged ? "not-modified" : "proceed";
}

/** Whether If-Range lets the Range header count: only where the client's part is surely of the same bytes. */
export function rangeCounts(request: ConditionalRequest, validators: Validators): boolean {
  const condition = request.header("if-range");
  if (condition === undefined) return true;
  if (condition.includes('"')) return matchesStrongly(condition.trim(), validators.entityTag);
  // A weak tag means that the time is no proof either.
  if (validators.entityTag.startsWith("W/")) return false;
  return parseHttpDate(condition, validators.modifiedSeconds) === validators.modifiedSeconds;
}

function holds(request: ConditionalRequest, validators: Validators, nowSeconds: number): boolean {
  const match = request.header("if-match");
  if (match !== undefined) return anyMatches(match, validators.entityTag, matchesStrongly);
  const since = dateIn(request, "if-unmodified-since", nowSeconds);
  return since === undefined || validators.modifiedSeconds <= since;
}

function anyMatches(
  header: string,
  tag: string,
  matches: (one: string, other: string) => boolean,
): boolean {
  const tags = parseEntityTags(header);
  return tags === "*" || tags.some((one) => matches(one, tag));
}

function dateIn(request: ConditionalRequest, name: string, nowSeconds: number): number | undefined {
  const text = request.header(name);
  return text === undefined ? undefined : parseHttpDate(text, nowSeconds);
}

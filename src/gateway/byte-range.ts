/**
 * The Range header of RFC 9110 §14: which bytes of a file a request wants. A header that is malformed, of another unit, or asks
 * for more than a client with good intentions would, counts as absent, and the whole file is sent. Pure.
 */

/** Both ends included, 0 <= first <= last < size. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export type RangeDecision =
  | { readonly kind: "whole" }
  | { readonly kind: "unsatisfiable" }
  /** At least one, in the order that was asked for. */
  | { readonly kind: "ranges"; readonly ranges: readonly ByteRange[] };

/** As written: from-to, from-, or the last so many. */
type RangeSpec =
  | { readonly kind: "from"; readonly first: number; readonly last: number }
  | { readonly kind: "suffix"; readonly length: number };

const maxRanges = 16;

const whole: RangeDecision = { kind: "whole" };

export function decideRanges(header: string | undefined, sizeBytes: number): RangeDecision {
  const specs = header === undefined ? undefined : parseRange(header);
  // Some clients add a range to every request; of an empty file there is none to give.
  if (specs === undefined || specs.length > maxRanges || sizeBytes === 0) return whole;
  const ranges = specs.flatMap((spec) => resolve(spec, sizeBytes) ?? []);
  if (ranges.length === 0) return { kind: "unsatisfiable" };
  const total = ranges.reduce((sum, range) => sum + lengthOf(range), 0);
  // Ranges that overlap so much are an attack or a mistake (RFC 9110 §17.15).
  return ranges.length > 1 && total > sizeBytes ? whole : { kind: "ranges", ranges };
}

export function lengthOf(range: ByteRange): number {
  return range.last - range.first + 1;
}

/** `bytes 0-99/1234` */
export function contentRange(range: ByteRange, sizeBytes: number): string {
  return `bytes ${range.first}-${range.last}/${sizeBytes}`;
}

/** Undefined where the header is malformed. */
function parseRange(header: string): readonly RangeSpec[] | undefined {
  const equals = header.indexOf("=");
  if (equals < 0 || header.slice(0, equals).trim().toLowerCase() !== "bytes") return undefined;
  const specs: RangeSpec[] = [];
  for (const element of header.slice(equals + 1).split(",")) {
    const text = element.trim();
    // Lists may have empty elements (RFC 9110 §5.6.1).
    if (text === "") continue;
    const spec = parseSpec(text);
    if (spec === undefined || specs.length > maxRanges) return undefined;
    specs.push(spec);
  }
  return specs.length === 0 ? undefined : specs;
}

function parseSpec(text: string): RangeSpec | undefined {
  const match = /^(\d*)-(\d*)$/.exec(text);
  const [, from = "", to = ""] = match ?? [];
  if (match === null || (from === "" && to === "")) return undefined;
  // Numbers beyond 2^53 lose digits, but stay beyond the end of any file.
  if (from === "") return { kind: "suffix", length: Number(to) };
  const first = Number(from);
  const last = to === "" ? Number.POSITIVE_INFINITY : Number(to);
  return last < first ? undefined : { kind: "from", first, last };
}

function resolve(spec: RangeSpec, sizeBytes: number): ByteRange | undefined {
  const end = sizeBytes - 1;
  if (spec.kind === "suffix") {
    return spec.length === 0
      ? undefined
      : { first: Math.max(0, sizeBytes - spec.length), last: end };
  }
  return spec.first > end ? undefined : { first: spec.first, last: Math.min(spec.last, end) };
}

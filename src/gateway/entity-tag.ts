/**
 * Validators of files: entity tags and times of last change (RFC 9110 §8.8). Content under the name of a normal file never
 * changes, and the name says what it is; that of appender and slave files may, and their facts say so. Pure.
 */
import type { StoredFacts } from "#gateway/file-source.ts";
import { decodeBase, normalBaseLength } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";

export interface Validators {
  /** As in the header, with quotes and, where the bytes may change unnoticed, `W/`. */
  readonly entityTag: string;
  /** Unix seconds. */
  readonly modifiedSeconds: number;
}

/** Two changes within one second have the same time. */
const timeResolutionSeconds = 2;

export function validatorsOf(name: string, facts: StoredFacts, nowSeconds: number): Validators {
  const base = parseRemoteFilename(name)?.base ?? "";
  const decoded = decodeBase(base);
  const size = facts.sizeBytes.toString(16);
  // Slaves with short names do not show as such, but for their length.
  const isNormal = base.length === normalBaseLength || decoded?.isTrunk === true;
  if (decoded === undefined || decoded.isAppender || !isNormal) {
    const { modifiedSeconds } = facts;
    const fresh = Math.abs(nowSeconds - modifiedSeconds) < timeResolutionSeconds;
    const tag = `"${size}-${modifiedSeconds.toString(16)}"`;
    return { entityTag: fresh ? `W/${tag}` : tag, modifiedSeconds };
  }
  const { crc32, timestamp } = decoded;
  return {
    entityTag: `"${size}-${timestamp.toString(16)}-${crc32.toString(16).padStart(8, "0")}"`,
    modifiedSeconds: timestamp,
  };
}

/** Equal, and both strong. */
export function matchesStrongly(one: string, other: string): boolean {
  return one === other && !one.startsWith("W/");
}

/** Equal but for `W/`. */
export function matchesWeakly(one: string, other: string): boolean {
  return opaque(one) === opaque(other);
}

/** The tags of If-Match or If-None-Match; `"*"` for any; what is no tag is left out. */
export function parseEntityTags(header: string): readonly string[] | "*" {
  if (header.trim() === "*") return "*";
  return header.match(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g) ?? [];
}

function opaque(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}

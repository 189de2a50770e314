/**
 * IP addresses as numbers, for comparing and for canonical text. An IPv4-mapped IPv6 address (`::ffff:10.0.0.1`) is the
 * IPv4 address that it carries, since a dual-stack socket reports IPv4 peers in that form. Pure.
 */
import { isIpv4, isIpv6 } from "#model/ip-address.ts";

/** Four numbers of an IPv4 address or sixteen of an IPv6 one, each from 0 to 255. */
export type AddressBytes = readonly number[];

/** The address that `text` writes, without brackets, port or zone; undefined when it is none. */
export function parseAddressBytes(text: string): AddressBytes | undefined {
  if (isIpv4(text)) return text.split(".").map(Number);
  if (!isIpv6(text)) return undefined;
  const [head = [], tail] = text.split("::").map(groupBytes);
  const missing = 16 - head.length - (tail?.length ?? 0);
  const bytes = [...head, ...Array.from({ length: missing }, () => 0), ...(tail ?? [])];
  return isMapped(bytes) ? bytes.slice(12) : bytes;
}

/** Dotted decimal, or the compressed lower-case form of RFC 5952 (protocol §1.4). */
export function formatAddressBytes(address: AddressBytes): string {
  if (address.length === 4) return address.join(".");
  const groups = Array.from({ length: 8 }, (_, at) => groupAt(address, at));
  const zeros = longestZeroRun(groups);
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  if (zeros.length < 2) return text(0, 8);
  return `${text(0, zeros.start)}::${text(zeros.start + zeros.length, 8)}`;
}

/** An IP address in its one canonical text, so that texts can be compared; anything else as it is. */
export function canonicalAddress(text: string): string {
  const bytes = parseAddressBytes(text);
  return bytes === undefined ? text : formatAddressBytes(bytes);
}

/** True when the first `prefixBits` bits of both are the same. Addresses of two families never match. */
export function samePrefix(one: AddressBytes, other: AddressBytes, prefixBits: number): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at * 8 < prefixBits; at += 1) {
    const bits = Math.min(8, prefixBits - at * 8);
    const mask = (0xff << (8 - bits)) & 0xff;
    if (((one[at] ?? 0) & mask) !== ((other[at] ?? 0) & mask)) return false;
  }
  return true;
}

/** The bytes of colon-separated groups, the last of which may be dotted decimal. */
function groupBytes(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return group.split(".").map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function isMapped(bytes: AddressBytes): boolean {
  return bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
}

function groupAt(bytes: AddressBytes, at: number): number {
  return ((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0);
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let at = 0; at <= groups.length; at += 1) {
    if (at < groups.length && groups[at] === 0) continue;
    if (at - start > best.length) best = { start, length: at - start };
    start = at + 1;
  }
  return best;
}

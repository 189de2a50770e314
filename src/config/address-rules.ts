/**
 * Who may connect: the rules of `node.allow_hosts`, with the forms that FastDFS's `allow_hosts` knows (protocol §11.2):
 * `*`, an address, `10.0.0.0/8`, `10.0.1.[1-15,20]` and names such as `host[01-08].example`. A name is accepted here and
 * resolved by the caller; until it is resolved it matches nobody. Pure.
 */
import {
  type AddressBytes,
  canonicalAddress,
  formatAddressBytes,
  parseAddressBytes,
  samePrefix,
} from "#config/address-bytes.ts";
import type { Reading } from "#config/errors.ts";
import { isHostName } from "#config/host-name.ts";

/** The inclusive ranges that one place of a dotted address may lie in. */
type OctetRanges = readonly (readonly [from: number, to: number])[];

/** One rule as data; `text` is what a person wrote. */
export type AddressRule = { readonly text: string } & (
  | { readonly kind: "any" }
  | { readonly kind: "network"; readonly address: AddressBytes; readonly prefixBits: number }
  | { readonly kind: "ranges"; readonly octets: readonly OctetRanges[] }
  | { readonly kind: "names"; readonly names: readonly string[] }
);

/** How many host names one rule may stand for. */
export const maxNamesPerRule = 1024;
const maxRuleLength = 255;

/** Reads one rule, or says in words why it is none. */
export function parseAddressRule(written: string): Reading<AddressRule> {
  const text = written.trim();
  if (text === "") return { problem: "an empty entry" };
  if (text.length > maxRuleLength) return { problem: `longer than ${maxRuleLength} characters` };
  if (text === "*") return { value: { text, kind: "any" } };
  if (text.includes("/")) return parseNetwork(text);
  const address = parseAddressBytes(text);
  if (address !== undefined)
    return { value: { text, kind: "network", address, prefixBits: address.length * 8 } };
  if (/^[\d.,[\]-]+$/.test(text)) return parseRanges(text);
  return parseNames(text);
}

/** The host names among the rules, each once, which the caller resolves and passes to `addressMatcher`. */
export function namesToResolve(rules: readonly AddressRule[]): readonly string[] {
  return [...new Set(rules.flatMap((rule) => (rule.kind === "names" ? rule.names : [])))];
}

/**
 * Compiles rules to a test of a peer's address in text form. `resolved` gives the addresses of each name; names that it
 * lacks match nobody. A text that is no address is refused unless `*` is among the rules.
 */
export function addressMatcher(
  rules: readonly AddressRule[],
  resolved: ReadonlyMap<string, readonly string[]> = new Map(),
): (peerAddress: string) => boolean {
  if (rules.some((rule) => rule.kind === "any")) return () => true;
  const resolvedTexts = new Set(
    namesToResolve(rules)
      .flatMap((name) => resolved.get(name) ?? [])
      .map(canonicalAddress),
  );
  return (peerAddress) => {
    const peer = parseAddressBytes(withoutZone(peerAddress));
    if (peer === undefined) return false;
    return (
      resolvedTexts.has(formatAddressBytes(peer)) || rules.some((rule) => ruleMatches(rule, peer))
    );
  };
}

function ruleMatches(rule: AddressRule, peer: AddressBytes): boolean {
  switch (rule.kind) {
    case "any":
      return true;
    case "network":
      return samePrefix(rule.address, peer, rule.prefixBits);
    case "ranges":
      return (
        peer.length === 4 &&
        rule.octets.every((ranges, at) =>
          ranges.some(([from, to]) => from <= (peer[at] ?? -1) && (peer[at] ?? 256) <= to),
        )
      );
    case "names":
      return false;
  }
}

/** Link-local peers are reported as `fe80::1%eth0`. */
function withoutZone(address: string): string {
  const zone = address.indexOf("%");
  return zone === -1 ? address : address.slice(0, zone);
}

function parseNetwork(text: string): Reading<AddressRule> {
  const slash = text.indexOf("/");
  const address = parseAddressBytes(text.slice(0, slash));
  const bitsText = text.slice(slash + 1);
  if (address === undefined)
    return { problem: `"${text.slice(0, slash)}" before the slash is no IP address` };
  const mostBits = address.length * 8;
  // ::ffff:10.0.0.0/104 means the IPv4 network 10.0.0.0/8.
  const mappedBits = address.length === 4 && text.includes(":") ? 96 : 0;
  const prefixBits = Number(bitsText) - mappedBits;
  if (!/^\d{1,3}$/.test(bitsText) || prefixBits < 0 || prefixBits > mostBits) {
    return {
      problem: `"/${bitsText}" is no prefix length from ${mappedBits} to ${mostBits + mappedBits}`,
    };
  }
  return { value: { text, kind: "network", address, prefixBits } };
}

function parseRanges(text: string): Reading<AddressRule> {
  const parts = splitOutsideBrackets(text, ".");
  if (parts.length !== 4)
    return { problem: "neither an IP address nor four numbers or [ranges] with dots between" };
  const octets: OctetRanges[] = [];
  for (const part of parts) {
    const ranges = parseRangeList(
      part.startsWith("[") && part.endsWith("]") ? part.slice(1, -1) : part,
    );
    if ("problem" in ranges) return ranges;
    const numbers = ranges.value.map(({ from, to }) => [Number(from), Number(to)] as const);
    const wrong = numbers.find(([from, to]) => to > 255 || from > to);
    if (wrong !== undefined)
      return { problem: `the range ${wrong[0]}-${wrong[1]} is not within 0-255 in rising order` };
    octets.push(numbers);
  }
  return { value: { text, kind: "ranges", octets } };
}

function parseRangeList(text: string): Reading<{ from: string; to: string }[]> {
  const ranges: { from: string; to: string }[] = [];
  for (const part of text.split(",")) {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part.trim());
    if (match?.[1] === undefined)
      return { problem: `"${part}" is no number and no range such as 1-15` };
    ranges.push({ from: match[1], to: match[2] ?? match[1] });
  }
  return { value: ranges };
}

function parseNames(text: string): Reading<AddressRule> {
  let names = [""];
  for (const piece of text.split(/(\[[^[\]]*\])/)) {
    const endings = piece.startsWith("[") ? expandRange(piece.slice(1, -1)) : { value: [piece] };
    if ("problem" in endings) return endings;
    if (names.length * endings.value.length > maxNamesPerRule) {
      return { problem: `it stands for more than ${maxNamesPerRule} names` };
    }
    names = names.flatMap((name) => endings.value.map((ending) => name + ending));
  }
  const wrong = names.find((name) => !isHostName(name));
  if (wrong !== undefined) {
    return { problem: `"${wrong}" is neither an address, a network, a range nor a host name` };
  }
  return { value: { text, kind: "names", names } };
}

/** `01-03,7` → 01 02 03 7: the number of digits of the first is kept. */
function expandRange(text: string): Reading<string[]> {
  const ranges = parseRangeList(text);
  if ("problem" in ranges) return ranges;
  const texts: string[] = [];
  for (const { from, to } of ranges.value) {
    if (Number(from) > Number(to)) return { problem: `the range ${from}-${to} does not rise` };
    if (Number(to) - Number(from) >= maxNamesPerRule)
      return { problem: `it stands for more than ${maxNamesPerRule} names` };
    for (let number = Number(from); number <= Number(to); number += 1) {
      texts.push(String(number).padStart(from.length, "0"));
    }
  }
  return { value: texts };
}

/** Splits at `separator` where it stands outside of square brackets. */
export function splitOutsideBrackets(text: string, separator: string): string[] {
  const parts: string[] = [""];
  let depth = 0;
  for (const character of text) {
    if (character === "[") depth += 1;
    if (character === "]") depth -= 1;
    if (character === separator && depth <= 0) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts;
}

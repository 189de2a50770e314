import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type AddressRule,
  addressMatcher,
  namesToResolve,
  parseAddressRule,
  splitOutsideBrackets,
} from "#config/address-rules.ts";

function rules(...texts: readonly string[]): AddressRule[] {
  return texts.map((text) => {
    const reading = parseAddressRule(text);
    if ("problem" in reading) throw new Error(`${text}: ${reading.problem}`);
    return reading.value;
  });
}

test("the asterisk lets everybody in, also a peer without a known address", () => {
  const matches = addressMatcher(rules("*"));
  expect(["10.0.0.1", "fe80::1%eth0", "", "x"].map(matches)).toEqual([true, true, true, true]);
});

test("an address lets in itself, also as an IPv4-mapped IPv6 one", () => {
  const matches = addressMatcher(rules("10.0.0.1", "2001:db8::1"));
  const peers = [
    "10.0.0.1",
    "::ffff:10.0.0.1",
    "::FFFF:0a00:0001",
    "2001:DB8:0::1",
    "10.0.0.2",
    "2001:db8::2",
    "",
    "x",
  ];
  expect(peers.map(matches)).toEqual([true, true, true, true, false, false, false, false]);
});

test("a rule written as a mapped address lets in the IPv4 address", () => {
  expect(addressMatcher(rules("::ffff:10.0.0.1"))("10.0.0.1")).toBe(true);
  expect(addressMatcher(rules("::ffff:10.0.0.0/104"))("10.9.9.9")).toBe(true);
});

test("a network lets in what shares its prefix", () => {
  const matches = addressMatcher(rules("192.168.5.64/26", "fd00::/8"));
  const peers = [
    "192.168.5.64",
    "192.168.5.127",
    "192.168.5.128",
    "fd12::1",
    "fe80::1",
    "::ffff:192.168.5.70",
  ];
  expect(peers.map(matches)).toEqual([true, true, false, true, false, true]);
});

test("a range lets in the numbers that it lists, and no IPv6 address", () => {
  const matches = addressMatcher(rules("10.0.1.[1-15,20]", "10.[2-3].[0-255].7"));
  const peers = [
    "10.0.1.1",
    "10.0.1.15",
    "10.0.1.16",
    "10.0.1.20",
    "10.3.9.7",
    "10.4.9.7",
    "a00:101::1",
  ];
  expect(peers.map(matches)).toEqual([true, true, false, true, true, false, false]);
});

test("names are listed for the caller and match only when they are resolved", () => {
  const named = rules("host[08-10,2].lan", "nas", "nas");
  expect(namesToResolve(named)).toEqual([
    "host08.lan",
    "host09.lan",
    "host10.lan",
    "host2.lan",
    "nas",
  ]);
  const resolved = new Map([["nas", ["10.0.0.9", "2001:db8:0::9"]]]);
  const peers = ["10.0.0.9", "2001:db8::9", "10.0.0.8"];
  expect(peers.map(addressMatcher(named, resolved))).toEqual([true, true, false]);
  expect(peers.map(addressMatcher(named))).toEqual([false, false, false]);
});

test("the zone of a link-local peer does not count", () => {
  expect(addressMatcher(rules("fe80::/10"))("fe80::1%eth0")).toBe(true);
});

test.each([
  ["", "empty"],
  ["10.0.0.0/33", "0 to 32"],
  ["fd00::/129", "0 to 128"],
  ["::ffff:10.0.0.0/90", "96 to 128"],
  ["host/8", "no IP address"],
  ["10.0.0.0/x", "prefix length"],
  ["10.0.0.256", "255"],
  ["10.0.0", "four numbers"],
  ["10.0.0.[9-3]", "9-3"],
  ["10.0.0.[1-300]", "255"],
  ["10.0.0.[]", "no number"],
  ["10.0.0.[1", "no number"],
  ["host[1-5000]", "1024"],
  ["a[0-99]b[0-99]", "1024"],
  ["host[b-c]", "no number"],
  ["ho st", "neither"],
  ["2001:db8::g", "neither"],
  ["x".repeat(300), "255 characters"],
])("%j is no rule: %s", (text, words) => {
  const reading = parseAddressRule(text);
  expect("problem" in reading ? reading.problem : "accepted").toContain(words);
});

test("a network matches exactly the addresses that arithmetic says", () => {
  const word = fc.integer({ min: 0, max: 0xffffffff });
  const dotted = (value: number): string =>
    [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
  fc.assert(
    fc.property(word, word, fc.integer({ min: 0, max: 32 }), (network, peer, bits) => {
      const shift = BigInt(32 - bits);
      const expected = BigInt(network) >> shift === BigInt(peer) >> shift;
      expect(addressMatcher(rules(`${dotted(network)}/${bits}`))(dotted(peer))).toBe(expected);
      expect(addressMatcher(rules(`${dotted(network)}/${bits}`))(dotted(network))).toBe(true);
    }),
  );
});

test("splitting respects square brackets", () => {
  expect(splitOutsideBrackets("a,[b,c],d", ",")).toEqual(["a", "[b,c]", "d"]);
});

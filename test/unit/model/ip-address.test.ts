import { isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isIpAddress, isIpv4, isIpv6 } from "#model/ip-address.ts";

const samples = [
  ...["10.9.0.2", "0.0.0.0", "255.255.255.255", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4"],
  ...["1..2.3", ".1.2.3", "1.2.3.", "1.2.3.4 ", "a.b.c.d", "::", "::1", "fe80::2", "1::", "1::8"],
  ...["2001:DB8::3", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", ":::"],
  ...["::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "1.2.3.4::", "::1.2.3"],
  ...["12345::", "g::", "1:2", ":1", "1:", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "", ":", "[::1]"],
];

test("texts are IPv4 or IPv6 addresses where the operating system's library says so", () => {
  for (const text of samples) {
    expect([text, isIpv4(text), isIpv6(text)]).toEqual([text, isIPv4(text), isIPv6(text)]);
    expect(isIpAddress(text)).toBe(isIPv4(text) || isIPv6(text));
  }
});

test("generated addresses and strings of their characters are told apart as well", () => {
  const noise = fc.string({ unit: fc.constantFrom(..."0123456789af:."), maxLength: 20 });
  const property = fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), noise), (text) => {
    expect([isIpv4(text), isIpv6(text)]).toEqual([isIPv4(text), isIPv6(text)]);
  });
  fc.assert(property, { numRuns: 500 });
});

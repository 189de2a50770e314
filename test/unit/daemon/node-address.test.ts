/** The address that a node announces. */
import { expect, test } from "vitest";
import { chooseNodeAddress } from "#daemon/node-address.ts";
import type { NetworkAddress } from "#platform/network.ts";

function address(interfaceName: string, text: string): NetworkAddress {
  const family = text.includes(":") ? 6 : 4;
  const internal = interfaceName === "lo";
  return { interfaceName, address: text, prefixLength: 24, family, internal };
}

const loopback = address("lo", "127.0.0.1");
const docker = address("docker0", "172.17.0.1");
const selfGiven = address("eth1", "169.254.7.7");
const card = address("eth0", "10.0.0.5");
const anywhere = ["0.0.0.0"];

test("a given address is taken as it is", () => {
  expect(chooseNodeAddress("192.0.2.1", ["10.0.0.5"], [card])).toBe("192.0.2.1");
});

test("only an address that is listened on is announced, one that others can reach first, IPv4 before IPv6", () => {
  const announced = (...bind: string[]) =>
    chooseNodeAddress("auto", bind, [card, address("eth0", "2001:db8::5")]);
  expect(announced("127.0.0.9")).toBe("127.0.0.9");
  expect(announced("127.0.0.9", "10.0.0.6")).toBe("10.0.0.6");
  expect(announced("::1")).toBe("::1");
  expect(announced("::1", "127.0.0.9")).toBe("127.0.0.9");
  expect(announced("2001:db8::6", "127.0.0.1")).toBe("2001:db8::6");
  expect(announced("2001:db8::6", "10.0.0.6")).toBe("10.0.0.6");
  expect(announced("::")).toBe("2001:db8::5");
  expect(announced("::", "0.0.0.0")).toBe("10.0.0.5");
  expect(chooseNodeAddress("auto", ["::"], [loopback, card, address("eth0", "fe80::1")])).toBe(
    "::1",
  );
});

test("a real card comes before those of containers, and those before loopback", () => {
  const all = [loopback, docker, selfGiven, address("eth0", "fe80::1"), card];
  expect(chooseNodeAddress("auto", anywhere, all)).toBe("10.0.0.5");
  expect(chooseNodeAddress("auto", anywhere, [loopback, selfGiven, docker])).toBe("172.17.0.1");
  expect(chooseNodeAddress("auto", anywhere, [loopback, selfGiven])).toBe("127.0.0.1");
});

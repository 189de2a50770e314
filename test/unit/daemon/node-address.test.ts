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

test("the only address listened on is announced", () => {
  expect(chooseNodeAddress("auto", ["127.0.0.9"], [card])).toBe("127.0.0.9");
  expect(chooseNodeAddress("auto", ["127.0.0.9", "10.0.0.6"], [card])).toBe("10.0.0.5");
});

test("a real card comes before those of containers, and those before loopback", () => {
  const all = [loopback, docker, selfGiven, address("eth0", "fe80::1"), card];
  expect(chooseNodeAddress("auto", anywhere, all)).toBe("10.0.0.5");
  expect(chooseNodeAddress("auto", anywhere, [loopback, selfGiven, docker])).toBe("172.17.0.1");
  expect(chooseNodeAddress("auto", anywhere, [loopback, selfGiven])).toBe("127.0.0.1");
});

import { expect, test } from "vitest";
import {
  formatEndpoint,
  formatServerEndpoint,
  parseEndpoint,
  parsePort,
  parseServerEndpoint,
} from "#model/endpoint.ts";

test("an endpoint is an address and a port, with brackets around IPv6", () => {
  const texts = ["10.9.0.2:23000", "[fe80::2]:23000", "tracker-1.example:1", "localhost:65535"];
  const parsed = texts.map((text) => parseEndpoint(text));
  expect(parsed).toEqual([
    { address: "10.9.0.2", port: 23000 },
    { address: "fe80::2", port: 23000 },
    { address: "tracker-1.example", port: 1 },
    { address: "localhost", port: 65535 },
  ]);
  const written = parsed.map((endpoint) => endpoint && formatEndpoint(endpoint));
  expect(written).toEqual(texts);
});

test("a default port fills in, also behind a bare IPv6 address", () => {
  expect(parseEndpoint("10.9.0.2", 22122)).toEqual({ address: "10.9.0.2", port: 22122 });
  expect(parseEndpoint("fe80::2", 22122)).toEqual({ address: "fe80::2", port: 22122 });
  expect(parseEndpoint("[fe80::2]", 22122)).toEqual({ address: "fe80::2", port: 22122 });
  expect(parseEndpoint("10.9.0.2")).toBeUndefined();
});

test("what is no endpoint is undefined", () => {
  const bad = [
    "",
    ":1",
    "a:0",
    "a:65536",
    "a:x",
    "a:",
    "a:1:2",
    "10.9.0.2,10.9.0.3:1",
    "a b:1",
    "a/b:1",
  ];
  for (const text of bad) expect(parseEndpoint(text), text).toBeUndefined();
  expect(parseEndpoint(`${"a".repeat(98)}:22122`)).toBeUndefined();
});

test("a server may have two addresses under one port", () => {
  const texts = [
    "10.0.0.1:23000",
    "192.168.0.10,59.1.2.3:23000",
    "[2001:db8::3,10.0.0.1]:23000",
    "[10.0.0.1,2001:db8::3]:23000",
  ];
  const parsed = texts.map((text) => parseServerEndpoint(text));
  expect(parsed[1]).toEqual({ addresses: ["192.168.0.10", "59.1.2.3"], port: 23000 });
  expect(parsed[2]).toEqual({ addresses: ["2001:db8::3", "10.0.0.1"], port: 23000 });
  expect(parsed.map((server) => server && formatServerEndpoint(server))).toEqual(texts);
  expect(parseServerEndpoint("[2001:db8::3],10.0.0.1:23000")).toEqual(parsed[2]);
  expect(parseServerEndpoint("1.1.1.1,2.2.2.2,3.3.3.3:1")).toBeUndefined();
  expect(parseServerEndpoint("1.1.1.1,:1")).toBeUndefined();
});

test("ports are decimal numbers from 1 to 65535", () => {
  expect(["1", "22122", "65535"].map(parsePort)).toEqual([1, 22122, 65535]);
  for (const text of ["", "0", "65536", "-1", "1e3", " 1", "000001"]) {
    expect(parsePort(text), text).toBeUndefined();
  }
});

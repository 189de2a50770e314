/** Request targets, undecoded and decoded. */
import { expect, test } from "vitest";
import { decodePath, splitTarget } from "#net/http-target.ts";

test("path and query are taken apart, in origin and in absolute form", () => {
  expect(splitTarget("/a/b?c=d?e")).toEqual({ path: "/a/b", query: "c=d?e" });
  expect(splitTarget("/a")).toEqual({ path: "/a", query: "" });
  expect(splitTarget("/a#b?c")).toEqual({ path: "/a", query: "" });
  expect(splitTarget("http://host:80/a?b")).toEqual({ path: "/a", query: "b" });
  expect(splitTarget("HTTPS://host")).toEqual({ path: "/", query: "" });
  expect(splitTarget("http://host?x")).toEqual({ path: "/", query: "x" });
});

test("other forms are refused", () => {
  const wrong = ["*", "", "host:443", "a/b", "ftp://host/a"];
  expect(wrong.map(splitTarget)).toEqual(wrong.map(() => undefined));
});

test("percent-encoding is undone once, or not at all where it is malformed", () => {
  expect(decodePath("/a%2Fb")).toBe("/a/b");
  expect(decodePath("/a%252Fb")).toBe("/a%2Fb");
  expect(decodePath("/%C3%BC")).toBe("/ü");
  expect(["/%", "/%g0", "/%ff", "/%c0%ae"].map(decodePath)).toEqual(Array(4).fill(undefined));
});

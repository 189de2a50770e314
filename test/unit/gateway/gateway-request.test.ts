/** Requests as handlers see them. */
import { expect, test } from "vitest";
import { isSwitchedOn, readRequest } from "#gateway/gateway-request.ts";
import type { HttpRequest } from "#net/http-message.ts";

function request(target: string): HttpRequest {
  const body = { length: 0, drainTo: async () => {}, resume: () => {} };
  return { method: "GET", target, remoteAddress: "", header: () => undefined, body };
}

test("path and query are taken apart", () => {
  const { path, query } = readRequest(request("/a%20b?x=1&y=%C3%BC+z&flag"));
  expect([path, [...query]]).toEqual([
    "/a%20b",
    [
      ["x", "1"],
      ["y", "ü z"],
      ["flag", ""],
    ],
  ]);
});

test("what is too long, has too many parameters or no path is refused", () => {
  const code = (target: string): string | undefined => {
    try {
      readRequest(request(target));
      return undefined;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  expect(code(`/${"a".repeat(4094)}`)).toBeUndefined();
  expect(code(`/${"a".repeat(4095)}`)).toBe("request-too-long");
  expect(code(`/?${"a&".repeat(32)}`)).toBeUndefined();
  expect(code(`/?${"a&".repeat(33)}`)).toBe("request-invalid");
  expect(code("*")).toBe("request-invalid");
});

test("a switch in a query is on unless it says otherwise", () => {
  const on = (text: string): boolean => isSwitchedOn(new URLSearchParams(text), "x");
  expect(["x", "x=1", "x=true", "x=yes"].map(on)).toEqual(Array(4).fill(true));
  expect(["", "y=1", "x=0", "x=false", "x=FALSE"].map(on)).toEqual(Array(5).fill(false));
});

/** Anti-leech tokens in queries (protocol §10.1). */
import { expect, test } from "vitest";
import { checkToken } from "#gateway/access-token.ts";

const settings = {
  check: true,
  secret: "FastDFS1234567890",
  ttlMs: 600_000,
  failDocument: undefined,
};
const name = "M00/00/00/wKgBCmVT8QCAWlpaAAAEABI0Vng711.txt";
const made = 1_700_000_000;
const token = "0377c440e8db373e77dceb8dd14bb4cc";
const eternal = "06a30af6411c28a307bb1be526db871a";

function check(query: string, nowSeconds = made): string {
  return checkToken(settings, { name, query: new URLSearchParams(query), nowSeconds });
}

test("the token of the protocol's example is taken, in any order and company", () => {
  expect(check(`token=${token}&ts=${made}`)).toBe("fine");
  expect(check(`x=1&ts=${made}&token=${token}&filename=a`)).toBe("fine");
});

test("a token lives for its time, from the future as well; one of time 0 for ever", () => {
  const query = `token=${token}&ts=${made}`;
  expect(check(query, made + 600)).toBe("fine");
  expect(check(query, made + 601)).toBe("expired");
  expect(check(query, made - 100_000)).toBe("fine");
  expect(check(`token=${eternal}&ts=0`, made + 1e9)).toBe("fine");
});

test("both parameters are needed", () => {
  expect(["", `token=${token}`, `ts=${made}`].map((query) => check(query))).toEqual(
    Array(3).fill("missing"),
  );
});

test("anything else is wrong", () => {
  const queries = [
    `token=${token.toUpperCase()}&ts=${made}`,
    `token=${token}0&ts=${made}`,
    `token=${token.slice(1)}&ts=${made}`,
    `token=&ts=${made}`,
    `token=${token}&ts=0${made}`,
    `token=${token}&ts=%2B${made}`,
    `token=${token}&ts=${made}.0`,
    `token=${token}&ts=`,
    `token=${token}&ts=${made + 1}`,
    `token=${eternal}&ts=${made}`,
    `token=${"é".repeat(16)}&ts=${made}`,
  ];
  expect(queries.filter((query) => check(query) !== "wrong")).toEqual([]);
});

test("where tokens are not asked for, none is looked at", () => {
  const query = new URLSearchParams("token=x");
  expect(checkToken({ ...settings, check: false }, { name, query, nowSeconds: made })).toBe("fine");
});

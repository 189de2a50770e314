import { expect, test } from "vitest";
import { antiLeechToken, isExpired, tokenFits } from "#model/anti-leech-token.ts";

const claim = {
  filename: "M00/00/00/wKgBCmVT8QCAWlpaAAAEABI0Vng711.txt",
  secret: "FastDFS1234567890",
  timestamp: "1700000000",
};
const token = "0377c440e8db373e77dceb8dd14bb4cc";

test("the protocol's examples have their tokens", () => {
  expect(antiLeechToken(claim)).toBe(token);
  expect(antiLeechToken({ ...claim, timestamp: "0" })).toBe("06a30af6411c28a307bb1be526db871a");
  expect(antiLeechToken({ ...claim, secret: Buffer.from(claim.secret) })).toBe(token);
});

test("a token fits its own claim only, in lower case and whole", () => {
  expect(tokenFits(token, claim)).toBe(true);
  expect(tokenFits(token, { ...claim, timestamp: "1700000001" })).toBe(false);
  expect(tokenFits(token, { ...claim, filename: "M00/00/00/other" })).toBe(false);
  for (const text of ["", token.slice(1), `${token}0`, token.toUpperCase(), "ü".repeat(16)]) {
    expect(tokenFits(text, claim), text).toBe(false);
  }
});

test("a link is valid for its time, for ever at time 0, and before its time", () => {
  expect(isExpired(1000, 1060, 60)).toBe(false);
  expect(isExpired(1000, 1061, 60)).toBe(true);
  expect(isExpired(0, 2000000000, 60)).toBe(false);
  expect(isExpired(2000, 1000, 60)).toBe(false);
});

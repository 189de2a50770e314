import fc from "fast-check";
import { expect, test } from "vitest";
import {
  afterFile,
  type DistributionState,
  hashedDirectory,
  initialDistribution,
  pjwHash,
  trunkFileHashText,
} from "#model/directory-distribution.ts";

test("files fill one directory after the other, and start over behind the last", () => {
  const settings = { subdirCount: 2, rotateCount: 2 };
  const seen: string[] = [];
  let state: DistributionState = initialDistribution;
  for (let file = 0; file < 10; file += 1) {
    seen.push(`${state.high}/${state.low}`);
    state = afterFile(state, settings);
  }
  expect(seen.join(" ")).toBe("0/0 0/0 0/1 0/1 1/0 1/0 1/1 1/1 0/0 0/0");
});

test("a trunk file's number is hashed as six characters", () => {
  expect(trunkFileHashText(1)).toBe("AAAAAQ");
  expect(hashedDirectory("AAAAAQ", 16)).toEqual({ high: 5, low: 1 });
});

test("a hashed directory is one of those that exist", () => {
  for (const text of ["", "CgkAAmsDkLqADHp4ACAAABc5iXA", "\xff".repeat(40)]) {
    const { high, low } = hashedDirectory(text, 7);
    expect(high >= 0 && high < 7 && low >= 0 && low < 7).toBe(true);
  }
});

test("the hash is the one of the protocol, written with exact integers", () => {
  const exact = (text: string): number => {
    let hash = 0n;
    for (const byte of Buffer.from(text)) {
      hash = BigInt.asIntN(32, (hash << 4n) + BigInt(byte));
      const top = BigInt.asIntN(32, hash & 0xf0000000n);
      if (top !== 0n) hash = (hash ^ (top >> 24n)) & 0x0fffffffn;
    }
    return Number(BigInt.asUintN(32, hash));
  };
  const property = fc.property(fc.string({ maxLength: 40 }), (text) => {
    expect(pjwHash(text)).toBe(exact(text));
  });
  fc.assert(property, { numRuns: 500 });
});

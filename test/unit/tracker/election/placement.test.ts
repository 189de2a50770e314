import { expect, test } from "vitest";
import { bestCandidate, type Candidate, wholeUnits } from "#tracker/election/placement.ts";

function candidate(address: string, given: Partial<Candidate> = {}): Candidate {
  const endpoint = { address, port: 22122 };
  return { endpoint, isLeader: false, runningTime: 0, restartInterval: 0, ...given };
}

test("who leads goes first, then who has run longer, was away shorter, has the greater address, the greater port", () => {
  const plain = candidate("10.0.0.1");
  const ascending = [
    candidate("9.0.0.1", { restartInterval: 300 }),
    candidate("10.0.0.1", { endpoint: { address: "10.0.0.1", port: 1 } }),
    plain,
    candidate("10.0.0.2"),
    // As text, as C compares them.
    candidate("9.0.0.1"),
    candidate("1.0.0.1", { runningTime: 300, restartInterval: 900 }),
    candidate("1.0.0.0", { isLeader: true, restartInterval: 900 }),
  ];
  const best: unknown[] = [];
  for (let count = 1; count <= ascending.length; count += 1) {
    best.push(bestCandidate(ascending.slice(0, count)));
    expect(bestCandidate(ascending.slice(0, count).reverse())).toBe(best.at(-1));
  }
  expect(best).toEqual(ascending);
  expect(bestCandidate([])).toBeUndefined();
});

test("times are told in whole multiples of five minutes, and never below zero", () => {
  expect([-5, 0, 299, 300, 899.9].map(wholeUnits)).toEqual([0, 0, 0, 300, 600]);
});

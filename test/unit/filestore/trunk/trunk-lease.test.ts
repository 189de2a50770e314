/** Numbers for new trunk files, and asking for more. */
import { expect, test } from "vitest";
import { leaseLow, leaseWanted } from "#filestore/trunk/limits.ts";
import { TrunkLease } from "#filestore/trunk/trunk-lease.ts";

test("numbers are given once each, in order, and more are asked for before they run out, once until some come", () => {
  const wanted: number[] = [];
  const lease = new TrunkLease((count) => wanted.push(count));
  expect(lease.next).toBeUndefined();
  lease.ask();
  lease.ask();
  expect(wanted).toEqual([leaseWanted]);
  lease.add(10, 2);
  lease.add(50, 3);
  lease.add(90, 0);
  const given: (number | undefined)[] = [];
  while (lease.left > 0) {
    given.push(lease.next);
    lease.take();
  }
  expect(given).toEqual([10, 11, 50, 51, 52]);
  expect(wanted.length).toBe(2);
  expect(leaseLow).toBeLessThan(5);
  lease.ask(true);
  expect(wanted.length).toBe(3);
});

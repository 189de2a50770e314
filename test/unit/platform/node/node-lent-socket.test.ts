/** A descriptor is open exactly as long as somebody may write to it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { NodeLentSocket } from "#platform/node/node-lent-socket.ts";
import type { SystemCalls } from "#platform/node/node-system-calls.ts";

class Calls implements SystemCalls {
  readonly done: string[] = [];
  next = 40;
  duplicate(descriptor: number): number {
    this.done.push(`dup ${descriptor}`);
    return this.next;
  }
  close(descriptor: number): void {
    this.done.push(`close ${descriptor}`);
  }
  shutDown(descriptor: number): void {
    this.done.push(`shutdown ${descriptor}`);
  }
  acknowledge(descriptor: number): void {
    this.done.push(`acknowledge ${descriptor}`);
  }
  forget(descriptor: number): void {
    this.done.push(`forget ${descriptor}`);
  }
  writerFrom(): never {
    throw new Error("not here");
  }
}

test("it is duplicated when it is lent for the first time, and once", () => {
  const calls = new Calls();
  const socket = new NodeLentSocket(calls, () => {});
  for (let time = 0; time < 3; time += 1) {
    expect(socket.lend(12)).toBe(true);
    expect(socket.descriptor).toBe(40);
    socket.giveBack();
  }
  socket.end();
  socket.end();
  expect(calls.done).toEqual(["dup 12", "close 40"]);
  expect(socket.lend(12)).toBe(false);
});

test("a connection that ends meanwhile is shut down, and its descriptor closed when it is given back", () => {
  const calls = new Calls();
  const socket = new NodeLentSocket(calls, () => {});
  socket.lend(12);
  socket.lend(12);
  socket.end();
  socket.giveBack();
  expect(calls.done).toEqual(["dup 12", "shutdown 40"]);
  socket.giveBack();
  expect(calls.done).toEqual(["dup 12", "shutdown 40", "close 40"]);
  expect(() => socket.giveBack()).toThrow("given back");
});

test("without a descriptor to be had nothing is lent", () => {
  const calls = new Calls();
  calls.next = -1;
  const socket = new NodeLentSocket(calls, () => {});
  expect(socket.lend(-1)).toBe(false);
  expect(socket.lend(12)).toBe(false);
  socket.end();
  expect(calls.done).toEqual(["dup 12"]);
});

test("breaking off is the connection's business", () => {
  let broken = 0;
  const socket = new NodeLentSocket(new Calls(), () => {
    broken += 1;
  });
  socket.lend(12);
  socket.breakOff();
  expect(broken).toBe(1);
});

test("in whatever order, it is closed once, and never while it is lent", () => {
  const step = fc.constantFrom("lend", "give back", "end");
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const calls = new Calls();
      const socket = new NodeLentSocket(calls, () => {});
      let lent = 0;
      for (const each of [...steps, "end"]) {
        if (each === "lend" && socket.lend(12)) lent += 1;
        if (each === "give back" && lent > 0) {
          socket.giveBack();
          lent -= 1;
        }
        if (each === "end") socket.end();
        if (lent > 0) expect(calls.done).not.toContain("close 40");
      }
      for (; lent > 0; lent -= 1) socket.giveBack();
      const count = (call: string): number => calls.done.filter((one) => one === call).length;
      expect(count("close 40")).toBe(count("dup 12"));
      expect(count("dup 12")).toBeLessThan(2);
    }),
  );
});

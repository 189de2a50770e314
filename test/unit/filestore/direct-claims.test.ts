/** A lent socket is either written to or taken back. */
import { expect, test } from "vitest";
import { makeBlockMemory } from "#filestore/block-pool.ts";
import { DirectClaims } from "#filestore/direct-claims.ts";
import type { SocketLease } from "#platform/lent-sockets.ts";

function lease(): SocketLease & { readonly events: string[] } {
  const events: string[] = [];
  return {
    descriptor: 5,
    events,
    giveBack: () => events.push("given back"),
    breakOff: () => events.push("broken off"),
  };
}

test("who claims first has it, block by block, and again each time that it is lent", () => {
  const memory = makeBlockMemory();
  const main = new DirectClaims(memory);
  const worker = new DirectClaims(memory);
  for (const block of [0, 1, 255, 256, 319]) {
    const first = lease();
    main.lend(block);
    expect(worker.claim(block)).toBe(true);
    expect(worker.claim(block)).toBe(false);
    expect(main.giveUp(first, block)).toBe(first);
    expect(first.events).toEqual(["broken off"]);
    const second = lease();
    main.lend(block);
    expect(main.giveUp(second, block)).toBeUndefined();
    expect(second.events).toEqual(["given back"]);
    expect(worker.claim(block)).toBe(false);
  }
});

test("the word of a block is in its room, in front of any header", () => {
  const memory = makeBlockMemory();
  const claims = new DirectClaims(memory);
  claims.lend(3);
  claims.claim(3);
  const changed = [...new Uint8Array(memory)].flatMap((byte, at) => (byte === 0 ? [] : [at]));
  expect(changed).toEqual([3 * (16 * 1024 + 64)]);
});

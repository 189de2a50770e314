/** What goes to a lent socket, and when it stops. */
import { expect, test } from "vitest";
import { blockDataOffset, makeBlockMemory } from "#filestore/block-pool.ts";
import { DirectClaims } from "#filestore/direct-claims.ts";
import { DirectWriter } from "#filestore/worker/direct-writer.ts";
import { directPieceBytes, directTurnBytes } from "#filestore/worker/limits.ts";

const block = 2;
const to = { socket: 9, block, front: 10 };

interface Script {
  readonly takes?: (offered: number) => number;
  readonly isWanted?: () => boolean;
}

function stage({ takes = (offered) => offered, isWanted = () => false }: Script = {}) {
  const claims = new DirectClaims(makeBlockMemory());
  claims.lend(block);
  const calls: unknown[] = [];
  const writer = new DirectWriter({
    claims,
    isWanted,
    sockets: {
      send: (socket, piece) => {
        calls.push(["send", socket, piece]);
        return takes(piece.length);
      },
      sendFile: (socket, file, range) => {
        calls.push(["file", socket, file, range]);
        return takes(range.length);
      },
    },
  });
  return { claims, calls, writer };
}

test("the header goes first and waits for the content, which goes from its place in the file", () => {
  const { calls, writer } = stage();
  const part = { descriptor: 7, position: 500, length: directPieceBytes + 1 };
  expect(writer.send(to, part)).toEqual({ sent: directPieceBytes + 11, isFull: false });
  expect(calls).toEqual([
    ["send", 9, { offset: blockDataOffset(block) - 10, length: 10, more: true }],
    ["file", 9, 7, { position: 500, length: directPieceBytes }],
    ["file", 9, 7, { position: 500 + directPieceBytes, length: 1 }],
  ]);
});

test("a socket that takes less than it is offered is left alone", () => {
  const header = stage({ takes: () => 4 });
  const part = { descriptor: 7, position: 0, length: 1000 };
  expect(header.writer.send(to, part)).toEqual({ sent: 4, isFull: true });
  const content = stage({ takes: (offered) => Math.min(offered, 300) });
  expect(content.writer.send(to, part)).toEqual({ sent: 310, isFull: true });
  expect(content.calls).toHaveLength(2);
});

test("while others wait one piece goes out, while nobody does a turn's worth", () => {
  const part = { descriptor: 7, position: 0, length: 10 * directTurnBytes };
  const wanted = stage({ isWanted: () => true });
  expect(wanted.writer.send({ ...to, front: 0 }, part).sent).toBe(directPieceBytes);
  const alone = stage();
  expect(alone.writer.send({ ...to, front: 0 }, part).sent).toBe(directTurnBytes);
});

test("nothing is written to a socket that was taken back", () => {
  const { claims, calls, writer } = stage();
  claims.giveUp({ descriptor: 9, giveBack: () => {}, breakOff: () => {} }, block);
  const part = { descriptor: 7, position: 0, length: 1000 };
  expect(writer.send(to, part)).toEqual({ sent: 0, isFull: true });
  expect(calls).toEqual([]);
});

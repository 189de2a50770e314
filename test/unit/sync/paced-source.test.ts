import { expect, test } from "vitest";
import {
  type ByteSource,
  collect,
  flowOfSource,
  type Piece,
  sourceOfBytes,
} from "#net/byte-flow.ts";
import { pacedSource } from "#sync/paced-source.ts";
import { ByteBudget } from "#sync/sync-pace.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { settle } from "../../support/sync-pair.ts";

test("a large payload takes as long as the budget says, and arrives as it was", async () => {
  const clock = new ManualClock();
  const content = Buffer.from(Array.from({ length: 10_000 }, (_one, at) => at & 0xff));
  const budget = new ByteBudget(1000);
  let released = 0;
  const inner = sourceOfBytes(content);
  const source: ByteSource = {
    length: inner.length,
    next: async () => {
      const piece = await inner.next();
      const release = (): void => {
        released += 1;
      };
      return piece && { ...piece, release };
    },
    close: () => inner.close(),
  };
  let arrived: Buffer | undefined;
  void collect(flowOfSource(pacedSource(source, budget, clock))).then((bytes) => {
    arrived = bytes;
  });
  let seconds = 0;
  for (; arrived === undefined && seconds < 60; seconds += 0.25) {
    await settle();
    clock.advance(250);
  }
  expect(arrived).toEqual(content);
  expect(released).toBe(1);
  // One second's worth goes at once, and one piece ahead.
  expect(seconds).toBeGreaterThan(7);
  expect(seconds).toBeLessThan(11);
});

test("several payloads share one budget", async () => {
  const clock = new ManualClock();
  const budget = new ByteBudget(1000);
  let arrived = 0;
  for (let at = 0; at < 4; at += 1) {
    const source = pacedSource(sourceOfBytes(Buffer.alloc(2000)), budget, clock);
    void collect(flowOfSource(source)).then(() => {
      arrived += 1;
    });
  }
  const pass = async (seconds: number): Promise<void> => {
    for (let step = 0; step < seconds * 4; step += 1) {
      await settle();
      clock.advance(250);
    }
  };
  await pass(3);
  expect(arrived).toBe(0);
  await pass(7);
  expect(arrived).toBe(4);
});

test("a payload that is given up while it waits gives its buffer back", async () => {
  const clock = new ManualClock();
  let released = 0;
  const inner = sourceOfBytes(Buffer.alloc(5000));
  const paced = pacedSource(
    { ...inner, next: async () => counted(await inner.next()) },
    new ByteBudget(1000),
    clock,
  );
  (await paced.next())?.release();
  const waiting = Promise.resolve(paced.next());
  await settle();
  paced.close();
  expect(released).toBe(0);
  clock.advance(10_000);
  expect(await waiting).toBeUndefined();
  expect(released).toBe(1);

  function counted(piece: Piece | undefined): Piece | undefined {
    const release = (): void => {
      released += 1;
    };
    return piece && { ...piece, release };
  }
});

test("without a limit nothing stands in between", () => {
  const source = sourceOfBytes(Buffer.alloc(5));
  expect(pacedSource(source, new ByteBudget(0), new ManualClock())).toBe(source);
});

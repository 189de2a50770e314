/** The decisions, notes and numbers of a recovery. */
import { expect, test } from "vitest";
import { ForegroundYield } from "#sync/recovery/foreground-yield.ts";
import { busyForMs, lanesWhileServing, rateWindowMs } from "#sync/recovery/limits.ts";
import { collectList, listedFiles } from "#sync/recovery/path-list.ts";
import { ProgressRate } from "#sync/recovery/progress-rate.ts";
import { decideRecovery } from "#sync/recovery/recovery-decision.ts";
import { formatRecoveryState, parseRecoveryState } from "#sync/recovery/recovery-state.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

const empty = { id: "new", isNew: true, hadFiles: false, recovering: false };

test("only an empty path of a node that has files is rebuilt, or one whose recovery was interrupted", () => {
  const decide = (path: Partial<typeof empty>, knownId?: string, settled = true) =>
    decideRecovery({ ...empty, ...path }, { knownId, settled }).decision;
  expect(decide({}, "old")).toBe("recover");
  // An additional path counts as the original has it.
  expect(decide({})).toBe("recover");
  expect(decide({}, undefined, false)).toBe("serve");
  expect(decide({ hadFiles: true }, "old")).toBe("serve");
  expect(decide({ isNew: false }, "new")).toBe("serve");
  expect(decide({ isNew: false, hadFiles: true, recovering: true }, "new")).toBe("recover");
});

test("the note on the path survives, and whatever is there means that it is being rebuilt", () => {
  const state = { began: 1_700_000_000, files: 3, bytes: 2 ** 40 };
  expect(parseRecoveryState(formatRecoveryState(state))).toEqual(state);
  expect(parseRecoveryState("rubbish")).toEqual({ began: 0, files: 0, bytes: 0 });
});

test("rates are those of the last while", () => {
  const rate = new ProgressRate(rateWindowMs);
  const at = (seconds: number, files: number) => ({
    atMs: seconds * 1000,
    files,
    bytes: files * 10,
  });
  expect(rate.rates(at(0, 0))).toEqual({ filesPerSecond: 0, bytesPerSecond: 0 });
  for (let second = 0; second <= 600; second += 1)
    rate.note(at(second, second < 500 ? 0 : (second - 500) * 5));
  expect(rate.rates(at(600, 500))).toEqual({ filesPerSecond: 5, bytesPerSecond: 50 });
});

test("clients leave a recovery a few lanes; without them all work", async () => {
  const clock = new ManualClock();
  let served = 0;
  const lanes = new ForegroundYield(clock, () => served);
  const signal = new AbortController().signal;
  let running = 0;
  const ends: (() => void)[] = [];
  const begin = (): void => {
    void lanes.run(signal, () => {
      running += 1;
      return new Promise<void>((resolve) => ends.push(resolve));
    });
  };
  for (let lane = 0; lane < 10; lane += 1) begin();
  await turns();
  expect(running).toBe(10);
  for (const end of ends.splice(0)) end();
  await turns();
  served += 1;
  running = 0;
  for (let lane = 0; lane < 10; lane += 1) begin();
  await turns();
  expect(running).toBe(lanesWhileServing);
  clock.advance(busyForMs * 2);
  await turns();
  expect(running).toBe(10);
});

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

function flowOf(pieces: readonly Buffer[], broken = true) {
  return {
    drainTo: (sink: { write(chunk: Uint8Array): boolean }) => {
      for (const piece of pieces) sink.write(piece);
      return broken ? Promise.reject(new Error("closed")) : Promise.resolve();
    },
  };
}

const names = [
  "M00/00/00/oQoAAmsDh9OIIrfSAAAABdsMogw362.txt",
  "M00/00/01/oQoAAmsDh9OIIrfSAAAABdsMogw363.txt",
] as const;
const text = `7 C ${names[0]}\n9 l ${names[1]} ${names[0]}\nno line\n8 d ${names[0]}\n`;

function withTrailer(length: number): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeBigInt64BE(BigInt(length));
  return Buffer.concat([Buffer.from(text), trailer]);
}

test("a list ends with the connection, and is whole where its trailer says so, however it was cut", async () => {
  const whole = withTrailer(text.length);
  for (const size of [1, 3, 7, 50, 1000]) {
    const pieces: Buffer[] = [];
    for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size));
    expect([...listedFiles(await collectList(flowOf(pieces)))]).toEqual([
      { name: names[0], timestamp: 7, target: undefined },
      { name: names[1], timestamp: 9, target: names[0] },
    ]);
  }
});

test("a list that was cut off is no list", async () => {
  for (const bytes of [withTrailer(text.length - 1), Buffer.from(text), Buffer.alloc(7)]) {
    await expect(collectList(flowOf([bytes]))).rejects.toThrow("closed");
  }
});

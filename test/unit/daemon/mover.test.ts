/** How a job of the mover's thread is started, watched and ended. */
import { expect, test } from "vitest";
import { Mover, MoverStopped } from "#daemon/mover.ts";
import type { MoverPost, MoverThreadData } from "#filestore/move/move-messages.ts";
import type { Workers, WorkerThread } from "#platform/workers.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const tally = { files: 2, bytes: 3, copiedFiles: 1, copiedBytes: 1, passes: 1 };
const findings = { unreadable: [], unreadableTotal: 0, rotten: [] };

function stage() {
  const clock = new ManualClock();
  const thread: WorkerThread = { onMessage: () => {}, onExit: () => {} };
  let data: MoverThreadData | undefined;
  const workers: Pick<Workers, "start" | "afterTurn"> = {
    start: (entry, given) => {
      expect(entry).toBe("store-path-mover");
      data = given as MoverThreadData;
      return thread;
    },
    afterTurn: () => {},
  };
  const told: unknown[] = [];
  const ending = new AbortController();
  let busy = false;
  const watch = {
    isBusy: () => busy,
    progress: (each: unknown) => void told.push(each),
    signal: ending.signal,
  };
  const job = { kind: "delete", directory: "/x" } as const;
  return {
    ...{ clock, thread, told, ending, watch, job },
    run: new Mover({ workers, clock }).run(job, watch),
    again: () => new Mover({ workers, clock }).run(job, watch),
    words: () => [...new Int32Array(data?.words ?? new SharedArrayBuffer(0))],
    post: (message: MoverPost) => thread.onMessage(message),
    busy: (now: boolean) => {
      busy = now;
    },
  };
}

test("progress is passed on, and the end counts when the thread is gone", async () => {
  const { run, thread, post, told } = stage();
  post({ post: "progress", tally });
  post({ post: "done", tally, findings });
  thread.onExit(undefined);
  expect(await run).toMatchObject({ tally, findings });
  expect(told).toEqual([tally]);
});

test("the thread is told when somebody waits for the disks, and for a moment afterwards", async () => {
  const { run, thread, post, clock, words, busy } = stage();
  clock.advance(50);
  expect(words()).toEqual([0, 0]);
  busy(true);
  clock.advance(50);
  expect(words()).toEqual([0, 1]);
  busy(false);
  clock.advance(50);
  expect(words()).toEqual([0, 1]);
  clock.advance(200);
  expect(words()).toEqual([0, 0]);
  post({ post: "done", tally, findings });
  thread.onExit(undefined);
  await run;
});

test("what it says of the disks is the error, and so is a thread that just ends", async () => {
  const one = stage();
  one.post({ post: "failed", code: "store-full", message: "no room" });
  one.thread.onExit(undefined);
  await expect(one.run).rejects.toMatchObject({ code: "store-full", message: "no room" });
  const other = stage();
  other.thread.onExit(undefined);
  await expect(other.run).rejects.toMatchObject({ code: "mover-failed" });
  const broken = stage();
  broken.thread.onExit(new Error("a mistake"));
  await expect(broken.run).rejects.toThrow("a mistake");
});

test("it is told to end, and has ended only when it says so", async () => {
  const { run, again, thread, post, ending, words } = stage();
  ending.abort();
  expect(words()[0]).toBe(1);
  post({ post: "stopped" });
  thread.onExit(undefined);
  await expect(run).rejects.toBeInstanceOf(MoverStopped);
  await expect(again()).rejects.toBeInstanceOf(MoverStopped);
});

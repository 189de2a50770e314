/** How long requests take, by samples. */
import { expect, test } from "vitest";
import { RequestWatch } from "#filestore/request-watch.ts";
import { request } from "#filestore/worker-messages.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function stage() {
  const clock = new ManualClock();
  const latency = new RequestWatch(clock);
  let id = 0;
  const serve = (count: number, ms: number, kind: number = request.read): void => {
    for (let each = 0; each < count; each += 1) {
      id += 1;
      latency.sent(id, kind);
      clock.advance(ms);
      latency.answered(id);
    }
  };
  return { clock, latency, serve };
}

const minute = 60_000;

test("too few requests say nothing", () => {
  const { latency, serve } = stage();
  serve(100, 1);
  expect(latency.summary).toBeUndefined();
});

test("a disk that becomes slow is so at once, and what is usual on it stays", () => {
  const { latency, serve, clock } = stage();
  serve(20_000, 4);
  clock.advance(11 * minute);
  serve(2000, 4);
  expect(latency.summary).toMatchObject({ p99Ms: 4, usualP99Ms: 4, samples: 250 });
  serve(200, 500);
  expect(latency.summary).toMatchObject({ p99Ms: 512, usualP99Ms: 4 });
});

test("one slow request of a thousand does not count, thirty do", () => {
  const { latency, serve, clock } = stage();
  serve(20_000, 4);
  clock.advance(11 * minute);
  serve(8000, 4);
  serve(8, 500);
  expect(latency.summary?.p99Ms).toBe(4);
  serve(8 * 30, 500);
  expect(latency.summary?.p99Ms).toBe(512);
});

test("what was, fades within days", () => {
  const { latency, serve, clock } = stage();
  serve(20_000, 4);
  clock.advance(10 * 24 * 60 * minute);
  serve(20_000, 4);
  expect(latency.summary).toBeUndefined();
});

test("only what clients wait for is timed, and one at a time", () => {
  const { latency, serve, clock } = stage();
  serve(100_000, 1, request.space);
  for (let id = 1; id <= 8; id += 1) latency.sent(id, request.write);
  latency.answered(7);
  latency.forget();
  latency.answered(8);
  clock.advance(11 * minute);
  serve(2000, 1);
  expect(latency.summary).toBeUndefined();
});

test("failures because of the disk are counted, others are not, and nothing is timed without a clock", () => {
  const watch = new RequestWatch();
  for (const code of ["disk-failed", "file-missing", "disk-failed"]) watch.failed({ code });
  expect(watch.diskFailures).toBe(2);
  for (let id = 1; id < 5000; id += 1) {
    watch.sent(id, request.read);
    watch.answered(id);
  }
  expect(watch.summary).toBeUndefined();
});

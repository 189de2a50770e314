/** Lines of the access log, in the original's format (protocol §5.4). */
import { expect, test } from "vitest";
import { AccessLog, type AccessRecord } from "#storage/access-log.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const record: AccessRecord = {
  peer: "10.0.0.1",
  action: "upload",
  file: "M00/00/00/name.jpg",
  status: 0,
  startedMs: 1000,
  requestBytes: 5000,
  replyBytes: 60,
};

function linesOf(records: readonly AccessRecord[], elapsedMs = 0): string[] {
  const lines: string[] = [];
  const clock = new ManualClock();
  clock.advance(elapsedMs);
  const log = new AccessLog(clock, (line) => lines.push(line));
  for (const one of records) log.add(one);
  return lines;
}

test("one line a request: time, client, action, name, status, milliseconds, bytes", () => {
  expect(linesOf([record], 12.6)).toEqual([
    "[2023-11-14 22:13:20] 10.0.0.1 upload M00/00/00/name.jpg 0 13 5000 60\n",
  ]);
});

test("a foreign name forges no line and no field", () => {
  const [line] = linesOf([{ ...record, file: "a b\n[2023] x\u007f\u0000", status: 22 }]);
  expect(line).toBe("[2023-11-14 22:13:20] 10.0.0.1 upload a?b?[2023]?x?? 22 0 5000 60\n");
});

test("a clock that runs backwards gives no negative duration", () => {
  expect(linesOf([{ ...record, startedMs: 5000 }])[0]).toContain(" 0 0 5000 60\n");
});

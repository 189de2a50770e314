/** The memory of one worker. */
import { expect, test } from "vitest";
import { RingReader } from "#filestore/ring.ts";
import { makeThreadMemory } from "#filestore/thread-memory.ts";
import { PathCondition } from "#filestore/worker/path-condition.ts";

test("each worker gets rings of its own that are empty, and a pulse that has not begun", () => {
  const one = makeThreadMemory();
  const other = makeThreadMemory();
  expect([one.requests, one.completions].map((ring) => new RingReader(ring).isEmpty)).toEqual([
    true,
    true,
  ]);
  new PathCondition(one.pulseMemory, () => {}).callBegins();
  expect([one.pulse.calls, other.pulse.calls]).toEqual([1, 0]);
});

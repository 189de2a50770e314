/** What the two threads of a store path tell each other beside the ring. */
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import {
  isUpTo,
  makePulseMemory,
  PathCondition,
  PathPulse,
} from "#filestore/worker/path-condition.ts";
import type { StorePathPost } from "#filestore/worker-messages.ts";
import { FileError } from "#platform/files.ts";

function stage() {
  const memory = makePulseMemory();
  const posts: StorePathPost[] = [];
  return {
    pulse: new PathPulse(memory),
    condition: new PathCondition(memory, (post) => posts.push(post)),
    posts,
  };
}

test("the main thread sees calls begin and flushes end", () => {
  const { pulse, condition } = stage();
  condition.callBegins();
  condition.callBegins();
  condition.flushesBegan(3);
  condition.flushesEnded(1);
  expect([pulse.calls, pulse.flushing, pulse.flushed]).toEqual([2, 2, 1]);
});

test("requests up to the named one are abandoned, later ones are not", () => {
  const { pulse, condition } = stage();
  expect(condition.isAbandoned(1)).toBe(false);
  pulse.abandonUpTo(5);
  expect([4, 5, 6].map((id) => condition.isAbandoned(id))).toEqual([true, true, false]);
});

test("ids that began anew after 2^31 requests are told apart from those before", () => {
  const last = 0x7fffffff;
  expect([last - 1, last, 0, 7].map((id) => isUpTo(id, last))).toEqual([true, true, false, false]);
  expect([last - 5, 0, 2, 3].map((id) => isUpTo(id, 2))).toEqual([true, true, true, false]);
});

test("the first failed flush ends the taking of changes and is told once, until a check", () => {
  const { condition, posts } = stage();
  expect(condition.refusal).toBe(undefined);
  condition.onFlushFailed(new FileError("EIO", "EIO: i/o error, fdatasync"));
  condition.onFlushFailed(new FileError("EIO", "EIO: again"));
  expect(condition.refusal).toMatchObject({ code: "disk-failed", details: { errno: "EIO" } });
  expect(posts).toEqual([{ post: "flush-failed", message: "EIO: i/o error, fdatasync" }]);
  expect(condition.suspicions).toBe(2);
  expect(() => condition.cleared(1)).toThrow(/another flush failed/);
  expect(condition.refusal).not.toBe(undefined);
  condition.cleared(2);
  expect([condition.refusal, condition.suspicions]).toEqual([undefined, 0]);
});

test("a worker that can only read takes no changes, whatever a check finds", () => {
  const { condition } = stage();
  const refusal = fileStoreError("disk-failed", "read-only");
  condition.refuse(refusal);
  condition.cleared(0);
  expect(condition.refusal).toBe(refusal);
});

test("a full disk is no disk to be suspicious of", () => {
  const { condition, posts } = stage();
  condition.onFlushFailed(new FileError("ENOSPC", "ENOSPC: no space left"));
  expect([condition.refusal, condition.suspicions, posts]).toEqual([undefined, 0, []]);
});

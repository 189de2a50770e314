import { expect, test } from "vitest";
import { threadWaits } from "#filestore/thread-waits.ts";

test("a wait ends when the word's other side says so, and none begins where the word has changed", async () => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  expect(threadWaits.waitAsync(words, 1)).toBeUndefined();
  words[1] = 1;
  const woken = threadWaits.waitAsync(words, 1);
  threadWaits.notify(words, 1);
  expect(await woken).toBe("ok");
});

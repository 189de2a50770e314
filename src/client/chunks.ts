/** A download as something to loop over: `for await (const chunk of chunksOf(download))`. Leaving the loop gives up the rest. */
import type { Download } from "#client/download.ts";

/** Bytes that may wait for the loop. */
const maxWaitingBytes = 1024 * 1024;

/** Copies, which the caller may keep. Throws what `drainTo` rejects with, after the bytes that came before. */
export async function* chunksOf(download: Download): AsyncGenerator<Buffer, void, void> {
  const chunks: Buffer[] = [];
  let waiting = 0;
  let paused = false;
  let ended = false;
  let wake: (() => void) | undefined;
  const drained = download
    .drainTo({
      write: (chunk) => {
        chunks.push(Buffer.from(chunk));
        waiting += chunk.length;
        paused = waiting > maxWaitingBytes;
        wake?.();
        return !paused;
      },
    })
    .finally(() => {
      ended = true;
      wake?.();
    });
  // Looked at when the chunks before the failure are used up.
  drained.catch(() => {});
  try {
    for (;;) {
      const chunk = chunks.shift();
      if (chunk !== undefined) {
        waiting -= chunk.length;
        if (paused && waiting <= maxWaitingBytes / 2) {
          paused = false;
          download.resume();
        }
        yield chunk;
      } else if (ended) {
        await drained;
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    if (!ended) download.close();
  }
}

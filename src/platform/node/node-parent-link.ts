/** The standard streams of a child. */
import { writeSync } from "node:fs";
import type { ParentLink } from "#platform/parent-link.ts";

const outputDescriptor = 1;
const pauseMs = 2;
/** A parent that reads nothing for so long is as good as gone. */
const maxPauses = 5000;

export function nodeParentLink(): ParentLink {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const link: ParentLink = {
    write: (text) => {
      let rest: Uint8Array = Buffer.from(text);
      for (let pauses = 0; rest.length > 0; ) {
        try {
          rest = rest.subarray(writeSync(outputDescriptor, rest));
        } catch (error) {
          const isFull = (error as NodeJS.ErrnoException).code === "EAGAIN";
          if (!isFull || pauses >= maxPauses) return link.onEnd();
          pauses += 1;
          Atomics.wait(pause, 0, 0, pauseMs);
        }
      }
    },
    onInput: () => {},
    onEnd: () => {},
  };
  process.stdin.on("data", (bytes: Buffer) => link.onInput(bytes));
  process.stdin.on("end", () => link.onEnd());
  process.stdin.on("error", () => link.onEnd());
  return link;
}

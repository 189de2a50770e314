/** Source files that no test file mirrors, each with what tests it instead. Remove a line as soon as a mirror exists. */
import type { Exemption } from "./rules/mirrors.ts";

export const mirrorExemptions: readonly Exemption[] = [
  { path: "src/main.ts", reason: "the start of the process; every end-to-end test runs it" },
  {
    path: "src/filestore/worker/store-path-worker.ts",
    reason:
      "entry of a thread, which cannot be imported; the tests of the store path client start it",
  },
  {
    path: "src/platform/node/node-thread-port.ts",
    reason: "one line that means something inside of a thread only; as the former",
  },
];

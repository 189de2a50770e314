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
    path: "src/filestore/move/store-path-mover.ts",
    reason: "as the former; test/e2e/store-path-moves.test.ts starts it",
  },
  {
    path: "src/platform/node/node-thread-port.ts",
    reason: "one line that means something inside of a thread only; as the former",
  },
  {
    path: "src/daemon/storage-half.ts",
    reason:
      "puts a store and a role together; every node runs it, and test/e2e/mirror.test.ts two of them",
  },
  {
    path: "src/daemon/own-disks.ts",
    reason:
      "puts shelf, finders, helper and copies together; test/e2e/disk-paths.test.ts and disks.test.ts run it",
  },
  {
    path: "src/daemon/disk-giving-operations.ts",
    reason:
      "hands a person's yes on to the helper; test/e2e/disk-giving.test.ts gives a real disk with it",
  },
  {
    path: "src/sync/peer-link.ts",
    reason:
      "performs what the machine says, over sockets; test/integration/storage/replication.test.ts runs it between nodes",
  },
  {
    path: "src/sync/sync-store.ts",
    reason: "names the functions of two parts of the store; as the former",
  },
  {
    path: "src/helper/verbs/",
    reason:
      "run as whole conversations: on loop devices by test/integration/helper/, with random disks by test/unit/helper/never-writes.test.ts",
  },
  ...["disk-writer", "open-part", "provision-steps", "run-program"].map((name) => ({
    path: `src/helper/${name}.ts`,
    reason: "steps of the verbs; as the former",
  })),
  {
    path: "src/helper/disk-evidence.ts",
    reason: "asks programs about real devices; test/integration/helper/corpus.test.ts",
  },
  {
    path: "src/helper/helper-server.ts",
    reason: "the life of a process; test/integration/helper/helper-process.test.ts",
  },
];

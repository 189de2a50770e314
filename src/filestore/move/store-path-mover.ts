/** Entry of the mover's thread: does one job over two directories, blocking in file calls, and ends. */
import type { MoverThreadData } from "#filestore/move/move-messages.ts";
import { runMover } from "#filestore/move/run-mover.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeDiskReads } from "#platform/node/node-disk-reads.ts";
import { NodeMoveFiles } from "#platform/node/node-move-files.ts";
import { systemCalls } from "#platform/node/node-system-calls.ts";
import { nodeThreadPort } from "#platform/node/node-thread-port.ts";

const calls = systemCalls();

runMover(nodeThreadPort.data as MoverThreadData, {
  files: new NodeMoveFiles(),
  reads: new NodeDiskReads(calls === undefined ? undefined : (...range) => calls.forget(...range)),
  clock: nodeClock,
  post: (message) => nodeThreadPort.post(message),
});

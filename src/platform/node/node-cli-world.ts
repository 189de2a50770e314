/** What a command of the command line gets to see of the world. */
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeLocalFiles } from "#platform/node/node-local-files.ts";
import { nodeMachine } from "#platform/node/node-machine.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { nodeTerminal } from "#platform/node/node-terminal.ts";

/** Longer than any command runs. */
const keepAlivePeriodMs = 2 ** 30;

/** The real one. Timers of the clock do not keep a process alive, so that this does, until it is disposed of. */
export function nodeCliWorld() {
  const alive = setInterval(() => {}, keepAlivePeriodMs);
  return {
    arguments: process.argv.slice(2),
    environment: process.env,
    workingDirectory: process.cwd(),
    terminal: nodeTerminal(),
    files: nodeLocalFiles,
    machine: nodeMachine(),
    network: new NodeNetwork(),
    clock: nodeClock,
    [Symbol.dispose]: () => clearInterval(alive),
  };
}

/** The process: hands the real outside world to the command line, whose `serve` is the daemon. Main thread. */
import { version } from "#base/version.ts";
import { runCli } from "#cli/cli.ts";
import { loadConfigFiles } from "#daemon/config-files.ts";
import { runDaemon } from "#daemon/daemon.ts";
import { sqliteAddon } from "#platform/node/native-addons.ts";
import { nodeCliWorld } from "#platform/node/node-cli-world.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { nodeHost } from "#platform/node/node-host.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { nodeRandom } from "#platform/node/node-random.ts";
import { nodeWorkers } from "#platform/node/node-workers.ts";

/** Of a failure that nobody foresaw (sysexits: EX_SOFTWARE). */
const internalError = 70;

/** Resolves to the exit code. */
async function runProgram(): Promise<number> {
  const host = nodeHost();
  const service = host.environment.JOURNAL_STREAM !== undefined;
  using world = nodeCliWorld();
  return await runCli(world, {
    version,
    serve: (request) => {
      const addon = sqliteAddon();
      return runDaemon(
        {
          clock: nodeClock,
          random: nodeRandom(),
          network: new NodeNetwork(),
          workers: nodeWorkers(),
          databases: nodeDatabases(addon === undefined ? {} : { nativeBinding: addon }),
          host,
        },
        { ...request, version, runtime: `node ${process.versions.node}`, banner: !service },
      );
    },
    loadConfig: (request) => loadConfigFiles(host, request),
  });
}

runProgram().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`cairn: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = internalError;
  },
);

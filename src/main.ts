/** The process: hands the real outside world to the command line, whose `serve` is the daemon. Main thread. */
import { Log } from "#base/log.ts";
import { version } from "#base/version.ts";
import { runCli } from "#cli/cli.ts";
import type { HelperCommandOptions } from "#cli/cli-world.ts";
import { loadConfigFiles } from "#daemon/config-files.ts";
import { runDaemon } from "#daemon/daemon.ts";
import { LogOutput } from "#daemon/log-output.ts";
import { probeLimits } from "#disks/probe/limits.ts";
import { runProbeChild } from "#disks/probe/probe-child.ts";
import { runImportChild } from "#filestore/import/import-child.ts";
import { scrubStorePath } from "#filestore/scrub/scrub-store-path.ts";
import { HelperServer, serveParent } from "#helper/helper-server.ts";
import { helperSettings, inheritedSocket } from "#helper/helper-settings.ts";
import type { HelperWorld } from "#helper/helper-world.ts";
import type { Host } from "#platform/host.ts";
import type { Connection } from "#platform/network.ts";
import { sqliteAddon } from "#platform/node/native-addons.ts";
import { nodeBlockDevices } from "#platform/node/node-block-devices.ts";
import { nodeChildren, selfCommand } from "#platform/node/node-children.ts";
import { nodeCliWorld } from "#platform/node/node-cli-world.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeCommands } from "#platform/node/node-commands.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { askDiskPackage, isDiskPackage } from "#platform/node/node-disk-packages.ts";
import { NodeDiskReads } from "#platform/node/node-disk-reads.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { nodeHost } from "#platform/node/node-host.ts";
import { nodeKernelLog } from "#platform/node/node-kernel-log.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { nodeParentLink } from "#platform/node/node-parent-link.ts";
import { nodeRandom } from "#platform/node/node-random.ts";
import { residentFiles } from "#platform/node/node-resident-files.ts";
import { systemCalls } from "#platform/node/node-system-calls.ts";
import { nodeSystemFiles } from "#platform/node/node-system-files.ts";
import { nodeWorkers } from "#platform/node/node-workers.ts";

/** Of a failure that nobody foresaw (sysexits: EX_SOFTWARE). */
const internalError = 70;
/** EX_USAGE. */
const usageError = 64;

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
          network: new NodeNetwork(systemCalls()),
          workers: nodeWorkers(),
          databases: nodeDatabases(addon === undefined ? {} : { nativeBinding: addon }),
          host,
          commands: nodeCommands(),
          children: nodeChildren(),
          resident: residentFiles(),
        },
        { ...request, version, runtime: `node ${process.versions.node}`, banner: !service },
      );
    },
    scrubDirectory: (directory) => {
      const calls = systemCalls();
      const forget =
        calls && ((...range: Parameters<typeof calls.forget>) => calls.forget(...range));
      const disk = new NodeDiskReads(forget);
      return scrubStorePath({ directory, files: new NodeFiles(), disk, clock: nodeClock });
    },
    probe: (packageName) => runProbe(host, packageName),
    importFiles: () => runImport(host),
    helper: (options) => runHelper(host, options),
    loadConfig: (request) => loadConfigFiles(host, request),
  });
}

/** A child of the daemon. Threads of it may hang in the kernel by then, which an ordinary exit would wait for. */
async function runProbe(host: Host, packageName: string | undefined): Promise<number> {
  if (packageName !== undefined) {
    if (!isDiskPackage(packageName)) return usageError;
    host.writeOutput(`${await askDiskPackage(packageName)}\n`);
    return 0;
  }
  const commands = nodeCommands();
  const askPackage = async (name: string): Promise<string> => {
    const { program, parameters } = selfCommand();
    const { stdout } = await commands.run(program, [...parameters, "probe", name], {
      deadlineMs: probeLimits.packageMs,
      maxOutputBytes: probeLimits.maxOutputBytes,
    });
    return stdout;
  };
  const world = { files: nodeSystemFiles, commands, clock: nodeClock, askPackage };
  const kernel = nodeKernelLog(commands, () => nodeClock.nowMs());
  await runProbeChild({ world, children: nodeChildren(), parent: nodeParentLink(), kernel });
  host.killSelf();
  return 0;
}

/** A child of the daemon. A disk may hold it by the end. */
async function runImport(host: Host): Promise<number> {
  const world = { files: new NodeFiles(), clock: nodeClock, network: new NodeNetwork() };
  await runImportChild({ ...world, parent: nodeParentLink() });
  host.killSelf();
  return 0;
}

/** A process of its own, as root. A disk may hold a thread of it by the end. */
async function runHelper(host: Host, options: HelperCommandOptions): Promise<number> {
  const log = new LogOutput(host, nodeClock, { level: "info", format: "auto" });
  const passwd = nodeSystemFiles.readText("/etc/passwd") ?? "";
  const world: HelperWorld = {
    clock: nodeClock,
    random: nodeRandom(),
    log: new Log("helper", log.sink),
    commands: nodeCommands(),
    devices: nodeBlockDevices,
    system: nodeSystemFiles,
    files: new NodeFiles(),
    settings: helperSettings(options, passwd),
  };
  if (options.stdio) await serveParent(world, nodeParentLink());
  else {
    const server = new HelperServer(world);
    const network = new NodeNetwork();
    const descriptor = inheritedSocket(host.environment, host.processId);
    const admit = (connection: Connection): void => server.admit(connection);
    if (descriptor !== undefined) await network.listenInherited(descriptor, admit);
    else if (options.listen === undefined) return usageError;
    else await network.listenPath({ path: options.listen, backlog: 8, mode: 0o660 }, admit);
    await server.ended;
  }
  // Listeners and streams would keep it.
  host.exit(0);
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

/** `cairn bench`: measures any FastDFS-compatible cluster, or several side by side. */
import { dirname } from "node:path/posix";
import { benchChart } from "#cli/bench/bench-chart.ts";
import { benchDefaults, benchSettings, benchTargets } from "#cli/bench/bench-options.ts";
import { benchReport } from "#cli/bench/bench-report.ts";
import { BenchRun } from "#cli/bench/bench-run.ts";
import { benchTable } from "#cli/bench/bench-table.ts";
import { type BenchTarget, findTarget, isLocalAddress, placesOf } from "#cli/bench/bench-target.ts";
import { machineFacts } from "#cli/bench/machine-facts.ts";
import { type TargetSpec, targetForm } from "#cli/bench/target-spec.ts";
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { ControlClient } from "#cli/control-client.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import { FastdfsClient } from "#client/fastdfs-client.ts";
import { loadOperations } from "#client/load/load-operation.ts";
import type { Endpoint } from "#model/endpoint.ts";

export const benchCommand: Command = {
  name: "bench",
  summary: "measure how fast a cluster is, alone or beside others",
  description: [
    "Loads any FastDFS-compatible cluster and prints for each step operations and megabytes a second, the times that 50, 99 and 99.9 percent of the operations kept to, failures, and the CPU time and peak memory of the server's processes. Several targets take turns, step by step and round by round, and their CPU is compared with that of the last one.",
    "A Cairn node on this machine is found by its control socket: its process, its durability and the file system of its store paths need not be named. Of other servers on this machine --pid, --durability and --store-path tell them.",
    "Each connection has one operation under way and starts the next one when that has ended. A server that stalls is therefore asked less than independent clients would ask (coordinated omission): compare times under the same number of connections, and take none for a promise.",
    "It touches no files but its own, whose content differs from one to the next, and deletes them at the end, also after Ctrl-C; a second Ctrl-C leaves them. It asks before it loads servers of another machine, because their clients will notice; --yes answers.",
    "The exit code is 1 when operations failed, and 69 when a server was given up.",
  ],
  positionals: [],
  options: [
    {
      name: "storage",
      value: "HOST[:PORT]",
      repeatable: true,
      says: "the storage to load; else those that the tracker names",
    },
    {
      name: "operations",
      value: "LIST",
      says: `of ${loadOperations.join(", ")}; else ${benchDefaults.operations}`,
    },
    { name: "sizes", value: "LIST", says: `of the files; else ${benchDefaults.sizes}` },
    {
      name: "connections",
      value: "LIST",
      says: `at the same time; else ${benchDefaults.connections}`,
    },
    { name: "fresh", says: "a connection for each operation" },
    {
      name: "step",
      value: "STEP",
      repeatable: true,
      says: "in place of those lists: upload:4KiB:16, download:4KiB:16:fresh, query-store:64",
    },
    {
      name: "duration",
      value: "TIME",
      says: `of each step and round; else ${benchDefaults.duration}`,
    },
    {
      name: "count",
      value: "NUMBER",
      says: "operations of each step and round, in place of a time",
    },
    {
      name: "warm-up",
      value: "TIME",
      says: `before each, not counted; else ${benchDefaults.warmUp}`,
    },
    { name: "rounds", value: "NUMBER", says: "of each step, the targets taking turns; else 1" },
    {
      name: "pid",
      value: "PID",
      repeatable: true,
      says: "a process of the server here, whose CPU and memory are looked at",
    },
    { name: "label", value: "NAME", says: "what the target is called; else cluster" },
    {
      name: "durability",
      value: "TEXT",
      says: "what an answer means there, such as never flushed",
    },
    {
      name: "store-path",
      value: "DIR",
      says: "a store path of the server here, for its file system",
      complete: "directory",
    },
    {
      name: "target",
      value: "TARGET",
      repeatable: true,
      says: `in place of those for one target: ${targetForm}`,
    },
    { name: "verify", says: "compare what is downloaded with the CRC-32 in its name" },
    {
      name: "space",
      value: "SIZE",
      says: `the most to have stored on a target at a time; else ${benchDefaults.space}`,
    },
    {
      name: "timeout",
      value: "TIME",
      says: `after which an operation has failed; else ${benchDefaults.timeout}`,
    },
    { name: "keep", says: "leave the files in the cluster" },
    {
      name: "json-file",
      value: "FILE",
      says: "write everything there as JSON, with the machine and each round",
      complete: "file",
    },
    { name: "svg", value: "FILE", says: "write a chart there", complete: "file" },
  ],
  shared: ["json", "yes", "tracker", "config", "socket"],
  examples: [
    { line: "cairn bench", says: "the cluster of the settings here: five operations, two sizes" },
    {
      line: "cairn bench --storage 10.0.0.5:23000 --operations upload,download --sizes 64KiB",
      says: "one storage, without asking a tracker",
    },
    {
      line: "cairn bench --target a=socket=data/cairn.sock --target b=tracker=10.0.0.9 --svg ab.svg",
      says: "two clusters in turns",
    },
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output, world, arguments: given, signal } = context;
  const settings = benchSettings(given);
  const specs = benchTargets(given, () => context.trackers());
  const startedMs = world.clock.nowMs();
  const targets: BenchTarget[] = [];
  for (const spec of specs) targets.push(await find(context, spec));
  if (!(await admitted(context, targets))) return exitCodes.failure.code;
  // Better to fail now than to lose the results of a long run.
  for (const option of ["json-file", "svg"]) {
    const file = given.value(option);
    if (file !== undefined) await world.files.probeWrite(dirname(context.path(file)));
  }
  const { network, clock, files } = world;
  const bench = new BenchRun(targets, settings, {
    network,
    clock,
    files,
    signal,
    progress: (text) => output.note(text),
    warn: (text) => output.warn(text),
  });
  const results = await bench.run();
  const machine = await machineFacts(world.machine, files);
  const { version } = context.parts;
  const interrupted = signal.aborted;
  const facts = { version, startedMs, interrupted, machine, settings, targets, results };
  const report = benchReport(facts);
  if (output.json) await output.value(report);
  else await output.lines(benchTable(results, targets));
  const jsonFile = given.value("json-file");
  if (jsonFile !== undefined) {
    await files.writeText(context.path(jsonFile), `${JSON.stringify(report, null, 2)}\n`);
  }
  const svg = given.value("svg");
  if (svg !== undefined) {
    const title = `cairn bench, ${targets.map(({ name }) => name).join(" and ")}`;
    const subtitle = `${machine.cpu}, ${machine.cpuCount} CPUs, ${machine.system}`;
    await files.writeText(context.path(svg), benchChart({ title, subtitle, targets, results }));
  }
  if (bench.lostOne) return exitCodes.unavailable.code;
  const failed = results.some((one) => one.targets.some((at) => (at.figures?.failed ?? 0) > 0));
  return failed ? exitCodes.failure.code : exitCodes.ok.code;
}

async function find(context: CommandContext, spec: TargetSpec): Promise<BenchTarget> {
  const { world, signal } = context;
  const { network, clock, files } = world;
  const own = (path: string): string => context.path(path);
  return await findTarget(
    { ...spec, storePath: spec.storePath === undefined ? undefined : own(spec.storePath) },
    {
      network,
      files,
      signal,
      controlClient: (path) =>
        path === undefined
          ? context.controlClient()
          : new ControlClient({ network, clock, path: own(path) }),
      writers: async (trackers: readonly Endpoint[]) => {
        await using client = new FastdfsClient({ trackers, network, clock });
        return await client.listWriters({ signal });
      },
    },
  );
}

/** Whether servers of other machines may be loaded. */
async function admitted(
  context: CommandContext,
  targets: readonly BenchTarget[],
): Promise<boolean> {
  const far = targets.filter(({ trackers, storages }) =>
    [...trackers, ...storages].some(
      ({ address }) => !isLocalAddress(address, context.world.network),
    ),
  );
  if (far.length === 0) return true;
  const places = far.map((target) => `${target.name} (${placesOf(target)})`).join(" and ");
  return await context.confirm(`Load ${places} as hard as this machine can?`);
}

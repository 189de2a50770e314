/** `cairn doctor`: looks for what keeps a node from working, and says what to do about it. */
import { AppError, describeError } from "#base/app-error.ts";
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { checkDirectories } from "#cli/doctor/directory-checks.ts";
import type { Finding, Verdict } from "#cli/doctor/finding.ts";
import { checkClock, checkOpenFiles, checkRuntime } from "#cli/doctor/machine-checks.ts";
import { checkDaemon, checkPorts, checkTrackers } from "#cli/doctor/network-checks.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import type { Style } from "#cli/render/style.ts";
import { type ConfigProblem, formatProblem } from "#config/errors.ts";
import type { LoadedConfig } from "#config/load-config.ts";

export const doctorCommand: Command = {
  name: "doctor",
  summary: "look for what keeps a node here from working",
  description: [
    "Looks at the runtime, the limit of open files, the clock, the settings, the data directory and each store path (there, writable, file system, space), the daemon, its ports, and its trackers. Says of each whether it is well, and what to do where it is not. Changes nothing; in directories it makes and removes one empty file.",
    "The exit code is 1 when something does not work, and 0 with mere warnings.",
  ],
  positionals: [],
  options: [],
  shared: ["json", "config", "socket", "set", "tracker"],
  examples: [{ line: "cairn doctor", says: "before asking somebody for help" }],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const findings: Finding[] = [];
  for await (const finding of examine(context)) {
    findings.push(finding);
    if (!output.json) await output.lines(findingLines(finding, output.style));
  }
  const count = (verdict: Verdict): number =>
    findings.filter((finding) => finding.verdict === verdict).length;
  const summary = { good: count("good"), warnings: count("warning"), bad: count("bad") };
  if (output.json) await output.value({ findings, summary });
  else if (summary.bad === 0)
    await output.lines(["", `Nothing keeps a node from working; ${summary.warnings} warnings.`]);
  else await output.lines(["", `${summary.bad} problems, ${summary.warnings} warnings.`]);
  return summary.bad === 0 ? exitCodes.ok.code : exitCodes.failure.code;
}

async function* examine(context: CommandContext): AsyncGenerator<Finding, void, void> {
  const { machine, clock, files, network } = context.world;
  const { signal } = context;
  yield checkRuntime(machine);
  yield await checkOpenFiles(machine);
  yield await checkClock(machine, clock);
  const { findings, loaded } = checkSettings(context);
  yield* findings;
  if (loaded === undefined) return;
  yield* await checkDirectories(files, loaded.config);
  const daemon = await checkDaemon(context.controlClient(), signal);
  yield daemon.finding;
  yield* await checkPorts(network, loaded.config, daemon.status);
  if (isWithoutTracker(context, loaded, daemon.status !== undefined)) return;
  yield* await checkTrackers(context.client(), signal);
}

/** While no daemon runs its own tracker cannot answer. */
function isWithoutTracker(
  context: CommandContext,
  { config }: LoadedConfig,
  isRunning: boolean,
): boolean {
  const isNamed = context.arguments.has("tracker") || config.storage.trackers.length > 0;
  return !isNamed && !isRunning;
}

/** Names that the command line itself reads from the environment. */
const ownVariables = ["CAIRN_TRACKERS", "CAIRN_CONFIG", "CAIRN_SOCKET"];

function checkSettings(context: CommandContext): {
  readonly findings: readonly Finding[];
  readonly loaded: LoadedConfig | undefined;
} {
  const check = "settings";
  try {
    const loaded = context.parts.loadConfig(context.configRequest);
    const warnings = loaded.warnings
      .filter(({ source }) => !ownVariables.some((name) => source === `environment ${name}`))
      .map((problem): Finding => ({ check, verdict: "warning", finding: formatProblem(problem) }));
    const sources = new Set([...loaded.origins.values()].map((origin) => origin.source));
    sources.delete("built-in");
    const from = sources.size === 0 ? "all built in" : `from ${[...sources].sort().join(", ")}`;
    return {
      findings: [{ check, verdict: "good", finding: `valid, ${from}` }, ...warnings],
      loaded,
    };
  } catch (error) {
    return { findings: problemsOf(error), loaded: undefined };
  }
}

function problemsOf(error: unknown): readonly Finding[] {
  const problems = error instanceof AppError ? error.details.problems : undefined;
  const advice =
    "correct them; cairn config show --local --origin shows where each value comes from";
  if (!Array.isArray(problems)) {
    return [{ check: "settings", verdict: "bad", finding: describeError(error), advice }];
  }
  return problems.map((problem: ConfigProblem) => ({
    check: "settings",
    verdict: "bad",
    finding: formatProblem(problem),
  }));
}

function findingLines(finding: Finding, style: Style): readonly string[] {
  const marks: Readonly<Record<Verdict, string>> = {
    good: style.good("ok      "),
    warning: style.warning("warning "),
    bad: style.bad("PROBLEM "),
    unknown: style.dim("-       "),
  };
  const first = `${marks[finding.verdict]} ${finding.check}: ${finding.finding}`;
  return finding.advice === undefined ? [first] : [first, `${" ".repeat(9)}${finding.advice}`];
}

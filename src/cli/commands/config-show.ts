/** `cairn config show`: the settings, and where each comes from. */
import { hasCode } from "#base/app-error.ts";
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { type Column, renderTable } from "#cli/render/table.ts";
import { describeConfig, formatRowValue } from "#config/describe-config.ts";
import { type ShownSetting, showConfig } from "#control/operations/system.ts";

export const configShowCommand: Command = {
  name: "config show",
  summary: "show the settings, and where each comes from",
  description: [
    "Shows what the running daemon uses. When none answers, or with --local, it shows what a daemon started here would use: built-in values, settings file, drop-ins in conf.d beside it, environment, --set, the later winning. Secrets are not shown.",
  ],
  positionals: [
    { name: "SECTION", says: "only settings that begin so, such as storage", required: false },
  ],
  options: [
    { name: "origin", says: "with the place that each value comes from" },
    { name: "changed", says: "only those that are not built in" },
    { name: "local", says: "do not ask the daemon" },
  ],
  shared: ["json", "config", "socket", "set"],
  examples: [
    { line: "cairn config show --origin --changed", says: "what somebody has set, and where" },
    { line: "cairn config show storage.port", says: "prints storage.port = 23000" },
  ],
  run: async (context) => {
    const { output, arguments: given } = context;
    const [section] = given.positionals;
    const { settings, fromDaemon } = await loadSettings(context);
    const shown = settings.filter(
      (one) =>
        (section === undefined || isWithin(one.key, section)) &&
        (!given.has("changed") || one.origin !== "built-in"),
    );
    if (output.json) {
      await output.value({ fromDaemon, settings: shown });
      return undefined;
    }
    await output.lines(
      given.has("origin")
        ? renderTable(shown, originColumns)
        : shown.map((one) => `${one.key} = ${one.value}`),
    );
    return undefined;
  },
};

const originColumns: readonly Column<ShownSetting>[] = [
  { heading: "SETTING", text: (one) => one.key },
  { heading: "VALUE", text: (one) => one.value },
  { heading: "FROM", text: (one) => one.origin },
];

interface Settings {
  readonly settings: readonly ShownSetting[];
  readonly fromDaemon: boolean;
}

async function loadSettings(context: CommandContext): Promise<Settings> {
  const { arguments: given, output, signal } = context;
  if (given.has("local") || given.has("set")) return localSettings(context);
  const client = context.controlClient();
  try {
    return { ...(await client.ask(showConfig, {}, signal)), fromDaemon: true };
  } catch (error) {
    if (!hasCode(error, "daemon-unreachable")) throw error;
    output.note(`no daemon answers at ${client.path}; these are the settings of the files here`);
    return localSettings(context);
  }
}

function localSettings(context: CommandContext): Settings {
  const { config, origins } = context.parts.loadConfig(context.configRequest);
  const settings = describeConfig(config, origins).map((row) => ({
    key: row.key,
    value: formatRowValue(row),
    origin: row.origin,
    unit: row.unit,
    applies: row.applies,
    says: row.says,
  }));
  return { settings, fromDaemon: false };
}

/** `storage` has `storage.port`, `storage.path` has `storage.path[0].directory`, `storage.port` has itself. */
function isWithin(key: string, section: string): boolean {
  return key === section || key.startsWith(`${section}.`) || key.startsWith(`${section}[`);
}

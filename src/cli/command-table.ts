/** Every command, in the order of the overview. The only list of them. */
import type { Command, CommandGroup } from "#cli/command.ts";
import { appendCommand, modifyCommand } from "#cli/commands/append.ts";
import { benchCommand } from "#cli/commands/bench.ts";
import { completionCommand } from "#cli/commands/completion.ts";
import { configShowCommand } from "#cli/commands/config-show.ts";
import { doctorCommand } from "#cli/commands/doctor.ts";
import { getCommand } from "#cli/commands/get.ts";
import { helpCommand } from "#cli/commands/help.ts";
import { idCommand } from "#cli/commands/id.ts";
import { importConfCommand } from "#cli/commands/import-conf.ts";
import { infoCommand } from "#cli/commands/info.ts";
import { logLevelCommand } from "#cli/commands/log-level.ts";
import {
  locateCommand,
  lsCommand,
  lsGroupsCommand,
  lsStoragesCommand,
  lsTrackersCommand,
} from "#cli/commands/ls.ts";
import {
  metaClearCommand,
  metaGetCommand,
  metaMergeCommand,
  metaSetCommand,
} from "#cli/commands/meta.ts";
import { putCommand } from "#cli/commands/put.ts";
import { regenerateCommand } from "#cli/commands/regenerate.ts";
import { rmCommand } from "#cli/commands/rm.ts";
import { serveCommand } from "#cli/commands/serve.ts";
import { statusCommand } from "#cli/commands/status.ts";
import { truncateCommand } from "#cli/commands/truncate.ts";
import { versionCommand } from "#cli/commands/version.ts";

export const commandGroups: readonly CommandGroup[] = [
  { heading: "Files", commands: [putCommand, getCommand, rmCommand, infoCommand, idCommand] },
  {
    heading: "Metadata",
    commands: [metaGetCommand, metaSetCommand, metaMergeCommand, metaClearCommand],
  },
  {
    heading: "Appender files",
    commands: [appendCommand, modifyCommand, truncateCommand, regenerateCommand],
  },
  {
    heading: "The cluster",
    commands: [
      lsCommand,
      lsGroupsCommand,
      lsStoragesCommand,
      lsTrackersCommand,
      locateCommand,
      benchCommand,
    ],
  },
  {
    heading: "The node",
    commands: [
      serveCommand,
      statusCommand,
      configShowCommand,
      logLevelCommand,
      doctorCommand,
      importConfCommand,
    ],
  },
  { heading: "Others", commands: [completionCommand, versionCommand, helpCommand] },
];

export const commands: readonly Command[] = commandGroups.flatMap((group) => group.commands);

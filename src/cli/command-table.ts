/** Every command, in the order of the overview. The only list of them. */
import type { Command, CommandGroup } from "#cli/command.ts";
import { appendCommand, modifyCommand } from "#cli/commands/append.ts";
import { benchCommand } from "#cli/commands/bench.ts";
import { completionCommand } from "#cli/commands/completion.ts";
import { configShowCommand } from "#cli/commands/config-show.ts";
import { diskAddCommand, diskEjectCommand } from "#cli/commands/disk-add.ts";
import { diskLocateCommand, diskSmartCommand } from "#cli/commands/disk-health.ts";
import { diskImportCommand, diskImportsCommand } from "#cli/commands/disk-import.ts";
import {
  diskDrainCommand,
  diskMovesCommand,
  diskRetireCommand,
  disksRebalanceCommand,
  diskUndrainCommand,
} from "#cli/commands/disk-moves.ts";
import {
  diskAdoptCommand,
  diskFoundCommand,
  diskRestoreCommand,
} from "#cli/commands/disk-ownership.ts";
import { diskReplaceCommand } from "#cli/commands/disk-replace.ts";
import { diskShowCommand, disksCommand } from "#cli/commands/disks.ts";
import { doctorCommand } from "#cli/commands/doctor.ts";
import { getCommand } from "#cli/commands/get.ts";
import { helpCommand } from "#cli/commands/help.ts";
import { helperCommand } from "#cli/commands/helper.ts";
import { idCommand } from "#cli/commands/id.ts";
import { importCommand } from "#cli/commands/import.ts";
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
import { packingRebuildCommand } from "#cli/commands/packing-rebuild.ts";
import { probeCommand } from "#cli/commands/probe.ts";
import { putCommand } from "#cli/commands/put.ts";
import { receiptCommand } from "#cli/commands/receipt.ts";
import { regenerateCommand } from "#cli/commands/regenerate.ts";
import { rmCommand } from "#cli/commands/rm.ts";
import {
  scrubCommand,
  scrubPauseCommand,
  scrubReportCommand,
  scrubResumeCommand,
  scrubStopCommand,
} from "#cli/commands/scrub.ts";
import { serveCommand } from "#cli/commands/serve.ts";
import { statusCommand } from "#cli/commands/status.ts";
import { storageRemoveCommand, storageTrunkServerCommand } from "#cli/commands/storage.ts";
import { truncateCommand } from "#cli/commands/truncate.ts";
import { verifyPeersCommand } from "#cli/commands/verify-peers.ts";
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
      storageRemoveCommand,
      storageTrunkServerCommand,
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
      packingRebuildCommand,
      verifyPeersCommand,
      scrubCommand,
      scrubReportCommand,
      scrubPauseCommand,
      scrubResumeCommand,
      scrubStopCommand,
      receiptCommand,
      doctorCommand,
      importConfCommand,
    ],
  },
  {
    heading: "The disks",
    commands: [
      disksCommand,
      diskShowCommand,
      diskAddCommand,
      diskEjectCommand,
      diskRetireCommand,
      diskReplaceCommand,
      diskDrainCommand,
      diskUndrainCommand,
      diskMovesCommand,
      disksRebalanceCommand,
      diskSmartCommand,
      diskLocateCommand,
      diskFoundCommand,
      diskAdoptCommand,
      diskImportCommand,
      diskImportsCommand,
      diskRestoreCommand,
    ],
  },
  { heading: "Others", commands: [completionCommand, versionCommand, helpCommand] },
];

export const commands: readonly Command[] = commandGroups.flatMap((group) => group.commands);

/** What processes of ours start, and people do not: help and completion do not offer them. */
export const internalCommands: readonly Command[] = [probeCommand, helperCommand, importCommand];

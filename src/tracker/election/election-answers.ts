/** What an election asks of the rest of the tracker, and tells it. Main thread. */
import type { ElectionParts } from "#tracker/election/election.ts";
import { placementOf } from "#tracker/handlers/cluster.ts";
import { importSystemFiles } from "#tracker/system-files-import.ts";
import type { TrackerCore } from "#tracker/tracker-core.ts";
import { raiseFileId } from "#tracker/trunk-lease.ts";

/** `core` is asked for when it is complete. */
export function electionAnswers(
  core: () => TrackerCore,
): Pick<
  ElectionParts,
  "placement" | "introduction" | "connections" | "onTrunkServers" | "onGroupsFile"
> {
  return {
    placement: () => placementOf(core()),
    introduction: () => {
      const { startedAt, settings, leadership } = core();
      return { upTime: startedAt, version: settings.wireVersion, port: leadership.ownPort };
    },
    connections: () => {
      const { current, peak } = core().connections();
      return { allocated: peak, current, max: peak };
    },
    onTrunkServers: (groups) => {
      const { registry, writer } = core();
      for (const { group: name, trunkServer } of groups) {
        const group = registry.group(name);
        if (group !== undefined) registry.setTrunkServer(group, trunkServer);
      }
      if (writer.urgent) writer.flush();
    },
    onGroupsFile: (text) => learnFileIds(core(), text),
  };
}

/** The leader gives numbers of trunk files: whoever leads after it must know how far it came. */
function learnFileIds({ registry, writer }: TrackerCore, text: string): void {
  const { saved } = importSystemFiles({
    groups: text,
    storages: "",
    syncTimes: "",
    changelog: "",
    status: "",
  });
  for (const { name, currentTrunkFileId } of saved.groups) {
    const group = registry.group(name);
    if (group !== undefined && raiseFileId(group, currentTrunkFileId)) writer.groupChanged(group);
  }
  if (writer.urgent) writer.flush();
}

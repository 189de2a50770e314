/**
 * What storages of ours say every second (`protocol/peer/report-held.ts`): up to where each holds the files of the others, and that it is
 * there. Whoever says it is one of ours. The answer is that of a beat.
 */
import type { Handlers } from "#net/frame-handlers.ts";
import type { heldReports } from "#protocol/peer/report-held.ts";
import { changesFor } from "#tracker/change-reporter.ts";
import { setDialect } from "#tracker/handlers/trunk-leases.ts";
import { heldColumn } from "#tracker/held-column.ts";
import type { TrackerCore } from "#tracker/tracker-core.ts";
import { invalid, joinedStorage, type TrackerFacts } from "#tracker/tracker-facts.ts";

export function heldReportHandlers(core: TrackerCore): Handlers<typeof heldReports, TrackerFacts> {
  return {
    reportHeld: ({ group: name, id, ownClock, mode, entries }, session) => {
      const storage = joinedStorage(session);
      const { group } = storage;
      if (group.name !== name || storage.id !== id) {
        throw invalid(`${name}/${id} is reported by ${group.name}/${storage.id}`);
      }
      session.facts.saidCairn = true;
      storage.reportsHeld = true;
      setDialect(core, storage, "cairn");
      // First, since a storage that comes back has to tell everything anew.
      core.registry.apply(storage, { name: "alive" });
      storage.held = heldColumn(group, entries, storage.held);
      storage.nameClock = ownClock;
      if (storage.ownMode !== mode) {
        storage.ownMode = mode;
        core.registry.identityChanged(storage);
      }
      return changesFor(storage, session, core.leadership);
    },
  };
}

/** Scripted trackers and reporter stages of one test file, all of which end with each of its tests. */
import { afterEach } from "vitest";
import { type ReporterStage, reporterStage } from "./reporter-stage.ts";
import { ScriptedTracker } from "./scripted-tracker.ts";

export interface ReporterWorld {
  readonly trackers: (count: number) => Promise<ScriptedTracker[]>;
  /** Called at the end of the test, the last one first. */
  readonly atEnd: (clean: () => unknown) => void;
  readonly report: (...given: Parameters<typeof reporterStage>) => ReporterStage;
}

/** To be called once, outside of the tests. */
export function reporterWorld(): ReporterWorld {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean();
  });
  return {
    atEnd: (clean) => {
      cleanups.push(clean);
    },
    trackers: async (count) => {
      const made = Array.from({ length: count }, () => new ScriptedTracker());
      for (const tracker of made) {
        await tracker.start();
        cleanups.push(() => tracker.stop());
      }
      return made;
    },
    report: (...given) => {
      const stage = reporterStage(...given);
      cleanups.push(stage.stop);
      return stage;
    },
  };
}

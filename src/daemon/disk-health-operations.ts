/** What the running node does about the health of a disk when an operator asks. */
import type { OperationHandlers } from "#control/control-bus.ts";
import { controlError } from "#control/errors.ts";
import type { diskHealthOperations, ToldHealth } from "#control/operations/disk-health.ts";
import type { DiskLocator, LocatedDisk } from "#disks/disk-locator.ts";
import type { DiskHealth, DiskHealthReport } from "#disks/health/disk-health.ts";
import { locateLimits } from "#disks/locate.ts";
import type { DiskFacts } from "#model/disk-facts.ts";

export interface HealthOperationParts {
  readonly health: Pick<DiskHealth, "refresh" | "selfTest">;
  readonly locator: Pick<DiskLocator, "begin" | "end">;
  /** Looks for disks that came or went. */
  readonly look: () => Promise<readonly (LocatedDisk & Pick<DiskFacts, "port">)[]>;
  readonly bayOf: (port: string | undefined) => string | undefined;
}

/** `parts` is undefined where nobody looks at disks. */
export function diskHealthHandlers(
  parts: () => HealthOperationParts | undefined,
): OperationHandlers<typeof diskHealthOperations> {
  const present = (): HealthOperationParts => {
    const found = parts();
    if (found !== undefined) return found;
    throw controlError("input-invalid", "this node looks at no disks: it runs in a simulation");
  };
  return {
    readSmart: async ({ disk }) => {
      const { health, bayOf, look } = present();
      await look();
      const report = await health.refresh(disk);
      if (report === undefined) throw noDisk(disk);
      return toldHealth(report, bayOf(report.disk.port));
    },
    selfTest: async ({ disk, test }) => {
      const { health, look } = present();
      await look();
      const refusal = await health.selfTest(disk, test);
      if (refusal === undefined) return { disk };
      throw controlError("input-invalid", `${disk} does not test itself: ${refusal}`);
    },
    locateDisk: async ({ disk, seconds = locateLimits.defaultDurationMs / 1000 }) => {
      const { locator, look, bayOf } = present();
      const found = (await look()).find(({ name }) => name === disk);
      if (found === undefined) throw noDisk(disk);
      const bay = bayOf(found.port);
      if (seconds === 0) {
        locator.end(disk);
        return { disk, bay, by: [], seconds: 0 };
      }
      return { disk, bay, ...(await locator.begin(found, seconds * 1000)) };
    },
  };
}

function toldHealth(report: DiskHealthReport, bay: string | undefined): ToldHealth {
  const { disk, judgement, power, idleSeconds, smart, smartProblem, testing } = report;
  return {
    disk: disk.name,
    model: disk.model,
    serial: disk.serial,
    ...{ bay, judgement, power, idleSeconds, testing },
    smart: smart?.facts,
    toldAt: smart?.at,
    problem: smartProblem,
  };
}

function noDisk(name: string): Error {
  return controlError(
    "input-invalid",
    `there is no disk ${name.slice(0, 40)} whose health is watched: \`cairn disks\` names them`,
  );
}

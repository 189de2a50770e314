/**
 * Who runs smartctl, which needs root: the helper, or the daemon itself where it is root. Main thread; smartctl is a child of either, with a
 * deadline.
 */

import { AppError } from "#base/app-error.ts";
import { isDiskName, type VerbInput, type VerbResult } from "#disks/helper-protocol.ts";
import { maxSmartctlBytes, smartDeadlineMs } from "#disks/smart/limits.ts";
import type { SmartctlEnd } from "#disks/smart/read-smartctl.ts";
import {
  type SmartAction,
  type SmartDeviceType,
  smartctlArguments,
} from "#disks/smart/smartctl-arguments.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import type { Commands } from "#platform/commands.ts";

/** One plugging of one disk. */
export type PluggedDisk = Pick<DiskFacts, "name" | "sequence">;

export interface SmartReader {
  /** Rejects with `AppError`: of `Commands`, of the helper, or `disk-unknown`. */
  run(disk: PluggedDisk, type: SmartDeviceType, action: SmartAction): Promise<SmartctlEnd>;
}

/** For a daemon that is root. */
export function directSmartReader(commands: Commands): SmartReader {
  return {
    run: async ({ name }, type, action) => {
      if (!isDiskName(name)) throw unknownDisk(name);
      const parameters = smartctlArguments(`/dev/${name}`, type, action);
      return await commands.run("smartctl", parameters, {
        deadlineMs: smartDeadlineMs,
        maxOutputBytes: maxSmartctlBytes,
      });
    },
  };
}

/** `ask` is the helper's verb `smart`. */
export function helperSmartReader(
  ask: (input: VerbInput<"smart">) => Promise<VerbResult<"smart">>,
): SmartReader {
  return {
    run: async ({ name, sequence }, type, action) => {
      // The helper compares it, so that never another disk is meant that came under the same name.
      if (!isDiskName(name) || sequence === undefined) throw unknownDisk(name);
      const { code, output } = await ask({ disk: name, sequence, type, action });
      return { code, stdout: output };
    },
  };
}

function unknownDisk(name: string): AppError {
  return new AppError("disk-unknown", `${name.slice(0, 40)} is no disk that could be asked`);
}

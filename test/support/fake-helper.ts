/** A root helper with chosen answers, and a node that gives disks through it. */

import type { AppError } from "#base/app-error.ts";
import { Log } from "#base/log.ts";
import type { AskOptions } from "#disks/helper-client.ts";
import type { Identified, VerbInput, VerbName, VerbResult } from "#disks/helper-protocol.ts";
import { DiskGiving } from "#disks/provision/disk-giving.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { seededRandom } from "./seeded-random.ts";

export class FakeHelper {
  readonly asked: { readonly verb: VerbName; readonly input: object }[] = [];
  identified: Identified = {
    device: { name: "sdb", sequence: 7, model: "Disk", serial: "S1", sizeBytes: 4e12 },
    ...{ signatures: [], otherFindings: [], partitions: [], obstacles: [] },
    ...{ blank: true, readBytes: 4e12, token: "1".repeat(32), expiresInSeconds: 600 },
  };
  /** What `provision` fails with, once. */
  failure: AppError | undefined;

  async ask<V extends VerbName>(
    verb: V,
    input: VerbInput<V>,
    options: AskOptions,
  ): Promise<VerbResult<V>> {
    this.asked.push({ verb, input });
    const answers: Readonly<Record<string, () => unknown>> = {
      identify: () => this.identified,
      read: () => {
        this.identified = { ...this.identified, blank: true };
        return { done: true, blank: true, readBytes: 4e12, sizeBytes: 4e12 };
      },
      provision: () => {
        options.progress?.({ step: "formatting", permille: 300 });
        const { failure } = this;
        this.failure = undefined;
        if (failure !== undefined) throw failure;
        const { action } = input as VerbInput<"provision">;
        return action === "undo" ? {} : { directory: "/srv/cairn/it" };
      },
      eject: () => ({ detached: true }),
    };
    return answers[verb]?.() as VerbResult<V>;
  }
}

export interface GivingStage {
  readonly helper: FakeHelper;
  readonly giving: DiskGiving;
  /** Where disks were mounted that the node was told to serve. */
  readonly placed: string[];
  readonly notes: { text: string | undefined };
}

export function givingStage(
  notes: { text: string | undefined } = { text: undefined },
): GivingStage {
  const helper = new FakeHelper();
  const placed: string[] = [];
  const giving = new DiskGiving({
    ...{ helper, clock: nodeClock, random: seededRandom(1), log: new Log("test", () => {}) },
    readNotes: () => notes.text,
    writeNotes: (text) => {
      notes.text = text;
    },
    passportFor: (diskId, paths) =>
      `passport of ${diskId}${paths === undefined ? "" : ` with ${paths.join(" ")}`}`,
    placed: async (directory) => void placed.push(directory),
    letGo: async () => async () => {},
  });
  return { helper, giving, placed, notes };
}

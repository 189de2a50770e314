/** Operations on the health of disks, and on finding one in a box. Times in Unix seconds. */
import { choice, list, optional, record, text, wholeNumber } from "#base/schema.ts";
import { type OutputOf, operation } from "#control/operation.ts";
import { diskJudgement } from "#model/disk-verdict.ts";
import { smartFacts } from "#model/smart-facts.ts";

const word = text({ maxLength: 300 });
const sentence = text({ maxLength: 4000 });
/** As `disks.list` names it: `sda`. */
const disk = word;

/** What a disk tells of its health. */
export const readSmart = operation({
  name: "disks.smart",
  says: "What a disk tells of its health (SMART), asked now, with the verdict on it and the reasons. A disk that sleeps is not woken: it answers what it told last.",
  access: "viewer",
  effect: "read",
  input: record({ disk }),
  output: record({
    disk,
    model: optional(word),
    serial: optional(word),
    /** On this board, where it has a name for the place. */
    bay: optional(word),
    judgement: diskJudgement,
    power: choice("awake", "asleep", "unknown"),
    /** For which nothing was asked of it. */
    idleSeconds: wholeNumber(),
    /** Left out where it never told anything. */
    smart: optional(smartFacts),
    toldAt: optional(wholeNumber()),
    /** Why it tells nothing. */
    problem: optional(sentence),
    /** The self-test that this node has it do. */
    testing: optional(choice("short", "long")),
  }),
});

/** Has a disk test itself. */
export const selfTest = operation({
  name: "disks.selfTest",
  says: "Has a disk test itself, while it serves more slowly: short takes minutes, long hours; or ends the test. How far it is, and what it found, is in disks.smart.",
  access: "operator",
  effect: "change",
  input: record({ disk, test: choice("short", "long", "abort") }),
  output: record({ disk }),
});

/** Has a disk show where it is. */
export const locateDisk = operation({
  name: "disks.locate",
  says: "Has a disk show where it is for a while: by the LED of its slot where there is one, and by reads that make its activity LED blink, three short and a pause. 0 seconds end that. It wakes the disk.",
  access: "operator",
  effect: "change",
  input: record({ disk, seconds: optional(wholeNumber({ max: 300 })) }),
  output: record({
    disk,
    bay: optional(word),
    /** `enclosure`, `ledctl`, `reads`; none where it was ended. */
    by: list(word, { max: 8 }),
    seconds: wholeNumber(),
  }),
});

export const diskHealthOperations = { readSmart, selfTest, locateDisk } as const;

export type ToldHealth = OutputOf<typeof readSmart>;
export type Located = OutputOf<typeof locateDisk>;

/** `cairn disk smart` and `cairn disk locate`: how a disk is, and where. */
import type { Command } from "#cli/command.ts";
import type { CommandContext } from "#cli/command-context.ts";
import { findDisk } from "#cli/commands/disks.ts";
import { usageError } from "#cli/parse-arguments.ts";
import type { Style } from "#cli/render/style.ts";
import { type Column, renderFacts, renderTable } from "#cli/render/table.ts";
import { readableDuration, readableTime } from "#cli/render/units.ts";
import {
  locateDisk,
  readSmart,
  selfTest,
  type ToldHealth,
} from "#control/operations/disk-health.ts";
import { listDisks } from "#control/operations/disks.ts";
import type { DiskVerdict } from "#model/disk-verdict.ts";
import type { SelfTestResult, SmartAttribute, SmartFacts } from "#model/smart-facts.ts";
import { nowSeconds } from "#platform/clock.ts";

const tests = ["short", "long", "abort"] as const;

export const diskSmartCommand: Command = {
  name: "disk smart",
  summary: "show how a disk is, or have it test itself",
  description: [
    "Asks the disk now (SMART), and shows what the node thinks of it, why, and what to do. A disk that sleeps is not woken: then it is what it told last.",
    "A self-test reads within the disk while it serves, more slowly: short takes some minutes, long some hours. The node has each disk do both from time to time (disks.short_test_interval, disks.long_test_interval).",
  ],
  positionals: [{ name: "DISK", says: "its name, serial or id", required: true }],
  options: [
    {
      name: "test",
      value: "WHICH",
      says: "begin a short or long self-test, or abort",
      complete: tests,
    },
  ],
  shared: ["json", "config", "socket"],
  examples: [
    { line: "cairn disk smart sda", says: "verdict, reasons, and what the disk tells" },
    { line: "cairn disk smart sda --test long", says: "begins a test of the whole disk" },
  ],
  run: async (context) => {
    const { output, signal } = context;
    const wanted = context.arguments.value("test");
    const test = tests.find((each) => each === wanted);
    if (wanted !== undefined && test === undefined) {
      throw usageError(`"${wanted}" is no test: say short, long or abort`);
    }
    const disk = await named(context);
    const client = context.controlClient();
    if (test !== undefined) {
      await client.ask(selfTest, { disk, test }, signal);
      output.note(test === "abort" ? "the self-test was ended" : `a ${test} self-test has begun`);
    }
    const told = await client.ask(readSmart, { disk }, signal);
    if (output.json) await output.value(told);
    else await output.lines(healthLines(told, output.style, nowSeconds(context.world.clock)));
    return undefined;
  },
};

export const diskLocateCommand: Command = {
  name: "disk locate",
  summary: "have a disk show where it is",
  description: [
    "Switches the LED of its slot on where there is one, and has the activity LED of the disk blink by harmless reads: three short, and a pause. It ends by itself, or with --stop. A disk that sleeps is woken; one that works hard blinks less clearly.",
  ],
  positionals: [{ name: "DISK", says: "its name, serial or id", required: true }],
  options: [
    { name: "seconds", value: "N", says: "for how long, 1 to 300; else 30" },
    { name: "stop", says: "it was found" },
  ],
  shared: ["json", "config", "socket"],
  examples: [{ line: "cairn disk locate sda", says: "look at the box for half a minute" }],
  run: async (context) => {
    const { output, signal } = context;
    const seconds = context.arguments.has("stop")
      ? 0
      : secondsOf(context.arguments.value("seconds"));
    const disk = await named(context);
    const found = await context.controlClient().ask(locateDisk, { disk, seconds }, signal);
    if (output.json) await output.value(found);
    else await output.lines([locatedWords(found)]);
    return undefined;
  },
};

async function named(context: CommandContext): Promise<string> {
  const { disks } = await context.controlClient().ask(listDisks, {}, context.signal);
  return findDisk(context.positional(0), disks).name;
}

function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= 300) return seconds;
  throw usageError(`"${text}" is no number of seconds from 1 to 300`);
}

function locatedWords(found: {
  readonly disk: string;
  readonly bay?: string | undefined;
  readonly by: readonly string[];
  readonly seconds: number;
}): string {
  const where = found.bay === undefined ? found.disk : `${found.disk} (${found.bay})`;
  if (found.seconds === 0) return `${where} does not show itself any more`;
  const ways = found.by.map((way) =>
    way === "reads" ? "blinks, three short and a pause" : "has the LED of its slot on",
  );
  return `${where} ${ways.join(" and ")}, for ${readableDuration(found.seconds)}`;
}

function healthLines(told: ToldHealth, style: Style, now: number): readonly string[] {
  const { judgement, smart } = told;
  const lines = [
    ...renderFacts(
      told.smart === undefined
        ? factsOf(told, style, now)
        : [...factsOf(told, style, now), ...smartLines(told.smart)],
    ),
  ];
  for (const { grade, reason, advice, since } of judgement.findings) {
    lines.push("", `${gradeWord(grade, style)}  ${reason}`, `  ${advice}`);
    lines.push(`  since ${readableTime(since)}`);
  }
  if (smart !== undefined && smart.attributes.length > 0) {
    lines.push("", ...renderTable(smart.attributes, attributeColumns(style)));
  }
  if (smart !== undefined && smart.selfTests.length > 0) {
    lines.push("", ...renderTable(smart.selfTests, testColumns(style)));
  }
  return lines;
}

type Facts = readonly (readonly [string, string])[];

function factsOf(told: ToldHealth, style: Style, now: number): Facts {
  const { judgement, power, toldAt } = told;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["disk", told.disk],
    ["place", told.bay],
    ["model", told.model],
    ["serial", told.serial],
    ["verdict", gradeWord(judgement.verdict, style)],
    ["since", readableTime(judgement.since)],
    ["sleeps", power === "asleep" ? "yes, and is not woken" : undefined],
    ["told", toldAt === undefined ? "never" : `${readableDuration(Math.max(0, now - toldAt))} ago`],
    ["does not tell", told.problem],
    ["tests itself", told.testing],
  ];
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

const countWords: readonly (readonly [keyof SmartFacts, string])[] = [
  ["reallocated", "replaced sectors"],
  ["pending", "unreadable sectors"],
  ["offlineUncorrectable", "found unreadable"],
  ["uncorrectable", "uncorrected errors"],
  ["timeouts", "commands too late"],
  ["transferErrors", "broken transfers"],
  ["mediaErrors", "errors on the medium"],
];

function smartLines(smart: SmartFacts): Facts {
  const { powerOnHours: hours, temperatureCelsius: celsius, wearPercent, sparePercent } = smart;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["own judgement", smart.passed === undefined ? undefined : smart.passed ? "passed" : "failed"],
    ["temperature", celsius === undefined ? undefined : `${celsius} °C`],
    ["was on for", hours === undefined ? undefined : readableDuration(hours * 3600)],
    ...countWords.map(([name, words]) => {
      const count = smart[name];
      return [words, typeof count === "number" ? String(count) : undefined] as const;
    }),
    ["wear", wearPercent === undefined ? undefined : `${wearPercent} %`],
    ["spare blocks", sparePercent === undefined ? undefined : `${sparePercent} %`],
    ["alarms", smart.warnings.join(" ") || undefined],
    [
      "self-test",
      smart.selfTestRemainingPercent === undefined
        ? undefined
        : `under way, ${smart.selfTestRemainingPercent} % left`,
    ],
  ];
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

function gradeWord(verdict: DiskVerdict, style: Style): string {
  if (verdict === "ok") return style.good(verdict);
  return verdict === "watch" ? style.warning(verdict) : style.bad(verdict);
}

function attributeColumns(style: Style): readonly Column<SmartAttribute>[] {
  return [
    { heading: "ID", text: ({ id }) => String(id), right: true },
    { heading: "ATTRIBUTE", text: ({ name }) => name },
    { heading: "VALUE", text: ({ value }) => String(value ?? "-"), right: true },
    { heading: "WORST", text: ({ worst }) => String(worst ?? "-"), right: true },
    { heading: "LIMIT", text: ({ threshold }) => String(threshold ?? "-"), right: true },
    { heading: "RAW", text: ({ raw }) => raw },
    {
      heading: "AT ITS LIMIT",
      text: ({ failed }) => (failed === "now" ? style.bad("now") : (failed ?? "-")),
    },
  ];
}

function testColumns(style: Style): readonly Column<SelfTestResult>[] {
  return [
    { heading: "SELF-TEST", text: ({ kind }) => kind },
    {
      heading: "RESULT",
      text: ({ result }) => (result === "failed" ? style.bad(result) : result),
    },
    {
      heading: "AT",
      text: ({ atHours }) => (atHours === undefined ? "-" : `${atHours} h`),
      right: true,
    },
    { heading: "IN ITS WORDS", text: ({ words }) => words },
  ];
}

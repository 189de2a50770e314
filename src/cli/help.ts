/** Help texts, made of the declarations of the commands. Pure. */
import {
  type Command,
  type CommandGroup,
  type OptionSpec,
  sharedOptions,
  universalOptions,
} from "#cli/command.ts";
import { exitCodes } from "#cli/exit-codes.ts";
import { nearestWord } from "#cli/nearest-word.ts";
import { findCommand, usageError } from "#cli/parse-arguments.ts";
import type { Style } from "#cli/render/style.ts";
import { renderFacts } from "#cli/render/table.ts";

const columns = 100;
const topics = ["exit-codes", "environment"] as const;

export interface HelpParts {
  readonly groups: readonly CommandGroup[];
  readonly style: Style;
}

/** Of everything, of a family, of a command, or of a topic. Throws `usage` for words that are none. */
export function helpLines(words: readonly string[], parts: HelpParts): readonly string[] {
  const commands = parts.groups.flatMap((group) => group.commands);
  const [first] = words;
  if (first === undefined) return overview(parts);
  if (first === "exit-codes") return exitCodeHelp();
  if (first === "environment") return environmentHelp();
  const command = findCommand(words, commands);
  if (command !== undefined) return commandHelp(command, parts.style);
  const family = commands.filter((one) => one.name.startsWith(`${first} `));
  if (family.length > 0) return [...listOf(family), "", "More: cairn help COMMAND"];
  const names = commands.map((one) => one.name);
  const near = nearestWord(first, [...names, ...topics]);
  const guess = near === undefined ? "see cairn help" : `did you mean ${near}?`;
  throw usageError(`there is no help on "${first}"; ${guess}`);
}

function overview({ groups, style }: HelpParts): readonly string[] {
  const lines = [
    "cairn - a FastDFS-compatible storage appliance, and a client for any FastDFS cluster",
    "",
    `Usage: ${style.bold("cairn COMMAND [options] [arguments]")}`,
  ];
  for (const group of groups) {
    lines.push("", style.bold(group.heading), ...listOf(group.commands));
  }
  return [
    ...lines,
    "",
    "cairn help COMMAND says more, also cairn help exit-codes and cairn help environment.",
  ];
}

function listOf(commands: readonly Command[]): readonly string[] {
  return indent(renderFacts(commands.map((one) => [one.name, one.summary] as const)));
}

function commandHelp(command: Command, style: Style): readonly string[] {
  const lines = [
    `cairn ${command.name} - ${command.summary}`,
    "",
    `Usage: ${style.bold(usageOf(command))}`,
    "",
    ...command.description.flatMap((paragraph, at) => [
      ...(at === 0 ? [] : [""]),
      ...wrapText(paragraph, columns - 2).map((line) => `  ${line}`),
    ]),
  ];
  if (command.positionals.length > 0) {
    const facts = command.positionals.map((one) => [one.name, one.says] as const);
    lines.push("", style.bold("Arguments"), ...wrapFacts(facts));
  }
  const shared = command.shared.map((name) => sharedOptions[name]);
  const options = [...command.options, ...shared, ...universalOptions];
  const facts = options.map((option) => [formatOption(option), option.says] as const);
  lines.push("", style.bold("Options"), ...wrapFacts(facts));
  if (command.examples.length > 0) {
    lines.push("", style.bold("Examples"));
    for (const example of command.examples) {
      lines.push(`  ${example.line}`, `      ${example.says}`);
    }
  }
  return lines;
}

/** `cairn put [options] FILE...` */
export function usageOf(command: Command): string {
  const positionals = command.positionals.map((spec) => {
    const name = spec.repeatable === true ? `${spec.name}...` : spec.name;
    return spec.required ? name : `[${name}]`;
  });
  return ["cairn", command.name, "[options]", ...positionals].join(" ");
}

function formatOption(option: OptionSpec): string {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  const value = option.value === undefined ? "" : ` ${option.value}`;
  return `${short}--${option.name}${value}${option.repeatable === true ? " ..." : ""}`;
}

function exitCodeHelp(): readonly string[] {
  const rows = Object.values(exitCodes).map(({ code, says }) => [String(code), says] as const);
  return [
    "Exit codes of every command but serve, whose codes are sysexits (64 usage, 69 unavailable,",
    "70 internal, 73 cannot create, 74 I/O, 75 temporary, 77 not permitted, 78 settings):",
    "",
    ...wrapFacts(rows),
    "",
    "A command that works on several files does all it can; when they failed in different ways,",
    "its code is 1.",
  ];
}

function environmentHelp(): readonly string[] {
  return [
    "Environment variables:",
    "",
    ...wrapFacts([
      ["CAIRN_TRACKERS", "trackers to ask where --tracker is not given; commas between"],
      ["CAIRN_CONFIG", "the settings file where --config is not given"],
      ["CAIRN_SOCKET", "the daemon's control socket where --socket is not given"],
      ["CAIRN_SECTION_KEY", "any setting, such as CAIRN_STORAGE_PORT for storage.port"],
      ["NO_COLOR", "when not empty: no colours"],
      ["TMPDIR", "where put keeps what comes from standard input until it is stored"],
    ]),
  ];
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}

/** Names with sentences beside them, wrapped to the width. */
function wrapFacts(facts: readonly (readonly [string, string])[]): readonly string[] {
  const widest = Math.max(...facts.map(([name]) => name.length));
  return facts.flatMap(([name, says]) => {
    const [first = "", ...rest] = wrapText(says, columns - widest - 4);
    const margin = " ".repeat(widest + 4);
    return [`  ${name.padEnd(widest)}  ${first}`, ...rest.map((line) => margin + line)];
  });
}

/** Lines of at most `width` characters; words longer than that stay whole. */
export function wrapText(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length > width && line !== "") {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

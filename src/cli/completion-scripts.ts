/** Completion scripts for shells, made of the declarations of the commands: everything they offer exists. Pure. */
import {
  type Command,
  type Completion,
  type OptionSpec,
  optionsOf,
  type PositionalSpec,
} from "#cli/command.ts";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

export function isShell(text: string): text is Shell {
  return shells.some((shell) => shell === text);
}

/** The script's lines. */
export function completionScript(shell: Shell, commands: readonly Command[]): readonly string[] {
  switch (shell) {
    case "bash":
      return bashScript(commands);
    case "zsh":
      return zshScript(commands);
    case "fish":
      return fishScript(commands);
  }
}

/** First words, and those that may follow a first word. */
function wordsOf(commands: readonly Command[]): ReadonlyMap<string, readonly string[]> {
  const words = new Map<string, string[]>();
  for (const { name } of commands) {
    const [first = "", second] = name.split(" ");
    const seconds = words.get(first) ?? [];
    if (second !== undefined) seconds.push(second);
    words.set(first, seconds);
  }
  return words;
}

function longOptions(command: Command): readonly string[] {
  return optionsOf(command).map((option) => `--${option.name}`);
}

function completionOf(command: Command): Completion | undefined {
  return command.positionals.find((spec) => spec.complete !== undefined)?.complete;
}

const unfinished = "\\";

function bashScript(commands: readonly Command[]): readonly string[] {
  const words = wordsOf(commands);
  const valued = new Set<string>();
  for (const option of commands.flatMap(optionsOf)) {
    if (option.value === undefined) continue;
    valued.add(`--${option.name}`);
    if (option.short !== undefined) valued.add(`-${option.short}`);
  }
  const seconds = [...words].filter(([, following]) => following.length > 0);
  return [
    "# bash completion for cairn, made by: cairn completion bash",
    "_cairn() {",
    `  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"`,
    '  local first="" second="" word at skip=0',
    "  COMPREPLY=()",
    "  for ((at = 1; at < COMP_CWORD; at++)); do",
    `    word="\${COMP_WORDS[at]}"`,
    "    if ((skip)); then skip=0; continue; fi",
    '    case "$word" in',
    `      ${[...valued].join("|")}) skip=1 ;;`,
    "      -*) ;;",
    '      *) if [[ -z $first ]]; then first="$word"; elif [[ -z $second ]]; then second="$word"; fi ;;',
    "    esac",
    "  done",
    '  case "$previous" in',
    ...fileOptions(commands).map(
      (options) => `    ${options}) COMPREPLY=($(compgen -f -- "$current")); return ;;`,
    ),
    `    ${[...valued].join("|")}) return ;;`,
    "  esac",
    "  if [[ -z $first ]]; then",
    `    COMPREPLY=($(compgen -W "${[...words.keys()].join(" ")}" -- "$current")); return`,
    "  fi",
    ...seconds.flatMap(([first, following]) => [
      `  if [[ $first == ${first} && -z $second && $current != -* ]]; then`,
      `    COMPREPLY=($(compgen -W "${following.join(" ")}" -- "$current")); return`,
      "  fi",
    ]),
    '  case "$first $second" in',
    ...commands.flatMap(bashCase),
    "  esac",
    "}",
    "complete -o filenames -F _cairn cairn",
  ];
}

/** Options whose value is a file, as a pattern; none or one line. */
function fileOptions(commands: readonly Command[]): readonly string[] {
  const names = commands
    .flatMap(optionsOf)
    .filter((option) => option.complete === "file" || option.complete === "directory")
    .flatMap((option) => [
      `--${option.name}`,
      ...(option.short === undefined ? [] : [`-${option.short}`]),
    ]);
  return names.length === 0 ? [] : [[...new Set(names)].join("|")];
}

function bashCase(command: Command): readonly string[] {
  const pattern = command.name.includes(" ") ? `"${command.name}"` : `"${command.name} "*`;
  const offers = [...longOptions(command)];
  const positional = completionOf(command);
  const words = Array.isArray(positional) ? (positional as readonly string[]) : [];
  const files = positional === "file" || positional === "directory";
  const fileCall = files ? ' COMPREPLY+=($(compgen -f -- "$current"));' : "";
  return [
    `    ${pattern})`,
    `      if [[ $current == -* ]]; then COMPREPLY=($(compgen -W "${offers.join(" ")}" -- "$current"));`,
    `      else COMPREPLY=($(compgen -W "${words.join(" ")}" -- "$current"));${fileCall} fi ;;`,
  ];
}

function zshScript(commands: readonly Command[]): readonly string[] {
  const words = wordsOf(commands);
  const summaries = [...words.keys()].map((first) => {
    const command = commands.find((one) => one.name === first);
    return zshQuote(`${first}:${command?.summary ?? `${first} commands`}`);
  });
  return [
    "#compdef cairn",
    "# zsh completion for cairn, made by: cairn completion zsh",
    "_cairn() {",
    "  local -a words_of",
    "  if ((CURRENT == 2)); then",
    `    words_of=(${summaries.join(" ")})`,
    "    _describe command words_of",
    "    return",
    "  fi",
    "  if ((CURRENT == 3)); then",
    '    case "$words[2]" in',
    ...[...words]
      .filter(([, following]) => following.length > 0)
      .flatMap(([first, following]) => [
        `      ${first})`,
        `        words_of=(${following.map((word) => zshQuote(secondWord(commands, first, word))).join(" ")})`,
        "        [[ $words[3] == -* ]] || { _describe command words_of; return } ;;",
      ]),
    "    esac",
    "  fi",
    '  case "$words[2] $words[3]" in',
    ...commands
      .toSorted((one, other) => wordCount(other) - wordCount(one))
      .flatMap((command) => zshCase(command)),
    "  esac",
    "}",
    '_cairn "$@"',
  ];
}

function wordCount(command: Command): number {
  return command.name.split(" ").length;
}

function secondWord(commands: readonly Command[], first: string, second: string): string {
  const command = commands.find((one) => one.name === `${first} ${second}`);
  return `${second}:${command?.summary ?? ""}`;
}

function zshCase(command: Command): readonly string[] {
  const pattern = command.name.includes(" ") ? `"${command.name}"` : `"${command.name} "*`;
  const before = wordCount(command);
  const specs = [...optionsOf(command).flatMap(zshOption), ...zshPositionals(command)];
  return [
    `    ${pattern})`,
    `      shift ${before} words; ((CURRENT -= ${before}))`,
    `      _arguments ${unfinished}`,
    ...specs.map(
      (spec, at) =>
        `        ${zshQuote(spec)}${at === specs.length - 1 ? " ;;" : ` ${unfinished}`}`,
    ),
  ];
}

function zshOption(option: OptionSpec): readonly string[] {
  const says = option.says.replaceAll("[", "(").replaceAll("]", ")").replaceAll(":", "\\:");
  const value =
    option.value === undefined
      ? ""
      : `:${option.value.replaceAll(":", "\\:")}:${zshAction(option.complete)}`;
  const repeat = option.repeatable === true ? "*" : "";
  const names = [`--${option.name}`, ...(option.short === undefined ? [] : [`-${option.short}`])];
  return names.map((name) => `${repeat}${name}[${says}]${value}`);
}

function zshPositionals(command: Command): readonly string[] {
  return command.positionals.map((spec: PositionalSpec, at) => {
    const place = spec.repeatable === true ? "*" : String(at + 1);
    const optional = spec.required || spec.repeatable === true ? "" : ":";
    return `${place}:${optional}${spec.name}:${zshAction(spec.complete)}`;
  });
}

function zshAction(complete: Completion | undefined): string {
  if (complete === "file") return "_files";
  if (complete === "directory") return "_files -/";
  return complete === undefined ? "" : `(${complete.join(" ")})`;
}

function zshQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishScript(commands: readonly Command[]): readonly string[] {
  const words = wordsOf(commands);
  const firsts = [...words.keys()];
  const lines = [
    "# fish completion for cairn, made by: cairn completion fish",
    "complete -c cairn -f",
  ];
  for (const first of firsts) {
    const command = commands.find((one) => one.name === first);
    const says = fishQuote(command?.summary ?? `${first} commands`);
    lines.push(`complete -c cairn -n __fish_use_subcommand -a ${first} -d ${says}`);
  }
  for (const command of commands) {
    const [first = "", second] = command.name.split(" ");
    const following = words.get(first) ?? [];
    if (second !== undefined) {
      const open = `__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${following.join(" ")}`;
      lines.push(`complete -c cairn -n '${open}' -a ${second} -d ${fishQuote(command.summary)}`);
    }
    const seen =
      second === undefined
        ? `__fish_seen_subcommand_from ${first}`
        : `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`;
    lines.push(...optionsOf(command).map((option) => fishOption(seen, option)));
    const complete = completionOf(command);
    if (complete === "file" || complete === "directory") {
      lines.push(`complete -c cairn -n '${seen}' -F`);
    } else if (complete !== undefined) {
      lines.push(`complete -c cairn -n '${seen}' -a ${fishQuote(complete.join(" "))}`);
    }
  }
  return lines;
}

function fishOption(seen: string, option: OptionSpec): string {
  const short = option.short === undefined ? "" : ` -s ${option.short}`;
  const value = option.value === undefined ? "" : option.complete === undefined ? " -x" : " -r -F";
  return `complete -c cairn -n '${seen}' -l ${option.name}${short}${value} -d ${fishQuote(option.says)}`;
}

function fishQuote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

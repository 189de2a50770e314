/**
 * From words to a command with its options. Options may stand anywhere; an option means the same in every command that has it,
 * so that it can be read before the command is known. Pure.
 */
import { parseArgs } from "node:util";
import { AppError } from "#base/app-error.ts";
import { type Command, type OptionSpec, optionsOf } from "#cli/command.ts";
import { nearestWord } from "#cli/nearest-word.ts";

/** The words of a command line in which nothing is wrong. */
export class ParsedArguments {
  readonly positionals: readonly string[];
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(positionals: readonly string[], values: ReadonlyMap<string, readonly string[]>) {
    this.positionals = positionals;
    this.#values = values;
  }

  has(option: string): boolean {
    return this.#values.has(option);
  }

  /** Of an option that stands once at most. */
  value(option: string): string | undefined {
    return this.#values.get(option)?.[0];
  }

  values(option: string): readonly string[] {
    return this.#values.get(option) ?? [];
  }
}

export type Parsed =
  | { readonly kind: "run"; readonly command: Command; readonly arguments: ParsedArguments }
  /** Help for a command, or, with words that are none, for the whole. */
  | { readonly kind: "help"; readonly words: readonly string[] }
  | { readonly kind: "version" };

export function usageError(message: string): AppError<"usage"> {
  return new AppError("usage", message);
}

/** Throws `usage`. */
export function parseArguments(words: readonly string[], commands: readonly Command[]): Parsed {
  const tokens = tokensOf(words, commands);
  const typed = tokens.options.map((option) => option.name);
  if (typed.includes("version")) return { kind: "version" };
  const [first] = tokens.positionals;
  if (first === "help") return { kind: "help", words: tokens.positionals.slice(1) };
  const found = findCommand(tokens.positionals, commands);
  if (typed.includes("help")) return { kind: "help", words: found?.name.split(" ") ?? [] };
  if (first === undefined) return { kind: "help", words: [] };
  if (found === undefined) throw unknownCommand(tokens.positionals, commands);
  const positionals = tokens.positionals.slice(found.name.split(" ").length);
  const isFamily = commands.some((command) => command.name.startsWith(`${found.name} `));
  if (isFamily && positionals.length > found.positionals.length) {
    throw unknownCommand(tokens.positionals, commands);
  }
  const values = checkOptions(found, tokens.options);
  checkPositionals(found, positionals);
  return { kind: "run", command: found, arguments: new ParsedArguments(positionals, values) };
}

/** The command whose words `words` begin with; two words before one. */
export function findCommand(
  words: readonly string[],
  commands: readonly Command[],
): Command | undefined {
  const byName = (name: string): Command | undefined =>
    commands.find((command) => command.name === name);
  return byName(words.slice(0, 2).join(" ")) ?? byName(words[0] ?? "");
}

interface TypedOption {
  readonly name: string;
  /** As typed. */
  readonly raw: string;
  readonly value: string | undefined;
}

function tokensOf(
  words: readonly string[],
  commands: readonly Command[],
): { readonly positionals: readonly string[]; readonly options: readonly TypedOption[] } {
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {};
  for (const spec of commands.flatMap(optionsOf)) {
    const type = spec.value === undefined ? "boolean" : "string";
    options[spec.name] = spec.short === undefined ? { type } : { type, short: spec.short };
  }
  options.version = { type: "boolean", short: "V" };
  const { tokens } = parseArgs({
    args: [...words],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const positionals: string[] = [];
  const typed: TypedOption[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind === "option") {
      typed.push({ name: token.name, raw: token.rawName, value: token.value });
    }
  }
  return { positionals, options: typed };
}

function unknownCommand(words: readonly string[], commands: readonly Command[]): AppError<"usage"> {
  const [first = "", second = ""] = words;
  const names = commands.map((command) => command.name);
  const inFamily = names.filter((name) => name.startsWith(`${first} `));
  if (inFamily.length > 0) {
    const rest = inFamily.map((name) => name.slice(first.length + 1));
    const near = nearestWord(second, rest);
    const guess = near === undefined ? "" : `; did you mean ${first} ${near}?`;
    const what = second === "" ? `${first} needs one more word` : `${first} has no "${second}"`;
    return usageError(`${what}: ${rest.join(", ")}${guess}`);
  }
  const near = nearestWord(first, [...names, ...names.map((name) => name.split(" ")[0] ?? "")]);
  const guess = near === undefined ? "see cairn help" : `did you mean ${near}?`;
  return usageError(`there is no command "${first}"; ${guess}`);
}

function checkOptions(
  command: Command,
  typed: readonly TypedOption[],
): ReadonlyMap<string, readonly string[]> {
  const known = optionsOf(command);
  const values = new Map<string, string[]>();
  for (const option of typed) {
    const spec = known.find((one) => one.name === option.name);
    if (spec === undefined) throw unknownOption(command, option, known);
    const given = values.get(spec.name) ?? [];
    if (given.length > 0 && spec.repeatable !== true && spec.value !== undefined) {
      throw usageError(`--${spec.name} may stand only once`);
    }
    given.push(checkValue(spec, option));
    values.set(spec.name, given);
  }
  return values;
}

function checkValue(spec: OptionSpec, option: TypedOption): string {
  if (spec.value === undefined) {
    if (option.value === undefined) return "";
    throw usageError(`--${spec.name} takes no value`);
  }
  if (option.value === undefined) {
    throw usageError(`${option.raw} needs a value: ${option.raw} ${spec.value}`);
  }
  return option.value;
}

function unknownOption(
  command: Command,
  option: TypedOption,
  known: readonly OptionSpec[],
): AppError<"usage"> {
  const near = nearestWord(
    option.name,
    known.map((spec) => spec.name),
  );
  const guess = near === undefined ? `see cairn help ${command.name}` : `did you mean --${near}?`;
  return usageError(`${command.name} has no option ${option.raw}; ${guess}`);
}

function checkPositionals(command: Command, given: readonly string[]): void {
  const { positionals } = command;
  const needed = positionals.filter((spec) => spec.required);
  const missing = needed[given.length];
  if (missing !== undefined) {
    throw usageError(`${command.name} needs ${missing.name}: ${missing.says}`);
  }
  const endless = positionals.some((spec) => spec.repeatable === true);
  if (endless || given.length <= positionals.length) return;
  throw usageError(`${command.name} does not know what to do with "${given[positionals.length]}"`);
}

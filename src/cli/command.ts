/**
 * A command as data: its words, arguments, options and help, and the function that does it. Parsing, help and completion read
 * these declarations; nothing else lists options. Pure.
 */
import type { CommandContext } from "#cli/command-context.ts";

/** What the shell may offer in a place: files, directories, or words. */
export type Completion = "file" | "directory" | readonly string[];

export interface OptionSpec {
  /** Without dashes. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** What its value is called in help; a switch has none. */
  readonly value?: string;
  readonly repeatable?: boolean;
  readonly says: string;
  readonly complete?: Completion;
}

export interface PositionalSpec {
  /** As in help: `FILE-ID`. */
  readonly name: string;
  readonly says: string;
  readonly required: boolean;
  readonly repeatable?: boolean;
  readonly complete?: Completion;
}

export interface Example {
  readonly line: string;
  readonly says: string;
}

/** Options that several commands share; each command says which it takes. */
export type SharedOption = "json" | "yes" | "tracker" | "config" | "socket" | "set";

export interface Command {
  /** One or two words: `put`, `config show`. */
  readonly name: string;
  /** One line, lower case, without full stop. */
  readonly summary: string;
  /** Paragraphs. */
  readonly description: readonly string[];
  readonly positionals: readonly PositionalSpec[];
  readonly options: readonly OptionSpec[];
  readonly shared: readonly SharedOption[];
  readonly examples: readonly Example[];
  /** Where Ctrl-C is its own business, as for the daemon. */
  readonly handlesInterrupts?: boolean;
  /** Resolves to the exit code; undefined is 0. */
  readonly run: (context: CommandContext) => Promise<number | undefined>;
}

/** Commands under a heading of the overview. */
export interface CommandGroup {
  readonly heading: string;
  readonly commands: readonly Command[];
}

export const sharedOptions: Readonly<Record<SharedOption, OptionSpec>> = {
  json: { name: "json", says: "print one JSON value instead of text; its shape stays the same" },
  yes: { name: "yes", short: "y", says: "do not ask before something is lost" },
  tracker: {
    name: "tracker",
    short: "t",
    value: "HOST[:PORT]",
    repeatable: true,
    says: "a tracker to ask; else CAIRN_TRACKERS, the settings here, 127.0.0.1:22122",
  },
  config: {
    name: "config",
    value: "FILE",
    says: "the settings file; else CAIRN_CONFIG, ./cairn.toml, /etc/cairn/cairn.toml",
    complete: "file",
  },
  socket: {
    name: "socket",
    value: "PATH",
    says: "the daemon's control socket; else CAIRN_SOCKET, node.control_socket of the settings",
    complete: "file",
  },
  set: {
    name: "set",
    value: "KEY=VALUE",
    repeatable: true,
    says: "a setting for this run, such as storage.port=23001",
  },
};

/** Options that every command has. */
export const universalOptions: readonly OptionSpec[] = [
  { name: "quiet", short: "q", says: "no messages but errors" },
  { name: "help", short: "h", says: "show the help of the command" },
];

/** Every option of a command, its own first. */
export function optionsOf(command: Command): readonly OptionSpec[] {
  return [
    ...command.options,
    ...command.shared.map((name) => sharedOptions[name]),
    ...universalOptions,
  ];
}

/** `cairn completion`: what a shell needs to complete our words. */
import type { Command } from "#cli/command.ts";
import { completionScript, isShell, shells } from "#cli/completion-scripts.ts";
import { usageError } from "#cli/parse-arguments.ts";

export const completionCommand: Command = {
  name: "completion",
  summary: "print a completion script for bash, zsh or fish",
  description: [
    "bash: put the output into /etc/bash_completion.d/cairn or ~/.local/share/bash-completion/completions/cairn. zsh: into _cairn in a directory of $fpath. fish: into ~/.config/fish/completions/cairn.fish.",
  ],
  positionals: [{ name: "SHELL", says: shells.join(", "), required: true, complete: shells }],
  options: [],
  shared: [],
  examples: [{ line: "source <(cairn completion bash)", says: "for this shell only" }],
  run: async (context) => {
    const shell = context.positional(0);
    if (!isShell(shell)) throw usageError(`"${shell}" is no shell we know: ${shells.join(", ")}`);
    const commands = context.groups.flatMap((group) => group.commands);
    await context.output.lines(completionScript(shell, commands));
    return undefined;
  },
};

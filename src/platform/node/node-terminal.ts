/** The process's own streams. */
import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { FileError } from "#platform/files.ts";
import type { Terminal } from "#platform/terminal.ts";

const defaultColumns = 80;
/** As shells report a process that SIGINT ended. */
const interruptedCode = 130;

export function nodeTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  let broken: FileError | undefined;
  let interrupted = (): void => process.exit(interruptedCode);
  const note = (error: NodeJS.ErrnoException): void => {
    broken = new FileError(error.code ?? "EIO", `standard output: ${error.message}`);
  };
  stdout.on("error", note);
  // Messages that nobody reads are not worth failing for.
  stderr.on("error", () => {});
  return {
    inputIsTerminal: stdin.isTTY === true,
    outputIsTerminal: stdout.isTTY === true,
    errorIsTerminal: stderr.isTTY === true,
    // A terminal that does not know its width says 0.
    columns: () => stderr.columns || stdout.columns || defaultColumns,
    writeOutput: (data) => {
      if (broken !== undefined) return Promise.reject(broken);
      return new Promise((resolve, reject) => {
        stdout.write(data, (error) => {
          if (error === undefined || error === null) resolve();
          else {
            note(error);
            reject(broken);
          }
        });
      });
    },
    writeError: (text) => {
      stderr.write(text);
    },
    readInput: () => stdin,
    ask: async (question) => {
      const lines = createInterface({ input: stdin, output: stderr });
      const ended = once(lines, "close").then(() => "");
      // While a line is edited the terminal sends Ctrl-C as a character, which would only pause the input.
      lines.on("SIGINT", () => {
        interrupted();
        lines.close();
      });
      try {
        // Ctrl-D rejects the question: no answer.
        return await Promise.race([lines.question(question).catch(() => ""), ended]);
      } finally {
        lines.close();
      }
    },
    onInterrupt: (handler) => {
      let asked = false;
      const listener = (): void => {
        if (asked) process.exit(interruptedCode);
        asked = true;
        handler();
      };
      const before = interrupted;
      interrupted = listener;
      process.on("SIGINT", listener);
      process.on("SIGTERM", listener);
      return () => {
        interrupted = before;
        process.off("SIGINT", listener);
        process.off("SIGTERM", listener);
      };
    },
  };
}

/** Command lines of every kind: a command, help, or a usage error; never anything else. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { optionsOf } from "#cli/command.ts";
import { commands } from "#cli/command-table.ts";
import { parseArguments } from "#cli/parse-arguments.ts";
import { parseNote } from "#cli/transfer/partial-file.ts";

const known = [
  ...commands.flatMap((command) => command.name.split(" ")),
  ...commands.flatMap(optionsOf).flatMap(({ name }) => [`--${name}`, `--${name}=x`, `-${name[0]}`]),
  ...["-", "--", "", "help", "group1/M00/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin"],
];

test("any words are a command or wrong usage", () => {
  const word = fc.oneof(fc.constantFrom(...known), fc.string());
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (words) => {
      try {
        expect(["run", "help", "version"]).toContain(parseArguments(words, commands).kind);
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
        expect((error as AppError).code).toBe("usage");
      }
    }),
  );
});

test("any text is a note of a partial download or none", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const note = parseNote(text);
      if (note !== undefined) expect(note.fileId).toBeTypeOf("string");
    }),
  );
});

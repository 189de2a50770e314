import { expect, test } from "vitest";
import type { RingRecord } from "#filestore/ring.ts";
import type { Answers } from "#filestore/worker/answers.ts";
import { DiskFileWriter } from "#filestore/worker/disk-file-writer.ts";
import { writeFlag } from "#filestore/worker-messages.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

const own = "/disk/.cairn-disk";
const whole = writeFlag.first | writeFlag.last;

function stage(directory: string | undefined = own) {
  const files = new MemoryFiles("/disk");
  let writer = new DiskFileWriter(files, directory);
  const answered: number[] = [];
  const send = (
    text: string,
    flags: number,
    where: { offset?: number; name?: string } = {},
  ): void => {
    const { offset = 0, name = "state.copy" } = where;
    const answers = {
      payload: () => Buffer.from(text),
      done: (id: number) => answered.push(id),
    } as unknown as Answers;
    const record = { id: answered.length, text: name, flags, a: offset } as unknown as RingRecord;
    writer.perform(record, answers);
  };
  const content = (name = "state.copy"): string | undefined => {
    if (files.stat(`${own}/${name}`, false) === undefined) return undefined;
    const descriptor = files.open(`${own}/${name}`, "read");
    const buffer = Buffer.alloc(100);
    const text = buffer.toString("utf8", 0, files.read(descriptor, buffer, 0));
    files.close(descriptor);
    return text;
  };
  const powerCut = (): void => {
    files.powerCut();
    writer = new DiskFileWriter(files, directory);
  };
  return { files, send, content, answered, powerCut };
}

test("a file is there as a whole, old or new, whenever the power goes", () => {
  const { files, send, content, powerCut } = stage();
  send("old", whole);
  send("ne", writeFlag.first);
  expect(content()).toBe("old");
  powerCut();
  expect(content()).toBe("old");
  send("ne", writeFlag.first);
  send("w", writeFlag.last, { offset: 2 });
  powerCut();
  expect(content()).toBe("new");
  expect(files.list(own)).toEqual(["state.copy"]);
});

test("pieces that are missing, names that are paths, and paths on no disk are refused", () => {
  const { send, content, answered } = stage();
  expect(() => send("x", writeFlag.last, { offset: 5 })).toThrow("a piece is missing");
  send("ab", writeFlag.first);
  expect(() => send("c", writeFlag.last, { offset: 3 })).toThrow("a piece is missing");
  expect(() => send("c", writeFlag.last, { offset: 2, name: "passport.json" })).toThrow(
    "a piece is missing",
  );
  for (const name of ["../x", "a/b", "", ".hidden", "UPPER"]) {
    expect(() => send("x", whole, { name })).toThrow("no such file");
  }
  expect(content()).toBeUndefined();
  expect(answered.length).toBe(1);
  const nowhere = new DiskFileWriter(new MemoryFiles("/disk"), undefined);
  expect(() => nowhere.perform({ text: "a" } as RingRecord, {} as Answers)).toThrow(
    "on no disk of its own",
  );
});

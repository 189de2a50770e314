/** Open trunk files: few, the ones used last, and none closed under somebody who has it. */
import { expect, test } from "vitest";
import { maxIdleDescriptors, TrunkDescriptors } from "#filestore/trunk/trunk-descriptors.ts";
import { FileError, type OpenMode } from "#platform/files.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";

function setUp(count: number) {
  const files = new MemoryFiles("/t");
  for (let number = 0; number < count; number += 1) writeFile(files, `/t/${number}`, `${number}`);
  return { files, descriptors: new TrunkDescriptors(files) };
}

test("a file stays open, and the one that was not used for longest is closed for others", () => {
  const { files, descriptors } = setUp(maxIdleDescriptors + 5);
  const first = descriptors.peek("/t/0");
  expect(descriptors.peek("/t/0")).toBe(first);
  for (let number = 1; number < maxIdleDescriptors; number += 1) descriptors.peek(`/t/${number}`);
  expect(descriptors.peek("/t/0")).toBe(first);
  descriptors.peek(`/t/${maxIdleDescriptors}`);
  expect(files.openFiles).toBe(maxIdleDescriptors);
  expect(descriptors.peek("/t/0")).toBe(first);
  descriptors.close();
  expect(files.openFiles).toBe(0);
});

test("what is lent stays open until it is given back, whatever its name means by then", () => {
  const { files, descriptors } = setUp(2);
  const lent = descriptors.lend("/t/0");
  if (lent === undefined) throw new Error("not lent");
  writeFile(files, "/t/new", "other");
  files.rename("/t/new", "/t/0");
  descriptors.drop("/t/0");
  const buffer = Buffer.alloc(5);
  expect(buffer.toString("latin1", 0, files.read(lent.descriptor, buffer, 0))).toBe("0");
  const fresh = descriptors.peek("/t/0") ?? -1;
  expect(buffer.toString("latin1", 0, files.read(fresh, buffer, 0))).toBe("other");
  descriptors.giveBack(lent);
  expect(files.openFiles).toBe(1);
  descriptors.close();
});

test("a file that is not there is none; others of its failures are told", () => {
  const { files, descriptors } = setUp(1);
  expect(descriptors.peek("/t/none")).toBeUndefined();
  expect(descriptors.lend("/t/0/below")).toBeUndefined();
  expect(files.openFiles).toBe(0);
});

test("where nothing may be written, files are opened for reading", () => {
  const { files } = setUp(1);
  const modes: OpenMode[] = [];
  const readOnly = Object.create(files, {
    open: {
      value: (path: string, mode: OpenMode) => {
        modes.push(mode);
        if (mode !== "read") throw new FileError("EROFS", "EROFS", path);
        return files.open(path, mode);
      },
    },
    close: { value: (descriptor: number) => files.close(descriptor) },
  }) as MemoryFiles;
  const descriptors = new TrunkDescriptors(readOnly);
  expect(descriptors.peek("/t/0")).toBeDefined();
  expect(modes).toEqual(["read-write", "read"]);
  descriptors.close();
});

test("what is lent out takes no place from the others", () => {
  const { files, descriptors } = setUp(maxIdleDescriptors + 20);
  const lent = Array.from({ length: 20 }, (_, number) => descriptors.lend(`/t/${number}`));
  const first = descriptors.peek("/t/20");
  for (let number = 21; number < maxIdleDescriptors + 20; number += 1) {
    descriptors.peek(`/t/${number}`);
  }
  expect(descriptors.peek("/t/20")).toBe(first);
  expect(files.openFiles).toBe(maxIdleDescriptors + 20);
  descriptors.drop("/t/0");
  for (const each of lent) if (each !== undefined) descriptors.giveBack(each);
  expect(files.openFiles).toBe(maxIdleDescriptors);
  descriptors.close();
  expect(files.openFiles).toBe(0);
});

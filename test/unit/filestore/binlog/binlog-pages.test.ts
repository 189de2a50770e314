/** Pages of a binlog: whole lines up to an end, over rotated and compressed files, from places where lines begin. */
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BinlogPages } from "#filestore/binlog/binlog-pages.ts";
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { runSteps } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

const directory = "/sync";

function written(...contents: readonly (string | Uint8Array | undefined)[]) {
  const files = new MemoryFiles(directory, "/scratch");
  for (const [index, content] of contents.entries()) {
    if (content === undefined) continue;
    write(
      files,
      `${directory}/binlog.${String(index).padStart(3, "0")}`,
      Buffer.from(content as string),
    );
  }
  const last = contents.length - 1;
  const end = { index: last, offset: Buffer.from((contents[last] ?? "") as string).length };
  return { files, end, pages: new BinlogPages({ files, directory, scratch: "/scratch" }) };
}

function write(files: MemoryFiles, path: string, content: Uint8Array): void {
  const descriptor = files.open(path, "write");
  files.write(descriptor, content);
  files.close(descriptor);
}

function readAll(
  pages: BinlogPages,
  end: BinlogPosition,
  how: { readonly size?: number; readonly from?: BinlogPosition } = {},
): readonly string[] {
  const found: string[] = [];
  const page = Buffer.alloc(how.size ?? 1024);
  let from = how.from ?? { index: 0, offset: 0 };
  for (let count = 0; count < 5000; count += 1) {
    const { length, next, atEnd } = runSteps(pages.read(from, end, page));
    if (length > 0) found.push(page.toString("latin1", 0, length));
    if (atEnd) {
      expect(next).toEqual(end);
      return found;
    }
    expect(next).not.toEqual(from);
    from = next;
  }
  throw new Error("there was no end");
}

function codeOf(action: () => unknown): string {
  try {
    action();
    return "";
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

const line = (number: number): string => `${number} C M00/00/00/some-name-of-a-file-${number}\n`;
const lines = (from: number, count: number): string =>
  Array.from({ length: count }, (_, index) => line(from + index)).join("");

test("pages are whole lines, and together what stands before the end", () => {
  const text = lines(100, 200);
  const { pages, end } = written(text);
  const found = readAll(pages, end);
  expect(found.length).toBeGreaterThan(5);
  for (const page of found) expect(page.endsWith("\n") && page.length <= 1024).toBe(true);
  expect(found.join("")).toBe(text);
});

test("nothing behind the end is read, though it is there", () => {
  const { pages } = written(lines(1, 20));
  const end = { index: 0, offset: lines(1, 7).length };
  expect(readAll(pages, end).join("")).toBe(lines(1, 7));
  expect(runSteps(pages.read(end, end, Buffer.alloc(1024)))).toEqual({
    length: 0,
    next: end,
    atEnd: true,
  });
});

test("what is appended later is read from where the last page ended", () => {
  const { pages, files, end } = written(lines(1, 5));
  expect(readAll(pages, end).join("")).toBe(lines(1, 5));
  const more = files.open(`${directory}/binlog.000`, "append");
  files.write(more, Buffer.from(lines(6, 5)));
  files.close(more);
  const next = { index: 0, offset: end.offset + lines(6, 5).length };
  expect(readAll(pages, next, { from: end }).join("")).toBe(lines(6, 5));
});

test("files follow each other, compressed ones too, and gaps are passed over", () => {
  const { pages, files, end } = written(
    lines(1, 30),
    undefined,
    lines(40, 30),
    undefined,
    lines(70, 3),
  );
  files.remove(`${directory}/binlog.000`);
  write(files, `${directory}/binlog.000.gz`, gzipSync(lines(1, 30)));
  expect(readAll(pages, end).join("")).toBe(lines(1, 30) + lines(40, 30) + lines(70, 3));
  expect(files.list("/scratch")).toEqual([]);
  pages.close();
  expect(files.openFiles).toBe(0);
});

test("a line that was never ended is passed over at the end of its file", () => {
  const { pages, end } = written(`${lines(1, 3)}1700 C M00/00/00/to`, lines(9, 2));
  expect(readAll(pages, end).join("")).toBe(lines(1, 3) + lines(9, 2));
});

test("something long without lines is passed over, a page at a time", () => {
  const rubbish = "\0".repeat(10_000);
  const { pages, end } = written(`${lines(1, 3)}${rubbish}\n${lines(4, 3)}`);
  const found = readAll(pages, end).join("");
  expect(found.startsWith(lines(1, 3))).toBe(true);
  expect(found.endsWith(lines(4, 3))).toBe(true);
});

test("the begin is the first file that there is; other files that are missing are gone", () => {
  const { pages, end } = written(undefined, undefined, lines(1, 3));
  expect(readAll(pages, end).join("")).toBe(lines(1, 3));
  const page = Buffer.alloc(1024);
  expect(codeOf(() => runSteps(pages.read({ index: 1, offset: 0 }, end, page)))).toBe(
    "binlog-gone",
  );
  expect(codeOf(() => runSteps(pages.read({ index: 0, offset: 7 }, end, page)))).toBe(
    "binlog-gone",
  );
  const none = written();
  expect(
    codeOf(() => runSteps(none.pages.read({ index: 0, offset: 0 }, { index: 0, offset: 5 }, page))),
  ).toBe("binlog-gone");
});

test("a place behind the end, or inside of a line, is none", () => {
  const { pages, end } = written(lines(1, 100));
  const page = Buffer.alloc(1024);
  const at = (offset: number, index = 0): string =>
    codeOf(() => runSteps(pages.read({ index, offset }, end, page)));
  expect(at(end.offset + 1)).toBe("binlog-gone");
  expect(at(0, 1)).toBe("binlog-gone");
  expect(at(3)).toBe("binlog-gone");
  expect(at(lines(1, 60).length - 2)).toBe("binlog-gone");
  expect(at(lines(1, 60).length)).toBe("");
  const cut = written(lines(1, 100), lines(101, 1));
  expect(codeOf(() => runSteps(cut.pages.read({ index: 0, offset: 99_999 }, cut.end, page)))).toBe(
    "binlog-gone",
  );
});

/** Goal: whatever bytes a binlog has, reading comes to its end, and every record between line ends is handed out once. */
test("foreign bytes keep nobody from what is between them", () => {
  const piece = fc.oneof(
    fc.integer({ min: 1, max: 999 }).map((number) => Buffer.from(line(number))),
    fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.concat([bytes, Buffer.from("\n")])),
    fc.constant(Buffer.alloc(5000)),
    fc.constant(Buffer.from("\n\n\n")),
  );
  const file = fc.array(piece, { maxLength: 12 }).map((pieces) => Buffer.concat(pieces));
  fc.assert(
    fc.property(fc.array(file, { minLength: 1, maxLength: 3 }), file, (first, last) => {
      const whole = Buffer.concat([last, Buffer.from(line(7))]);
      const { pages, end } = written(...first, whole);
      const found = readAll(pages, end).join("");
      expect(found.endsWith(line(7))).toBe(true);
      const known = (text: string): readonly string[] => text.match(/^\d+ C M00.*$/gm) ?? [];
      const all = [...first, whole].map((bytes) => bytes.toString("latin1"));
      for (const each of all) {
        const kept = each.slice(0, each.lastIndexOf("\n") + 1);
        for (const record of known(kept)) expect(found).toContain(record);
      }
    }),
    { numRuns: 150 },
  );
});

test("a compressed file is expanded in steps, once for all who read it, and nothing of it stays", () => {
  const { pages, files, end } = written(undefined, lines(1, 3));
  const text = lines(1, 20_000);
  write(files, `${directory}/binlog.000.gz`, gzipSync(text));
  const first = pages.read({ index: 0, offset: 0 }, end, Buffer.alloc(1024));
  const second = pages.read({ index: 0, offset: 0 }, end, Buffer.alloc(1024));
  const third = pages.read({ index: 0, offset: 0 }, end, Buffer.alloc(1024));
  for (const each of [first, second, third]) expect(each.next().done).toBe(false);
  expect(files.list("/scratch")).toEqual(["binlog.000.page.0"]);
  // Whoever waits goes on where the one that it waited for is given up.
  first.return({ length: 0, next: end, atEnd: true });
  expect(files.list("/scratch")).toEqual([]);
  let steps = 1;
  while (second.next().done !== true) {
    steps += 1;
    expect(third.next().done).toBe(false);
  }
  expect(steps).toBeGreaterThan(text.length / 65_536);
  expect(third.next()).toMatchObject({ done: true, value: { atEnd: false } });
  expect(files.list("/scratch")).toEqual([]);
  expect(readAll(pages, end).join("")).toBe(text + lines(1, 3));
  pages.close();
  expect(files.openFiles).toBe(0);
});

test("a compressed file that is damaged is told with what to do, and is passed over once it is away", () => {
  const { pages, files, end } = written(undefined, lines(1, 3));
  const whole = gzipSync(lines(1, 30));
  write(files, `${directory}/binlog.000.gz`, whole.subarray(0, whole.length - 9));
  for (let round = 0; round < 2; round += 1) {
    expect(() => readAll(pages, end)).toThrow(
      /EINVAL.*put a good copy in its place, or take it away/,
    );
    expect(files.list("/scratch")).toEqual([]);
  }
  files.remove(`${directory}/binlog.000.gz`);
  expect(readAll(pages, end).join("")).toBe(lines(1, 3));
});

/** What a file is found to be, of each kind. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { type Log, Log as RealLog } from "#base/log.ts";
import { FileLayout } from "#filestore/worker/file-layout.ts";
import { crcOfRange, judgeFile } from "#filestore/worker/recheck/judge-file.ts";
import { FileError } from "#platform/files.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import { peerName } from "../../../../support/replica-stage.ts";
import { writeFile } from "../../../../support/store-path-vectors.ts";

const directory = "/disk";
const content = "some content ".repeat(20);
const now = 1_700_000_000;

function stage() {
  const files = new MemoryFiles(directory);
  for (const path of ["data", "data/01", "data/01/02"]) files.makeDirectory(`${directory}/${path}`);
  const layout = new FileLayout(directory, 0);
  const log: Log = new RealLog("test", () => {});
  const packed = { descriptors: { peek: () => undefined } } as never;
  const judge = (name: string, since = now): string => {
    const steps = judgeFile({ files, layout, log, packed }, layout.place(name), since);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  };
  const write = (name: string, text: string) =>
    writeFile(files, `${directory}/data/${name.slice(4)}`, text);
  return { files, judge, write };
}

test("a normal file is what its name says, or is wrong; the content of an old one is not read", () => {
  const { judge, write, files } = stage();
  const name = peerName(content);
  expect(judge(name)).toBe("missing");
  const other = content.replace("some", "none");
  for (const [text, young, old] of [
    [content, "well", "well"],
    [other, "wrong", "well"],
    [content.slice(1), "wrong", "wrong"],
    ["", "wrong", "wrong"],
  ] as const) {
    write(name, text);
    expect([judge(name), judge(name, now + 1)]).toEqual([young, old]);
  }
  files.remove(`${directory}/data/${name.slice(4)}`);
  files.makeLink(`${directory}/data/${name.slice(4)}`, "/nowhere");
  expect(judge(name)).toBe("well");
});

test("a slave whose name reads like a normal file's lies beside its master, and is left alone", () => {
  const { judge, write } = stage();
  const master = peerName(content);
  const slave = `${master.slice(0, -7)}125.jpg`;
  write(slave, "small");
  expect(judge(slave)).toBe("wrong");
  write(master, content);
  expect(judge(slave)).toBe("well");
});

test("where the name tells nothing, zeros do, in young files", () => {
  const { judge, write } = stage();
  const appender = peerName("", { kind: "appender" });
  const slave = `${peerName(content).slice(0, -4)}_s.bin`;
  const metadata = `${peerName(content)}-m`;
  const page = "\0".repeat(4096);
  const text = "x".repeat(4096);
  const cases = [
    ["", "well", "wrong", "wrong"],
    ["\0", "doubtful", "wrong", "wrong"],
    [`${text}\0`, "well", "well", "wrong"],
    [`${text}${"\0".repeat(512)}`, "doubtful", "wrong", "wrong"],
    [`${text}${page}${text}`, "doubtful", "wrong", "wrong"],
    [`xx${"\0".repeat(4000)}${text}`, "well", "well", "wrong"],
    [text, "well", "well", "well"],
  ] as const;
  for (const [text, ...verdicts] of cases) {
    for (const [at, name] of [appender, slave, metadata].entries()) {
      write(name, text);
      expect([text.length, judge(name)]).toEqual([text.length, verdicts[at]]);
      expect(judge(name, now + 1)).toBe("well");
    }
  }
});

test("what cannot be read is left to whoever asks for it", () => {
  const { files, judge, write } = stage();
  write(peerName(content), content);
  files.open = () => {
    throw new FileError("EIO", "EIO: rotten");
  };
  expect(judge(peerName(content))).toBe("well");
});

test("the CRC-32 of a range is that of all of it, or there is none", () => {
  const { files, write } = stage();
  const bytes = Buffer.alloc(2_500_000, "0123456789abcdef!");
  write(peerName("x"), bytes.toString("latin1"));
  const descriptor = files.open(`${directory}/data/${peerName("x").slice(4)}`, "read");
  const crcOf = (from: number, length: number) => {
    const steps = crcOfRange(files, () => descriptor, { from, length });
    let count = 1;
    for (;;) {
      const step = steps.next();
      if (step.done === true) return [step.value, count];
      count += 1;
    }
  };
  expect(crcOf(100, 2_400_000)).toEqual([crc32(bytes.subarray(100, 2_400_100)), 3]);
  expect(crcOf(100, 2_499_901)).toEqual([undefined, 3]);
  expect(crcOf(5, 0)).toEqual([0, 1]);
});

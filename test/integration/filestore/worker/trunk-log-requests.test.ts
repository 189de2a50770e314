import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { makeBlockMemory } from "#filestore/block-pool.ts";
import type { RingRecord, RingWriter } from "#filestore/ring.ts";
import { Answers } from "#filestore/worker/answers.ts";
import { FilesFlusher } from "#filestore/worker/flush-steps.ts";
import { LongWork } from "#filestore/worker/long-work.ts";
import { TrunkBinlogFile } from "#filestore/worker/trunk-binlog-file.ts";
import { TrunkLogRequests } from "#filestore/worker/trunk-log-requests.ts";
import { completion, request } from "#filestore/worker-messages.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const line = "1795395770 A 0 0 0 1 0 256\n";

function stage() {
  const troubled = new TroubledFiles(new MemoryFiles("/d", "/d/data", "/d/data/.cairn"));
  const { files } = troubled;
  const answered: RingRecord[] = [];
  const writer = { push: (record: RingRecord) => answered.push(record) };
  const answers = new Answers(writer as unknown as RingWriter, makeBlockMemory());
  const log = new Log("test", () => {});
  const binlog = new TrunkBinlogFile({
    ...{ files, log, data: "/d/data", own: "/d/data/.cairn", flushed: true },
  });
  const longWork = new LongWork(new FilesFlusher(files), () => {});
  const requests = new TrunkLogRequests({ binlog, answers, longWork });
  const perform = (fields: Partial<RingRecord>): RingRecord | undefined => {
    const none = { flags: 0, block: -1, blockLength: 0, a: 0, b: 0, c: 0, text: "", text2: "" };
    requests.perform({ id: 1, kind: 0, ...none, ...fields });
    while (longWork.isReady) longWork.step();
    return answered.pop();
  };
  return { troubled, answers, perform };
}

test("lines come in a block and go out in a block", () => {
  const { answers, perform } = stage();
  answers.view(3).set(Buffer.from(line));
  const appended = perform({ kind: request.trunkLogAppend, block: 3, blockLength: line.length });
  expect(appended).toMatchObject({ kind: completion.done, a: line.length });
  answers.view(3).fill(0);
  const read = perform({ kind: request.trunkLogRead, text: "binlog", block: 3 });
  expect(read).toMatchObject({ a: line.length, blockLength: line.length });
  expect(Buffer.from(answers.view(3).subarray(0, line.length)).toString()).toBe(line);
  expect(perform({ kind: request.trunkLogRead, text: "snapshot", block: 3 })).toMatchObject({
    a: -1,
  });
});

test("a compression is long work, whose answer is the new size; its failure is an answer, too", () => {
  const { answers, perform, troubled } = stage();
  answers.view(3).set(Buffer.from(line));
  perform({ kind: request.trunkLogAppend, block: 3, blockLength: line.length });
  const compress = { kind: request.trunkLogCompress, b: 5 };
  expect(perform(compress)).toMatchObject({
    kind: completion.done,
    a: "5 A 0 0 0 1 0 256\n".length,
  });
  troubled.arm({ kind: "fail", atCall: 4, code: "EIO" });
  expect(perform(compress)).toMatchObject({ kind: completion.failed, text: "disk-failed" });
});

test("what is none of its business, and what names another file, is refused", () => {
  const { perform } = stage();
  expect(() => perform({ kind: request.space })).toThrow("unknown request");
  expect(() => perform({ kind: request.trunkLogMark, text: "../x" })).toThrow(
    "no file of a trunk binlog",
  );
});

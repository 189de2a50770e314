/** What peers may read of a binlog while changes are under way, marks, and requests of replication over a worker's loop. */
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import {
  isReading,
  makesFile,
  maySkip,
  recordsOwnChange,
  replicaFields,
  request,
  targetShift,
  writeFlag,
  writeTarget,
} from "#filestore/worker-messages.ts";
import { openEngine, put, readBack, runSteps, viewOf } from "../../../../support/engine-fixture.ts";
import { LoopStage } from "../../../../support/loop-stage.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import { codeOf, peerName, peerTime, readableBinlog } from "../../../../support/replica-stage.ts";

const directory = "/disk";
const normal = { kind: "normal", extension: "txt" } as const;

function stageOf(durability: "flushed" | "relaxed" = "flushed") {
  const files = new MemoryFiles(directory);
  return { files, stage: new LoopStage({ files, directory, settings: { durability } }) };
}

function sendReplica(
  stage: LoopStage,
  id: number,
  file: {
    readonly name: string;
    readonly content: string;
    readonly target?: number;
    readonly offset?: number;
  },
): void {
  const { name, content, target = writeTarget.replica, offset = 0 } = file;
  stage.block(id).set(Buffer.from(content));
  const flags = writeFlag.first | writeFlag.last | (target << targetShift);
  const text2 = replicaFields(peerTime, undefined);
  const length = content.length;
  stage.send(id, {
    kind: request.write,
    a: id,
    b: length,
    c: offset,
    block: id,
    blockLength: length,
    flags,
    text: name,
    text2,
  });
}

test("peers read a record when its change is carried out and on stable storage, and not before", () => {
  const { stage } = stageOf();
  stage.create(1, "one");
  stage.turn();
  expect(stage.flusher.held.length).toBeGreaterThan(0);
  while (stage.flusher.held.length > 0) {
    expect(readableBinlog(stage.engine)).toBe("");
    stage.flusher.completeAll();
    stage.turn();
  }
  const [answer] = stage.answered;
  expect(readableBinlog(stage.engine)).toMatch(new RegExp(`^\\d+ C ${answer?.text}\n$`));
});

test("what a crash leaves is what peers could read", () => {
  const { stage, files } = stageOf();
  stage.create(1, "one");
  stage.settle();
  stage.create(2, "two");
  stage.turn();
  const read = readableBinlog(stage.engine);
  files.powerCut();
  expect(viewOf(files, directory).binlog.startsWith(read)).toBe(true);
  const next = openEngine({ files, directory });
  expect(readableBinlog(next).startsWith(read)).toBe(true);
});

test("requests of peers are answered with their outcomes", () => {
  for (const durability of ["flushed", "relaxed"] as const) {
    const { stage } = stageOf(durability);
    const name = peerName("", { kind: "appender" });
    const text = (): string[] =>
      stage.settle().map(({ text: answer, failed }) => (failed ? `! ${answer}` : answer));
    sendReplica(stage, 1, { name, content: "0123" });
    expect(text()).toEqual([""]);
    sendReplica(stage, 2, { name, content: "0123" });
    expect(text()).toEqual(["already"]);
    sendReplica(stage, 3, { name, content: "45", target: writeTarget.replicaAppend, offset: 4 });
    sendReplica(stage, 4, { name, content: "XY", target: writeTarget.replicaModify, offset: 1 });
    sendReplica(stage, 5, { name, content: "99", target: writeTarget.replicaAppend, offset: 9 });
    expect(text()).toEqual(["", "", "differs"]);
    stage.send(6, { kind: request.replicaTruncate, text: name, a: peerTime, b: 6, c: 3 });
    stage.send(7, { kind: request.replicaRecord, text: name, a: peerTime });
    expect(text()).toEqual(["", ""]);
    expect(readBack(stage.engine, name).toString()).toBe("0XY");
    const renamed = peerName("0XY", { number: 4 });
    stage.send(8, { kind: request.replicaRename, text: name, text2: renamed, a: peerTime });
    expect(text()).toEqual([""]);
    const further = peerName("0XY", { number: 5 });
    stage.send(9, { kind: request.replicaLink, text: further, text2: renamed, a: peerTime });
    stage.send(10, { kind: request.replicaRemove, text: renamed, a: peerTime });
    stage.send(11, { kind: request.replicaRemove, text: name, a: peerTime });
    expect(text().sort()).toEqual(["", "", "missing"]);
    expect(readBack(stage.engine, further).toString()).toBe("0XY");
    sendReplica(stage, 12, { name: peerName("right"), content: "wrong" });
    sendReplica(stage, 13, {
      name: peerName("r"),
      content: "r",
      target: writeTarget.replicaReplace,
    });
    expect(text().sort()).toEqual(["", "! content-damaged"]);
  }
});

test("changes of one name come one after the other, whichever name they are asked by", () => {
  const { stage } = stageOf();
  const name = peerName("", { kind: "appender" });
  const renamed = peerName("01", { number: 4 });
  sendReplica(stage, 1, { name, content: "0" });
  sendReplica(stage, 2, { name, content: "1", target: writeTarget.replicaAppend, offset: 1 });
  stage.send(3, { kind: request.replicaRename, text: name, text2: renamed, a: peerTime });
  stage.send(4, { kind: request.replicaRename, text: name, text2: renamed, a: peerTime });
  stage.settle();
  stage.send(5, { kind: request.replicaRemove, text: renamed, a: peerTime });
  stage.settle();
  const answers = stage.answered.map(({ id, text, failed }) => `${id}${failed ? "!" : ""} ${text}`);
  expect(answers.sort()).toEqual(["1 ", "2 ", "3 ", "4 already", "5 "].sort());
  expect(viewOf(stage.engine.world.files, directory).files).toEqual({});
});

test("a path that takes no changes refuses those of peers as well, and is read on", () => {
  const { stage } = stageOf();
  stage.create(1, "one");
  stage.settle();
  stage.refusal = fileStoreError("disk-failed", "no");
  sendReplica(stage, 2, { name: peerName("x"), content: "x" });
  stage.send(3, { kind: request.replicaRemove, text: peerName("x"), a: peerTime });
  stage.send(4, { kind: request.writeMark, text: "peer.mark", block: 4, blockLength: 0 });
  stage.send(5, { kind: request.readBinlog, block: 5, blockLength: 1024 });
  stage.send(6, { kind: request.binlogEnd });
  stage.send(7, { kind: request.readMark, text: "peer.mark", block: 7 });
  const answers = stage.settle().map(({ id, failed }) => `${id}${failed ? "!" : ""}`);
  expect(answers.sort()).toEqual(["2!", "3!", "4!", "5", "6", "7"]);
});

test("marks are kept beside the binlog, under plain names alone", () => {
  const files = new MemoryFiles(directory);
  const { marks } = openEngine({ files, directory }).replication;
  expect(marks.read("10.0.0.1_23000.mark", 1000)).toBeUndefined();
  marks.write("10.0.0.1_23000.mark", Buffer.from("one"));
  marks.write("10.0.0.1_23000.mark", Buffer.from("two"));
  expect(marks.read("10.0.0.1_23000.mark", 1000)).toBe("two");
  expect(files.list(`${directory}/data/sync`)).toContain("10.0.0.1_23000.mark");
  expect(viewOf(files, directory).staged).toEqual([]);
  marks.remove("10.0.0.1_23000.mark");
  marks.remove("10.0.0.1_23000.mark");
  expect(marks.read("10.0.0.1_23000.mark", 1000)).toBeUndefined();
  for (const name of [
    "../x.mark",
    "binlog.000",
    ".mark",
    "a/b.mark",
    "x.mark\0",
    ".hidden.mark",
    "",
  ]) {
    expect(codeOf(() => marks.read(name, 10))).toBe("file-invalid");
    expect(codeOf(() => marks.write(name, Buffer.from("x")))).toBe("file-invalid");
    expect(codeOf(() => marks.remove(name))).toBe("file-invalid");
  }
});

test("a name of a peer is given to nobody else, and read again by none that give up", () => {
  const replica = {
    kind: request.write,
    flags: writeFlag.last | (writeTarget.replica << targetShift),
  };
  const upload = { kind: request.write, flags: writeFlag.last };
  expect([makesFile(replica), makesFile(upload)]).toEqual([false, true]);
  expect([recordsOwnChange(replica), recordsOwnChange(upload)]).toEqual([false, true]);
  expect(recordsOwnChange({ kind: request.write, flags: 0 })).toBe(false);
  expect([request.readBinlog, request.binlogEnd, request.readMark].every(isReading)).toBe(true);
  expect([request.writeMark, request.replicaRemove, request.replicaLink].some(isReading)).toBe(
    false,
  );
  expect([request.readBinlog, request.writeMark, request.replicaLink].every(maySkip)).toBe(true);
  expect(recordsOwnChange({ kind: request.writeMark, flags: 0 })).toBe(false);
});

test("a read-only path gives its binlog as far as it is certain", () => {
  const files = new MemoryFiles(directory);
  const engine = openEngine({ files, directory });
  const name = put(engine, normal, "one");
  expect(readableBinlog(engine)).toContain(name);
  engine.close();
  expect(
    codeOf(() =>
      runSteps(engine.replication.readBinlog({ index: 0, offset: 3 }, Buffer.alloc(9), 9)),
    ),
  ).toBe("binlog-gone");
});

import { expect, test } from "vitest";
import { decodeEntry } from "#filestore/binlog/entry.ts";
import { maxSyncContentBytes } from "#protocol/peer/sync-record.ts";
import { CLane } from "#sync/c-lane.ts";
import type { PushedRecord, PushOutcome } from "#sync/push.ts";
import { CWire } from "../../support/c-wire.ts";
import { MemorySyncStore } from "../../support/memory-sync-store.ts";

class Stage {
  readonly from = new MemorySyncStore("10.0.0.1");
  readonly to = new MemorySyncStore("10.0.0.2");
  readonly wire = new CWire(this.to);
  readonly lane = new CLane({
    client: this.wire.client,
    store: this.from,
    group: "group1",
    paced: (source) => source,
  });

  /** Pushes the last record of the binlog; its outcome. */
  async push(
    whole?: PushedRecord["whole"],
    line = this.from.lines.at(-1) ?? "",
  ): Promise<PushOutcome> {
    const entry = decodeEntry(line);
    if (entry === undefined) throw new Error(line);
    const [outcome] = await this.lane.push([{ entry, line, whole, tries: 0, wasAside: false }]);
    if (outcome === undefined) throw new Error("no outcome");
    return outcome;
  }
}

test("each change goes by C's command, and the stores are equal", async () => {
  const { from, to, wire, ...stage } = new Stage();
  const push = Stage.prototype.push.bind({ from, ...stage } as unknown as Stage);
  const name = from.upload(Buffer.from("hello"), "appender");
  await push();
  from.append(name, Buffer.from(" world"));
  await push();
  from.modify(name, 0, Buffer.from("J"));
  await push();
  from.truncate(name, 4);
  await push();
  from.setMetadata(name, "a\u00021");
  await push();
  from.setMetadata(name, "a\u00022");
  await push();
  const renamed = from.regenerate(name);
  await push();
  from.remove(`${name}-m`);
  await push();
  expect(wire.sent).toEqual([
    ...["syncCreateFile", "syncAppendFile", "syncModifyFile", "syncTruncateFile"],
    ...["syncCreateFile", "syncUpdateFile", "syncRenameFile", "syncDeleteFile"],
  ]);
  expect(to.contents).toEqual(from.contents);
  expect(to.files.get(renamed)?.bytes.toString()).toBe("Jell");
});

test("what is gone here is not sent, and a deletion of what is here again neither", async () => {
  const stage = new Stage();
  const name = stage.from.upload(Buffer.from("hello"));
  const created = stage.from.lines.at(-1) ?? "";
  stage.from.remove(name);
  const removed = stage.from.lines.at(-1) ?? "";
  expect((await stage.push(undefined, created)).kind).toBe("done");
  expect(stage.wire.sent).toEqual([]);
  expect((await stage.push(undefined, removed)).kind).toBe("done");
  stage.from.files.set(name, { bytes: Buffer.from("hello"), modifiedSeconds: 1 });
  await stage.push(undefined, removed);
  expect(stage.wire.sent).toEqual(["syncDeleteFile"]);
});

test("after a peer had a file it is asked first, and told to write its record alone where it has the next one", async () => {
  const stage = new Stage();
  for (const text of ["one", "two"]) {
    const name = stage.from.upload(Buffer.from(text));
    stage.to.files.set(name, { bytes: Buffer.from(text), modifiedSeconds: 1 });
    expect((await stage.push()).kind).toBe("done");
  }
  stage.from.upload(Buffer.from("three"));
  await stage.push();
  expect(stage.wire.sent).toEqual(["syncCreateFile", "syncCreateFile/17", "syncCreateFile"]);
  expect(stage.to.lines.length).toBe(2);
});

test("changes that do not fit what the peer has ask for the whole file", async () => {
  const stage = new Stage();
  const name = stage.from.upload(Buffer.from("hello"), "appender");
  stage.from.append(name, Buffer.from(" world"));
  expect(await stage.push()).toEqual({ kind: "whole" });
  expect((await stage.push("replace")).kind).toBe("done");
  expect(stage.to.files.get(name)?.bytes.toString()).toBe("hello world");
  stage.to.files.set(name, { bytes: Buffer.from("other"), modifiedSeconds: 1 });
  const renamed = stage.from.regenerate(name);
  expect(await stage.push()).toEqual({ kind: "whole" });
  expect((await stage.push("create")).kind).toBe("done");
  expect([...stage.to.files.keys()]).toEqual([renamed]);
});

test("links go as plain files", async () => {
  const stage = new Stage();
  const name = stage.from.upload(Buffer.from("hello"));
  await stage.push(undefined, `5 L ${name} ${name}`);
  expect(stage.wire.sent).toEqual(["syncCreateFile"]);
});

test("an unreadable file is the record's trouble, a full peer everybody's", async () => {
  const stage = new Stage();
  const name = stage.from.upload(Buffer.from("hello"));
  stage.from.unreadable.add(name);
  expect(await stage.push()).toMatchObject({ kind: "failed", unreadable: true });
});

test("an append that was cut off again is passed over, and the truncation behind it asks for the whole file where the peer is not alike", async () => {
  const stage = new Stage();
  const name = stage.from.upload(Buffer.from("hello"), "appender");
  await stage.push();
  stage.from.append(name, Buffer.from(" world"));
  const appended = stage.from.lines.at(-1) ?? "";
  stage.from.truncate(name, 2);
  // As the engine does, which calls an offset behind the end invalid.
  expect(await stage.push(undefined, appended)).toEqual({ kind: "done", bytes: 0 });
  expect(await stage.push()).toEqual({ kind: "whole" });
  expect((await stage.push("replace")).kind).toBe("done");
  expect(stage.to.contents).toEqual(stage.from.contents);
  // C answers that nothing was done; it has what is here.
  expect((await stage.push()).kind).toBe("done");
});

test("a file that does not have the CRC-32 of its name is not passed on, small or large", async () => {
  for (const size of [1000, maxSyncContentBytes + 1]) {
    const stage = new Stage();
    const name = stage.from.upload(Buffer.alloc(size, 1));
    const file = stage.from.files.get(name);
    file?.bytes.writeUInt8(2, size - 1);
    expect(await stage.push()).toMatchObject({ kind: "failed", unreadable: true });
    expect(stage.to.files.size).toBe(0);
    file?.bytes.writeUInt8(1, size - 1);
    expect(await stage.push()).toMatchObject({ kind: "done", bytes: size });
    expect(stage.to.contents).toEqual(stage.from.contents);
  }
});

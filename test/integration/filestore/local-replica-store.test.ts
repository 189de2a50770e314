/** Replication between two stores with their real threads: every kind of change of one, sent to the other, ends in equal files. */
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { decodeEntry } from "#filestore/binlog/entry.ts";
import { LocalFileStore } from "#filestore/local-file-store.ts";
import { collect, flowOfBytes, flowOfSource } from "#net/byte-flow.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeWorkers } from "#platform/node/node-workers.ts";
import { narrowAddresses, WireWriter } from "#protocol/codec.ts";
import { syncRecord } from "#protocol/peer/sync-record.ts";
import { collectedLog, pattern } from "../../support/frame-fixture.ts";
import { until } from "../../support/settled.ts";
import { pathSettings } from "../../support/store-fixture.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function store(durability: "flushed" | "relaxed" = "relaxed") {
  const directory = await mkdtemp(join(tmpdir(), "cairn-replica-"));
  cleanups.push(() => rm(directory, { recursive: true, force: true }));
  const files = new LocalFileStore({
    paths: [{ ...pathSettings(0, directory), durability }],
    workers: nodeWorkers(),
    clock: nodeClock,
    log: collectedLog().log,
    reserved: () => ({ kind: "bytes", bytes: 0 }),
    policy: () => "round-robin",
    diskTimeoutMs: 20_000,
  });
  await mkdir(directory, { recursive: true });
  await files.start();
  cleanups.push(() => files.close());
  return { files, directory };
}

async function content(files: LocalFileStore, name: string): Promise<Buffer> {
  const opened = await files.open(name, { offset: 0, length: 0 }, { emptyIsFine: true });
  try {
    return await collect(flowOfSource(opened.body));
  } finally {
    opened.body.close();
  }
}

async function binlogOf({ replicas }: LocalFileStore): Promise<string> {
  let text = "";
  let from = { index: 0, offset: 0 };
  for (;;) {
    const page = await replicas.readBinlog(0, from, 2000);
    text += Buffer.from(page.lines).toString("latin1");
    from = page.next;
    if (page.atEnd) return text;
  }
}

/** Sends what one has done to the other, as a sender does that looks at the present files. */
async function replay(from: LocalFileStore, to: LocalFileStore): Promise<string[]> {
  const outcomes: string[] = [];
  for (const line of (await binlogOf(from)).split("\n").slice(0, -1)) {
    const entry = decodeEntry(line);
    if (entry === undefined || entry.replica) throw new Error(`no record: ${line}`);
    const { name, timestamp } = entry;
    const { replicas } = to;
    const body = async (of: string) => flowOfBytes(await content(from, of));
    const present = await from.facts(name, { computeCrc: false }).catch(() => undefined);
    if (entry.kind === "delete") {
      outcomes.push(await replicas.removeReplica({ name, timestamp }));
    } else if (present === undefined && !name.endsWith("-m")) {
      outcomes.push("gone");
    } else if (entry.kind === "create" || entry.kind === "update") {
      const mode = entry.kind === "create" ? "create" : "replace";
      const flow = name.endsWith("-m")
        ? flowOfBytes(Buffer.from(await from.readMetadata(name.slice(0, -2))))
        : await body(name);
      outcomes.push(await replicas.storeReplica({ name, timestamp, mode, crc32: undefined }, flow));
    } else if (entry.kind === "append" || entry.kind === "modify") {
      const { offset, length } = entry;
      const bytes = (await content(from, name)).subarray(offset, offset + length);
      const range = { name, offset, timestamp };
      const flow = flowOfBytes(bytes);
      outcomes.push(
        entry.kind === "append"
          ? await replicas.appendReplica(range, flow)
          : await replicas.modifyReplica(range, flow),
      );
    } else if (entry.kind === "truncate") {
      outcomes.push(await replicas.truncateReplica({ ...entry }));
    } else if (entry.kind === "rename") {
      const names = { name, source: entry.oldName, timestamp };
      const outcome = await replicas.renameReplica(names);
      outcomes.push(outcome);
      const file = { name, timestamp, mode: "create", crc32: undefined } as const;
      if (outcome === "missing" || outcome === "differs")
        await replicas.storeReplica(file, await body(name));
    } else if (entry.kind === "link") {
      outcomes.push(await replicas.linkReplica({ name, source: entry.target ?? "", timestamp }));
    }
  }
  return outcomes;
}

async function filesOf(directory: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const all = await readdir(join(directory, "data"), { recursive: true, withFileTypes: true });
  for (const each of all) {
    const below = join(each.parentPath, each.name).slice(directory.length + 6);
    if (!each.isFile() || !/^[0-9A-F]{2}\//.test(below)) continue;
    found[below] = (await readFile(join(directory, "data", below))).toString("base64");
  }
  return found;
}

test("every kind of change at one store, sent to another, ends in equal files", async () => {
  for (const durability of ["relaxed", "flushed"] as const) {
    const [one, two] = [await store(durability), await store(durability)];
    const { files } = one;
    const any = { storePathIndex: undefined, extension: "bin", kind: "normal" } as const;
    const sizes = [0, 4096, 300_000, 1_500_000];
    const names = await Promise.all(
      sizes.map((size, seed) => files.upload(any, flowOfBytes(pattern(size, seed)))),
    );
    const upload = { ...any, kind: "appender" } as const;
    const appender = await files.upload(upload, flowOfBytes(Buffer.from("0123")));
    await files.append(appender, flowOfBytes(pattern(700_000, 9)));
    await files.modify(appender, 2, flowOfBytes(Buffer.from("XY")));
    await files.truncate(appender, 500_000);
    const [first = "", second = "", third = ""] = names;
    await files.writeMetadata(first, "overwrite", Buffer.from("colour\x02red"));
    await files.writeMetadata(first, "merge", Buffer.from("size\x02big"));
    await files.uploadSlave(
      { master: second, prefix: "_s", extension: "txt" },
      flowOfBytes(Buffer.from("slave")),
    );
    await files.link({ source: second, extension: "lnk", slaveOf: undefined });
    await files.remove(third);
    expect(await files.regenerate(appender)).not.toBe(appender);
    const outcomes = await replay(files, two.files);
    expect(outcomes.filter((each) => each === "differs")).toEqual([]);
    expect(await filesOf(two.directory)).toEqual(await filesOf(one.directory));
    // Once more, as after a lost mark: nothing comes back, and nothing is lost.
    await replay(files, two.files);
    expect(await filesOf(two.directory)).toEqual(await filesOf(one.directory));
    expect(await binlogOf(two.files)).not.toMatch(/^\d+ [A-Z] /m);
  }
});

test("growth is told when own changes are answered, and marks are kept", async () => {
  const { files } = await store();
  const { replicas } = files;
  const grown: number[] = [];
  replicas.onBinlogGrowth = (path) => grown.push(path);
  const before = await replicas.binlogEnd(0);
  await files.facts("M00/00/00/nothing-is-there", { computeCrc: false }).catch(() => undefined);
  expect(grown).toEqual([]);
  const any = { storePathIndex: undefined, extension: "bin", kind: "normal" } as const;
  const name = await files.upload(any, flowOfBytes(pattern(1000)));
  expect(grown.length).toBeGreaterThan(0);
  const page = await replicas.readBinlog(0, before, 65536);
  expect(Buffer.from(page.lines).toString()).toContain(` C ${name}\n`);
  expect(page.next).toEqual(await replicas.binlogEnd(0));
  const told = grown.length;
  await replicas.recordReplica({ name, timestamp: 5, mode: "create" });
  expect(await binlogOf(files)).toContain(`5 c ${name}\n`);
  expect(grown.length).toBe(told);
  await expect(replicas.readBinlog(0, { index: 7, offset: 0 }, 100)).rejects.toMatchObject({
    code: "binlog-gone",
  });
  await expect(replicas.readBinlog(3, before, 100)).rejects.toMatchObject({ code: "file-invalid" });
  await expect(
    replicas.removeReplica({ name: "M09/00/00/some-name", timestamp: 1 }),
  ).rejects.toMatchObject({ code: "store-path-unready" });
  expect(await replicas.readMark(0, "peer.mark")).toBeUndefined();
  await replicas.writeMark(0, "peer.mark", "binlog_index=0\n");
  expect(await replicas.readMark(0, "peer.mark")).toBe("binlog_index=0\n");
  await replicas.removeMark(0, "peer.mark");
  expect(await replicas.readMark(0, "peer.mark")).toBeUndefined();
  await expect(replicas.writeMark(0, "peer.mark", "x".repeat(300_000))).rejects.toMatchObject({
    code: "file-invalid",
  });
});

test("the name clock passes every file that was stored", async () => {
  const { files } = await store();
  const any = { storePathIndex: undefined, extension: "bin", kind: "normal" } as const;
  const before = files.replicas.nameClock();
  expect(before).toBeGreaterThan(1_700_000_000);
  await files.upload(any, flowOfBytes(pattern(10)));
  await until(() => files.replicas.nameClock() > before, "the clock goes on");
});

test("a batch of new files is one request, and what it leaves out has no outcome", async () => {
  const [from, to] = [await store(), await store("flushed")];
  const contents = [pattern(5000), pattern(100_000), Buffer.alloc(0)];
  const any = { storePathIndex: undefined, extension: "bin", kind: "normal" } as const;
  const writer = new WireWriter();
  const names: string[] = [];
  for (const content of contents) {
    const name = await from.files.upload(any, flowOfBytes(content));
    names.push(name);
    const record = { name, timestamp: 77, other: "", first: 0, second: 0, crc32: crc32(content) };
    syncRecord.encode({ ...record, kind: "create", content }, writer, narrowAddresses);
  }
  const bytes = writer.bytes();
  const { replicas } = to.files;
  const send = async () => {
    const batch = replicas.receiveBatch(names[0] ?? "", bytes.length);
    batch?.bytes.set(bytes);
    const found = await batch?.store(contents.length);
    batch?.release();
    return found;
  };
  const stored = { latest: 77, bytes: 105_000 };
  expect(await send()).toEqual({ outcomes: ["done", "done", "done"], ...stored });
  expect(await send()).toEqual({ outcomes: ["already", "already", "already"], ...stored });
  for (const [at, name] of names.entries()) {
    expect(await content(to.files, name)).toEqual(contents[at]);
  }
  expect(replicas.receiveBatch("M07/00/00/x", 10)).toBeUndefined();
  bytes[4] = 1;
  expect(await send()).toEqual({
    outcomes: [undefined, undefined, undefined],
    latest: 0,
    bytes: 0,
  });
});

test("what one store reads for a peer another one takes, without a look at it in between", async () => {
  const [from, to] = [await store("flushed"), await store()];
  const any = { storePathIndex: undefined, extension: "bin", kind: "normal" } as const;
  const sizes = [0, 1, 4096, 250_000, 300_000];
  const upload = (size: number) => from.files.upload(any, flowOfBytes(pattern(size, size)));
  const names = await Promise.all(sizes.map(upload));
  const lines = names.map((name) => `77 C ${name}`);
  const batch = await from.files.replicas.readBatch(names[0] ?? "", lines);
  expect(batch?.isIn).toEqual([true, true, true, true, false]);
  const bytes = batch?.bytes.subarray(0, batch.lengthBytes) ?? new Uint8Array(0);
  const taken = to.files.replicas.receiveBatch(names[0] ?? "", bytes.length);
  taken?.bytes.set(bytes);
  batch?.release();
  expect((await taken?.store(4))?.outcomes).toEqual(["done", "done", "done", "done"]);
  taken?.release();
  for (const [at, size] of sizes.slice(0, 4).entries()) {
    expect((await content(to.files, names[at] ?? "")).equals(pattern(size, size))).toBe(true);
  }
  expect(await from.files.replicas.readBatch("M07/00/00/x", lines)).toBeUndefined();
});

import { expect, test } from "vitest";
import { maxTrunkLogPieceBytes, TrunkLogClient } from "#filestore/trunk-log-client.ts";
import { MemoryTrunkLog } from "../../support/trunk-log.ts";

const line = "1795395770 A 0 0 0 1 0 256\n";

test("the binlog is written and read in pieces of at most a block", async () => {
  const { client } = new MemoryTrunkLog();
  expect(await client.size()).toBe(0);
  const lines = line.repeat(Math.floor(maxTrunkLogPieceBytes / line.length));
  expect(await client.append(Buffer.from(lines))).toBe(lines.length);
  const piece = await client.read("binlog", line.length, 30);
  expect(piece).toEqual({
    sizeBytes: lines.length,
    bytes: Buffer.from(lines.slice(line.length, line.length + 30)),
  });
  expect(await client.read("snapshot", 0, 30)).toBeUndefined();
});

test("marks are kept and forgotten; a binlog that begins anew is empty", async () => {
  const log = new MemoryTrunkLog();
  const { client } = log;
  await client.append(Buffer.from(line));
  await client.writeMark("a.mark", "binlog_offset=27\n");
  expect(log.text("a.mark")).toBe("binlog_offset=27\n");
  await client.forget();
  expect([log.text("a.mark"), await client.size()]).toEqual([undefined, line.length]);
  expect(await client.compress(0, 1)).toBe("1 A 0 0 0 1 0 256\n".length);
  await client.reset(0, 1);
  expect(await client.size()).toBe(0);
});

test("without a store path there is no binlog", async () => {
  const client = new TrunkLogClient(() => undefined);
  await expect(client.size()).rejects.toThrow("no store path");
});

/**
 * Goal: a store path serves its clients while a large binlog that C has compressed is expanded for somebody who reads it. Method: a real
 * thread, 64 MiB, and requests that are counted, not timed: each must have been answered between two steps.
 */
import { mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { LocalFileStore } from "#filestore/local-file-store.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeWorkers } from "#platform/node/node-workers.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { pathSettings } from "../../support/store-fixture.ts";

const mib = 1024 * 1024;

test("while a binlog of 64 MiB is expanded other requests are answered, and stopping waits for none of it", async () => {
  const directory = await mkdtemp(join(tmpdir(), "cairn-compressed-"));
  const sync = `${directory}/data/sync`;
  const open = async (): Promise<LocalFileStore> => {
    const files = new LocalFileStore({
      paths: [pathSettings(0, directory)],
      workers: nodeWorkers(),
      clock: nodeClock,
      log: collectedLog().log,
      reserved: () => ({ kind: "bytes", bytes: 0 }),
      policy: () => "round-robin",
      diskTimeoutMs: 20_000,
    });
    await files.start();
    return files;
  };
  try {
    await (await open()).close();
    await rename(`${sync}/binlog.000`, `${sync}/binlog.001`);
    const line = `1700000000 C M00/00/00/${"x".repeat(40)}\n`;
    const member = gzipSync(line.repeat(Math.ceil(mib / line.length)));
    await writeFile(`${sync}/binlog.000.gz`, Buffer.concat(Array(64).fill(member)));
    const files = await open();
    let isRead = false;
    const start = { index: 0, offset: 0 };
    const page = files.replicas.readBinlog(0, start, 64 * 1024).finally(() => {
      isRead = true;
    });
    let answered = 0;
    for (; !isRead; answered += 1) await files.replicas.binlogEnd(0);
    const { lines, next } = await page;
    expect(answered).toBeGreaterThan(20);
    expect([next.index, next.offset, Buffer.from(lines).toString().startsWith(line)]).toEqual([
      0,
      lines.length,
      true,
    ]);
    // Another one, who expands it again, and does not live to see it.
    const names = files.inventories.of(0)?.names(start);
    const given = expect(names).rejects.toMatchObject({ code: "store-closing" });
    await files.replicas.binlogEnd(0);
    await files.close();
    await given;
    expect(await readdir(`${directory}/data/.cairn/tmp`)).toEqual([]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

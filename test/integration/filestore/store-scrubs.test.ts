/** Scrubs and records of files through a real worker thread: what the main thread asks for, and what it is answered. */
import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LocalFileStore } from "#filestore/local-file-store.ts";
import type { ScrubReport } from "#filestore/scrub/scrub-report.ts";
import { flowOfBytes } from "#net/byte-flow.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeWorkers } from "#platform/node/node-workers.ts";
import { settingsFor, withDirectory } from "../../support/engine-fixture.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { eventually } from "../../support/node-group.ts";

const pace = { rateBytes: 0, busyShare: 3 };

async function withStore(body: (store: LocalFileStore, directory: string) => Promise<void>) {
  await withDirectory(async (directory) => {
    const { log } = collectedLog();
    const files = undefined as never;
    const store = new LocalFileStore({
      ...{ paths: [settingsFor({ files, directory })], workers: nodeWorkers(), clock: nodeClock },
      ...{ log, reserved: () => ({ kind: "bytes", bytes: 0 }) as const, diskTimeoutMs: 60_000 },
      policy: () => "round-robin",
    });
    await store.start();
    try {
      await body(store, directory);
    } finally {
      await store.close();
    }
  });
}

async function scrubbed(store: LocalFileStore): Promise<ScrubReport> {
  expect(await store.scrubs.order(0, "start", pace)).toBe(true);
  let report: ScrubReport | undefined;
  await eventually(10_000, async () => {
    report = await store.scrubs.report(0);
    return report?.state === "idle";
  });
  if (report === undefined) throw new Error("no report");
  return report;
}

test("a damaged file is reported, set aside, and settled; a record tells what is known of a file", async () => {
  await withStore(async (store, directory) => {
    const upload = (text: string, kind: "normal" | "appender") =>
      store.upload(
        { storePathIndex: 0, extension: "bin", kind },
        flowOfBytes(Buffer.from(text.repeat(1000))),
      );
    const [good, bad] = [await upload("good", "normal"), await upload("bad", "normal")];
    const appender = await upload("log", "appender");
    expect(await store.scrubs.fileRecord(appender, false)).toMatchObject({
      ...{ sizeBytes: 3000, crcFrom: "none", verifiedAt: 0 },
    });
    expect(await store.scrubs.fileRecord(appender, true)).toMatchObject({ crcFrom: "read" });
    await new Promise((resolve) => setTimeout(resolve, 3200));
    const path = `${directory}/data/${bad.slice(4)}`;
    const { atime, mtime } = statSync(path);
    const content = readFileSync(path);
    content[7] = 0;
    writeFileSync(path, content);
    utimesSync(path, atime, mtime);
    const report = await scrubbed(store);
    expect(report).toMatchObject({ tally: { files: 3, good: 1, unknown: 1, damaged: 1 } });
    expect(report.damaged).toMatchObject([{ place: bad.slice(4), damage: "content" }]);
    const known = await store.scrubs.fileRecord(good, false);
    expect(known).toMatchObject({ sizeBytes: 4000, crcFrom: "name", verifiedAt: report.begunAt });
    expect(await store.scrubs.fileRecord(appender, false)).toMatchObject({ crcFrom: "record" });
    expect(await store.scrubs.judge(0, good)).toBe("well");
    expect(await store.scrubs.judge(0, bad)).toBe("aside");
    expect(await store.scrubs.fileRecord(bad, false)).toMatchObject({ damaged: "aside" });
    await expect(store.facts(bad, { computeCrc: false })).rejects.toMatchObject({
      code: "file-missing",
    });
    await store.scrubs.settle(0, bad.slice(4), "healed");
    expect(await store.scrubs.report(0)).toMatchObject({ damagedTotal: 0, healed: 1 });
    await expect(store.scrubs.fileRecord(bad, false)).rejects.toMatchObject({
      code: "file-missing",
    });
    await expect(store.scrubs.judge(0, "rubbish")).rejects.toMatchObject({ code: "file-invalid" });
    expect(await store.scrubs.report(9)).toBe(undefined);
  });
}, 30_000);

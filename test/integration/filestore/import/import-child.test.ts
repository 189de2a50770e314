/** The child that imports, as its parent sees it: a job in, progress and an end out, and a question where it was interrupted. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runImportChild } from "#filestore/import/import-child.ts";
import { type ImportNews, parseImportNews } from "#filestore/import/import-messages.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import type { ParentLink } from "#platform/parent-link.ts";
import { type StorageStage, storageStage } from "../../../support/storage-stage.ts";
import { unpackStorePath } from "../../../support/store-path-vectors.ts";

async function run(
  stage: StorageStage,
  folder: string,
  answer: (news: ImportNews) => string | undefined = () => undefined,
): Promise<readonly ImportNews[]> {
  const told: ImportNews[] = [];
  const parent: ParentLink = {
    write: (text) => {
      const news = parseImportNews(text);
      told.push(news);
      const line = answer(news);
      if (line !== undefined) setImmediate(() => parent.onInput(Buffer.from(line)));
    },
    onInput: () => {},
    onEnd: () => {},
  };
  const world = { files: new NodeFiles(), clock: nodeClock, network: new NodeNetwork() };
  const ended = runImportChild({ ...world, parent });
  const job = {
    ...{
      directory: join(folder, "path1"),
      root: folder,
      index: 1,
      group: "group1",
      newGroup: "group1",
    },
    list: join(folder, "list"),
    storage: { address: "127.0.0.1", port: stage.role.port },
  };
  parent.onInput(Buffer.from(`${JSON.stringify(job)}\n`));
  await ended;
  return told;
}

test("it does its job, tells its end, and asks what was stored when it was interrupted", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cairn-import-"));
  await using stage = await storageStage();
  try {
    unpackStorePath("plain", new NodeFiles(), folder);
    const told = await run(stage, folder);
    expect(told.at(-1)).toMatchObject({ kind: "done", files: 7, left: 0 });
    const list = readFileSync(join(folder, "list"), "latin1");
    expect(list.split("\n").filter((line) => line.startsWith("group1/M01/")).length).toBe(7);
    // As if it had been killed in the middle of the first directory.
    const lines = list.split("\n");
    const at = lines.findIndex((line) => line.startsWith("group1/"));
    const lost = lines[at]?.split(" ")[1]?.slice("group1/".length) ?? "";
    writeFileSync(join(folder, "list"), `${lines.slice(0, at).join("\n")}\n`);
    const again = await run(stage, folder, (news) =>
      news.kind === "interrupted" ? `${JSON.stringify({ names: [lost] })}\n` : undefined,
    );
    expect(again[0]).toMatchObject({ kind: "interrupted" });
    expect(again.at(-1)).toMatchObject({ kind: "done", files: 7 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("what is no store path, or no job, is told in words", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cairn-import-"));
  await using stage = await storageStage();
  try {
    mkdirSync(join(folder, "path1"));
    const told = await run(stage, folder);
    expect(told.at(-1)).toMatchObject({ kind: "failed" });
    expect(told.at(-1)?.why).toContain("is no store path");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** What a command is to send. */
import { mkdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openContent } from "#cli/transfer/open-content.ts";
import { collect, flowOfSource } from "#net/byte-flow.ts";
import { contextOf } from "../../../support/command-context.ts";
import { TestWorld } from "../../../support/test-world.ts";

test("a file by its path, standard input as -", async () => {
  const world = new TestWorld();
  writeFileSync(world.path("f"), "file");
  world.terminal.input = [Buffer.from("input")];
  for (const [source, bytes] of [
    ["f", "file"],
    ["-", "input"],
  ] as const) {
    await using opened = await openContent(contextOf(world), source);
    expect(String(await collect(flowOfSource(opened.content.open())))).toBe(bytes);
  }
});

test("what cannot be sent is told", async () => {
  const world = new TestWorld();
  mkdirSync(world.path("d"));
  const context = contextOf(world);
  await expect(openContent(context, "d")).rejects.toMatchObject({ code: "EISDIR" });
  await expect(openContent(context, "none")).rejects.toMatchObject({ code: "ENOENT" });
  await expect(openContent(context, "/dev/null")).rejects.toMatchObject({ code: "usage" });
});
